"""How well a found lung field agrees with a drawn one."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

BoolMask = NDArray[np.bool_]  # (h, w)


@dataclass(frozen=True)
class Agreement:
    """Two masks of one film, compared."""

    dice: float  # twice the overlap over the sum of areas, 0..1
    jaccard: float  # overlap over union, 0..1
    boundary_pixels: float  # mean distance of the two outlines, both ways, in pixels of the masks


def compare(found: BoolMask, drawn: BoolMask) -> Agreement:
    """Compare a found mask with the drawn one, both (h, w) bool; an empty mask is the whole diagonal off."""
    overlap, total = int((found & drawn).sum()), int(found.sum()) + int(drawn.sum())
    if total == 0:
        return Agreement(1.0, 1.0, 0.0)
    return Agreement(2 * overlap / total, overlap / (total - overlap), _boundary_distance(found, drawn))


def _boundary_distance(one: BoolMask, other: BoolMask) -> float:
    edges = [_edge(mask) for mask in (one, other)]
    if not all(edge.any() for edge in edges):
        return float(np.hypot(*one.shape))
    away = [cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, 5) for edge in edges]
    return float((away[1][edges[0]].mean() + away[0][edges[1]].mean()) / 2)


def _edge(mask: BoolMask) -> BoolMask:
    """The mask's outermost pixels; the film's own edge is none."""
    padded = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    inner = cv2.erode(padded, np.ones((3, 3), np.uint8))[1:-1, 1:-1]
    return np.asarray(mask & ~inner.astype(bool), np.bool_)
