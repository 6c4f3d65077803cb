"""What boxes say of heat: the odds of a box for a cell, and the location prior in the frame of the lungs."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.heat.map import LocationPrior
from cxr_runtime.logits import sigmoid
from cxr_runtime.placement import Box

NEWTON_STEPS = 30
RIDGE = 1e-3  # keeps the regression finite where boxes and evidence agree perfectly

Cells = NDArray[np.float32]  # (N, h, w), a value for every conv5 cell of N films
SIDE = 32  # rows and columns of the map
MARGIN = 0.1  # the map reaches so far beyond the box around the lungs, as a share of its sides
BLUR = SIDE / 16  # places; a hundred films are too few for a finer map
WEIGHT = 0.5  # power of the map; docs/default-model.md says how it was chosen
LEAST = 1e-3  # share, of the highest; nowhere is disease impossible


def odds_of_boxes(evidence: Cells, inside: Cells) -> tuple[float, float]:
    """Gain and shift of inside = sigmoid(gain * (evidence + shift)), by Newton's method on what is known.

    Args:
        evidence: (N, h, w) of films.
        inside: (N, h, w) how much of each cell lies in a box, 0..1; nan where it is not known.
    """
    known = np.isfinite(inside)
    x, y = evidence[known].astype(np.float64), inside[known].astype(np.float64)
    middle, spread = x.mean(), max(float(x.std()), 1e-9)
    design, slope = np.stack([(x - middle) / spread, np.ones_like(x)]), np.zeros(2)
    for _ in range(NEWTON_STEPS):
        said = sigmoid(slope @ design)
        curvature = (design * (said * (1 - said))) @ design.T / x.size + RIDGE * np.eye(2)
        slope = slope + np.linalg.solve(curvature, design @ (y - said) / x.size - RIDGE * slope)
    gain = slope[0] / spread
    return float(gain), float(slope[1] / gain - middle) if gain else 0.0


@dataclass(frozen=True)
class BoxedLungs:
    """One film with boxes around disease; all boxes are x0, y0, x1, y1 as shares of the film's sides."""

    lungs: Box
    boxes: tuple[Box, ...]


def fit_prior(films: Sequence[BoxedLungs]) -> LocationPrior:
    """Count how often each place of the lungs' frame lies in a box.

    Args:
        films: some dozens.
    """
    inside = np.mean([_in_frame(film) for film in films], axis=0)
    smooth = np.asarray(cv2.GaussianBlur(inside, (0, 0), BLUR, borderType=cv2.BORDER_REPLICATE), np.float64)
    shares = np.maximum(smooth / smooth.max(), LEAST)
    x0, y0, x1, y1 = np.mean([film.lungs for film in films], axis=0).round(4).tolist()
    return LocationPrior(
        shares=tuple(tuple(row) for row in shares.round(4).tolist()),
        weight=WEIGHT,
        margin=MARGIN,
        usual_lungs_share_xyxy=(x0, y0, x1, y1),
    )


def _in_frame(film: BoxedLungs) -> NDArray[np.float64]:
    """(SIDE, SIDE) 1 where a place of the frame lies in any of the boxes."""
    x, y = (_centres(film.lungs[axis], film.lungs[axis + 2]) for axis in (0, 1))
    inside = np.zeros((SIDE, SIDE), np.bool_)
    for x0, y0, x1, y1 in film.boxes:
        inside |= ((y >= y0) & (y < y1))[:, None] & ((x >= x0) & (x < x1))[None, :]
    return inside.astype(np.float64)


def _centres(low: float, high: float) -> NDArray[np.float64]:
    """Where the places' centres are on the film, along one axis."""
    side = high - low
    return low - MARGIN * side + (np.arange(SIDE) + 0.5) / SIDE * side * (1 + 2 * MARGIN)
