"""Intensity projections: where along each axis a film's lungs lie, and which atlas they are most like."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ZOOMS = np.exp(np.linspace(-0.45, 0.45, 19))  # film against atlas, along one axis
SHIFTS = np.linspace(-0.24, 0.24, 25)  # of the film's centre, in shares of the side
TAPER = 0.15  # share of the axis at each end that counts less: borders, arms, labels


@dataclass(frozen=True)
class Fit:
    """The zoom and shift along one axis that make two projections most alike."""

    zoom: float  # film coordinate = (atlas coordinate - 0.5) * zoom + 0.5 + shift, in shares of the side
    shift: float
    likeness: float  # correlation, -1..1


def projections(picture: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean of each column and of each row of an (h, w) picture: (w,) and (h,) float32."""
    return picture.mean(axis=0, dtype=np.float32), picture.mean(axis=1, dtype=np.float32)


def fit_axis(film: NDArray[np.float32], atlases: NDArray[np.float32]) -> list[Fit]:
    """Find where a film's projection lies in those of atlases.

    Args:
        film: (n,) float32, a projection of the film.
        atlases: (k, n) float32, the same projection of k atlases.

    Returns:
        The best fit to each atlas.
    """
    n = len(film)
    at = (np.arange(n) + 0.5) / n
    zooms, shifts = (grid.ravel() for grid in np.meshgrid(ZOOMS, SHIFTS))
    sampled = np.interp((at[None] - 0.5) * zooms[:, None] + 0.5 + shifts[:, None], at, film)
    weight = np.clip(np.minimum(at, 1 - at) / TAPER, 0.05, 1)
    likeness = _standardised(sampled, weight) @ _standardised(atlases, weight).T
    best = likeness.argmax(axis=0)
    return [Fit(zooms[i], shifts[i], float(likeness[i, k])) for k, i in enumerate(best)]


def _standardised(rows: NDArray[np.floating], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows so scaled that the product of two is their weighted correlation."""
    total = weight.sum()
    centred = rows - (rows * weight).sum(axis=1, keepdims=True) / total
    spread = np.sqrt((centred**2 * weight).sum(axis=1, keepdims=True))
    return np.asarray(centred * np.sqrt(weight) / np.maximum(spread, 1e-9), np.float64)
