"""How much of a heat map lies on the lungs: heat elsewhere means that the wrong thing was looked at."""

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.lungs.mask import LungMask

MARGIN = 0.04  # of the film's side: one conv5 cell is about so wide, and the pleura counts as lung


def heat_share(heat: NDArray[np.float32], lungs: LungMask, threshold: float) -> float | None:
    """Share of the heat that lies in the lung field, slightly widened.

    Args:
        heat: (h, w) float32 in 0..1 over the whole film.
        lungs: the film's lung field.
        threshold: only what is above it counts; where nothing is above it, all heat counts.

    Returns:
        0..1, or None where the film has no heat at all.
    """
    weight = np.maximum(heat.astype(np.float64) - threshold, 0)
    if weight.sum() <= 0:
        weight = heat.astype(np.float64)
    total = float(weight.sum())
    if total <= 0:
        return None
    return float(weight[_widened(lungs, heat.shape)].sum() / total)


def _widened(lungs: LungMask, out_hw: tuple[int, ...]) -> NDArray[np.bool_]:
    height, width = out_hw
    inside = lungs.over_film((height, width)).astype(np.uint8)
    reach = tuple(2 * max(1, round(MARGIN * side)) + 1 for side in (width, height))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, reach)
    return cv2.dilate(inside, kernel).astype(bool)
