"""The lung field by anatomical atlases with non-rigid registration (paper, II.A; Candemir et al. 2014).

The atlases are averages over many films each, so no single film is in them.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.film import GreyPixels, thumbnail
from cxr_runtime.lungs.atlas_registration import Fit, fit_axis, projections, refine, register, sample
from cxr_runtime.lungs.mask import LungMask, lung_mask

ATLAS_FILE = Path(__file__).parent / "lung-atlases.npz"
SIDE = 160  # rows and columns at which films are registered
MOST_ALIKE = 6  # atlases that are registered and fused
SHARPNESS = 20.0  # how much more an atlas counts that is more alike after registration
BLUR = 1.2  # standard deviation, in pixels: averaged atlases have no finer detail


@dataclass(frozen=True)
class Atlases:
    """Averaged films with their averaged lungs."""

    pictures: NDArray[np.uint8] = field(repr=False)  # (k, SIDE, SIDE), prepared
    masks: NDArray[np.uint8] = field(repr=False)  # (k, SIDE, SIDE), 0 outside .. 255 inside


@dataclass(frozen=True)
class AtlasLungField:
    """Finds the lungs with atlases.

    Raises (by `find`):
        OSError: the atlases' file is missing.
    """

    path: Path = ATLAS_FILE

    def find(self, pixels: GreyPixels) -> LungMask:
        """Find the lungs of a film; (rows, columns) uint8, dense tissue bright, upright."""
        return lung_mask(fuse(prepare(pixels), read_atlases(self.path)), pixels.shape)


@lru_cache(maxsize=2)
def read_atlases(path: Path) -> Atlases:
    """Read an atlas file.

    Raises:
        OSError: it is missing.
    """
    with np.load(path) as arrays:
        return Atlases(arrays["pictures"], arrays["masks"])


def prepare(pixels: GreyPixels) -> GreyPixels:
    """Bring a film to SIDE x SIDE with an even contrast; atlases are made from films prepared so."""
    small = thumbnail(pixels, SIDE)
    even = cv2.createCLAHE(clipLimit=3.0, tileGridSize=(4, 4)).apply(small)
    return np.asarray(cv2.GaussianBlur(even, (0, 0), BLUR), np.uint8)


def fuse(film: GreyPixels, atlases: Atlases) -> NDArray[np.uint8]:
    """Lay the most alike atlases over a prepared film.

    Returns:
        (SIDE, SIDE) uint8, 0 outside .. 255 inside.
    """
    total, weights = np.zeros(film.shape, np.float64), 0.0
    for index, across, down in _most_alike(film, atlases):
        mask, likeness = _lay(film, atlases.pictures[index], atlases.masks[index], across, down)
        weight = float(np.exp(SHARPNESS * likeness))
        total += weight * mask
        weights += weight
    return refine(film, np.round(total / weights).astype(np.uint8))


def _most_alike(film: GreyPixels, atlases: Atlases) -> list[tuple[int, Fit, Fit]]:
    """The atlases whose projections are most like the film's, with the place of the film in them."""
    of_atlases = [projections(picture) for picture in atlases.pictures.astype(np.float32)]
    fits = [
        fit_axis(of_film, np.stack([pair[axis] for pair in of_atlases]))
        for axis, of_film in enumerate(projections(film.astype(np.float32)))
    ]
    order = sorted(range(len(of_atlases)), key=lambda k: -fits[0][k].likeness - fits[1][k].likeness)
    return [(k, fits[0][k], fits[1][k]) for k in order[:MOST_ALIKE]]


def _lay(
    film: GreyPixels, picture: NDArray[np.uint8], mask: NDArray[np.uint8], across: Fit, down: Fit
) -> tuple[NDArray[np.uint8], float]:
    """Register one atlas; its mask on the film, and how alike both pictures then are (correlation)."""
    centre = (SIDE - 1) / 2
    x, y = np.meshgrid(
        *[(np.arange(SIDE) - centre - fit.shift * SIDE) / fit.zoom + centre for fit in (across, down)]
    )
    placed = x.astype(np.float32), y.astype(np.float32)
    rough, rough_mask = sample(picture, placed), sample(mask, placed)
    maps = register(film, rough)
    return sample(rough_mask, maps), _correlation(film, sample(rough, maps))


def _correlation(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    if min(float(one.std()), float(other.std())) == 0:
        return 0.0  # a blank film
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])
