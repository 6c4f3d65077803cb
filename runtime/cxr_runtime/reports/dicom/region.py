"""The hottest region of a heat map as a polygon in the film's own pixels."""

import cv2
import numpy as np
from numpy.typing import NDArray

FINER = 4  # times the heat map's own grid, on which the outline is followed
STRAIGHT = 0.75  # cells of the heat map by which the outline may cut a corner
LEAST_CORNERS = 3

Region = NDArray[np.float64]  # (N, 2) column and row


def hottest_region(
    heat: NDArray[np.float32], threshold: float, film_hw: tuple[int, int]
) -> tuple[Region, float] | None:
    """The outline of the coloured region in which the heat is highest.

    Args:
        heat: (h, w) float32 in 0..1, over the whole film as it lies in its file.
        threshold: heat below this is not coloured.
        film_hw: rows and columns of the film as it is stored.

    Returns:
        (N, 2) float64 columns and rows of a closed polygon, its first corner again at the end, with 0, 0 the
        top left corner of the film's first pixel (PS3.3 C.18.6.1.1), and the highest heat in it; None where
        nothing is coloured.
    """
    highest = float(heat.max())
    if highest < threshold:
        return None
    height, width = heat.shape[0] * FINER, heat.shape[1] * FINER
    fine = np.asarray(cv2.resize(heat, (width, height), interpolation=cv2.INTER_LINEAR))
    row, column = np.unravel_index(int(fine.argmax()), fine.shape)
    least = min(threshold, float(fine[row, column]))  # between two samples a narrow peak is a little lower
    _, labels = cv2.connectedComponents((fine >= least).astype(np.uint8))
    region = (labels == labels[row, column]).astype(np.uint8)
    found, _ = cv2.findContours(region, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    corners = cv2.approxPolyDP(max(found, key=cv2.contourArea), STRAIGHT * FINER, True)[:, 0].astype(
        np.float64
    )
    if len(corners) < LEAST_CORNERS:
        corners = _box(region)
    on_film = (corners + 0.5) * (film_hw[1] / width, film_hw[0] / height)
    return np.vstack([on_film, on_film[:1]]), highest


def _box(region: NDArray[np.uint8]) -> Region:
    """The corners of the box around a region too small for a polygon."""
    left, top, width, height = cv2.boundingRect(region)
    right, bottom = left + max(width - 1, 1), top + max(height - 1, 1)
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float64)
