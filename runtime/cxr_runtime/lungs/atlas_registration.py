"""How an atlas is laid on a film: rough place by projections, optical flow, then the film's own borders."""

from dataclasses import dataclass

import cv2
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


Picture = NDArray[np.uint8]  # (h, w)
Maps = tuple[NDArray[np.float32], NDArray[np.float32]]  # x and y in the source for every pixel of the result

SMOOTHNESS = 1.8  # standard deviation of the blur of the flow, in pixels


def register(fixed: Picture, moving: Picture) -> Maps:
    """Find where each pixel of `fixed` lies in `moving`; both (h, w) uint8 of one size.

    Returns:
        Maps for cv2.remap, (h, w) float32 each: what is sampled from `moving` lies over `fixed`.
    """
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow.setFinestScale(1)
    shift = flow.calc(fixed, moving, np.zeros((*fixed.shape, 2), np.float32))
    shift = np.asarray(cv2.GaussianBlur(shift, (0, 0), SMOOTHNESS), np.float32)
    y, x = np.mgrid[0 : fixed.shape[0], 0 : fixed.shape[1]].astype(np.float32)
    return x + shift[..., 0], y + shift[..., 1]


def sample(source: NDArray[np.uint8], maps: Maps) -> NDArray[np.uint8]:
    """Sample a picture at maps, bilinearly; its own edge goes on beyond it."""
    moved = cv2.remap(source, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


NEAR = 3.0  # standard deviation of the neighbourhood that tells lung from tissue, in pixels
SURE_INSIDE, SURE_OUTSIDE = 0.9, 0.1  # of the mask, beyond which the film is not asked
WEIGHT = 0.4  # of the film's own evidence against the mask's
SMOOTH = 1.0  # standard deviation of the last smoothing, in pixels

Field = NDArray[np.float32]  # (h, w)


def refine(film: NDArray[np.uint8], soft: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Weigh each uncertain pixel by whether it is as dark as the lung, or as bright as the tissue near it.

    Args:
        film: (h, w) uint8, dense tissue bright.
        soft: (h, w) uint8, 0 outside .. 255 inside.

    Returns:
        (h, w) uint8, 0 outside .. 255 inside.
    """
    grey, inside = (np.asarray(picture / 255, np.float32) for picture in (film, soft))
    lung, lung_spread = _near(grey, inside)
    tissue, tissue_spread = _near(grey, 1 - inside)
    spread = np.sqrt((lung_spread + tissue_spread) / 2) + np.float32(0.03)
    evidence = ((grey - tissue) ** 2 - (grey - lung) ** 2) / (2 * spread**2)
    believed = np.log(np.clip(inside, 0.01, 0.99) / np.clip(1 - inside, 0.01, 0.99))
    asked = (inside > SURE_OUTSIDE) & (inside < SURE_INSIDE)
    logit = believed + np.where(asked, WEIGHT * np.clip(evidence, -3, 3), 0)
    refined = cv2.GaussianBlur(1 / (1 + np.exp(-logit.astype(np.float32))), (0, 0), SMOOTH)
    return np.round(255 * refined).astype(np.uint8)


def _near(grey: Field, weight: Field) -> tuple[Field, Field]:
    """Weighted mean and variance of the grey levels in each pixel's neighbourhood."""
    total = _blur(weight) + np.float32(1e-4)
    mean = _blur(grey * weight) / total
    variance = np.maximum(_blur(grey * grey * weight) / total - mean**2, 0)
    return mean, variance


def _blur(field: Field) -> Field:
    return np.asarray(cv2.GaussianBlur(field, (0, 0), NEAR), np.float32)
