"""The border of a found lung field, moved to where the film itself changes from dark to bright."""

import cv2
import numpy as np
from numpy.typing import NDArray

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
