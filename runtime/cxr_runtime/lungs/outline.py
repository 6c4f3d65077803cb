"""Outlines of the lungs, as polygons of few points."""

import cv2
import numpy as np
from numpy.typing import NDArray

Outline = tuple[tuple[float, float], ...]  # closed polygon, (x, y) as shares of the film's width and height

MOST_POINTS = 60  # of one polygon
FINER = 4  # the mask is enlarged so much first, so that the polygon is smooth
TOLERANCES = (0.0025, 0.004, 0.006, 0.01, 0.02, 0.04)  # shares of the side that a polygon may stray


def trace(soft: NDArray[np.uint8], inside: int) -> tuple[Outline, ...]:
    """Trace the outline of every part of a soft mask, the largest first.

    Args:
        soft: (h, w) uint8 over the whole film.
        inside: values from here on are inside.

    Returns:
        One polygon a part, of at most MOST_POINTS points, in shares of the film's width and height.
    """
    h, w = soft.shape
    fine = cv2.resize(soft, (w * FINER, h * FINER), interpolation=cv2.INTER_LINEAR)
    contours, _ = cv2.findContours(
        (np.asarray(fine) >= inside).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    contours = sorted(contours, key=cv2.contourArea, reverse=True)
    size = np.array([w * FINER, h * FINER], np.float64)
    return tuple(_polygon(np.asarray(contour, np.int32), size) for contour in contours if len(contour) > 2)


def _polygon(contour: NDArray[np.int32], size: NDArray[np.float64]) -> Outline:
    for tolerance in TOLERANCES:
        points = cv2.approxPolyDP(contour, tolerance * float(size.max()), True)[:, 0]
        if len(points) <= MOST_POINTS:
            break
    shares = (points[:MOST_POINTS] + 0.5) / size
    return tuple((round(float(x), 4), round(float(y), 4)) for x, y in shares)
