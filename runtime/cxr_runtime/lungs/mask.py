"""The lungs of one film: a mask over it, the box around them, their outlines, how much heat lies in them."""

from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.placement import Box, Outline

INSIDE = 128  # soft values from here on are lung
UNDECIDED = (25, 230)  # soft values between these are neither surely lung nor surely none
SMALLEST_PART = 0.006  # of the film's area: smaller specks are not lung
SMALLEST_BESIDE = 0.12  # of the largest part's area: smaller specks beside it are not lung
PLEURA = 0.04  # of the film's side: one conv5 cell is about so wide, and the pleura counts as lung
MOST_PARTS = 3  # two lungs, and one that an effusion or the heart cuts in two

SoftMask = NDArray[np.uint8]  # (h, w) over the whole film, squashed; 0 outside .. 255 inside


@dataclass(frozen=True)
class LungMask:
    """The lung field of one film."""

    soft: SoftMask = field(repr=False)  # (h, w) uint8 at working resolution over the whole film, squashed
    film_hw: tuple[int, int]  # rows and columns of the film
    box_film_xyxy: Box | None  # box around the lungs in film pixels; None where there are none

    @cached_property
    def outlines(self) -> tuple[Outline, ...]:
        """One polygon a part of the lungs, as shares of the film's width and height; traced when asked."""
        return trace(self.soft, INSIDE)

    @property
    def mask(self) -> NDArray[np.bool_]:
        """(h, w) bool at working resolution over the whole film, squashed."""
        return self.soft >= INSIDE

    @property
    def area(self) -> float:
        """Share of the film that is lung, 0..1."""
        return float(np.count_nonzero(self.mask) / self.soft.size)

    @property
    def vagueness(self) -> float:
        """Undecided pixels for each that is lung, 0 where there is none; a chest film has about 0.13."""
        undecided = (self.soft > UNDECIDED[0]) & (self.soft < UNDECIDED[1])
        return float(np.count_nonzero(undecided) / max(int(np.count_nonzero(self.mask)), 1))

    def over_film(self, out_hw: tuple[int, int]) -> NDArray[np.bool_]:
        """The mask at the film's own proportions.

        Args:
            out_hw: rows and columns of the result, which covers the whole film.

        Returns:
            (out_h, out_w) bool.
        """
        grown = cv2.resize(self.soft, out_hw[::-1], interpolation=cv2.INTER_LINEAR)
        return np.asarray(grown) >= INSIDE

    def widened(self, out_hw: tuple[int, int]) -> NDArray[np.bool_]:
        """As `over_film`, with PLEURA around it."""
        reach = tuple(2 * max(1, round(PLEURA * side)) + 1 for side in out_hw[::-1])
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, reach)
        return np.asarray(cv2.dilate(self.over_film(out_hw).view(np.uint8), kernel)).view(bool)


def lung_mask(soft: SoftMask, film_hw: tuple[int, int]) -> LungMask:
    """Keep the large parts of a soft mask, fill their holes, and measure it.

    Args:
        soft: (h, w) uint8 over the whole film, 0 outside .. 255 inside.
        film_hw: rows and columns of the film.
    """
    count, parts = cv2.connectedComponents((soft >= INSIDE).view(np.uint8), connectivity=4)
    areas = np.bincount(parts.ravel(), minlength=count)[1:]
    if not len(areas):
        return measured(np.zeros_like(soft), film_hw)
    smallest = max(SMALLEST_PART * soft.size, SMALLEST_BESIDE * areas.max())
    kept = [part for part in np.argsort(-areas)[:MOST_PARTS] + 1 if areas[part - 1] >= smallest]
    is_kept = np.zeros(count, np.uint8)
    is_kept[kept] = 1
    contours, _ = cv2.findContours(is_kept[parts], cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.asarray(cv2.drawContours(np.zeros_like(soft), contours, -1, 255, cv2.FILLED), np.uint8)
    around = np.asarray(cv2.dilate(filled, np.ones((3, 3), np.uint8)), np.uint8)  # one pixel, too: a border
    least, most = np.minimum(filled, INSIDE), np.maximum(filled, np.minimum(around, INSIDE - 1))
    return measured(np.minimum(np.maximum(soft, least), most), film_hw)


def measured(clean: SoftMask, film_hw: tuple[int, int]) -> LungMask:
    """The box of a mask that `lung_mask` has cleaned; arguments as there."""
    inside = clean >= INSIDE
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not len(rows):
        return LungMask(clean, film_hw, None)
    down, across = film_hw[0] / inside.shape[0], film_hw[1] / inside.shape[1]
    x0, y0, x1, y1 = columns[0] * across, rows[0] * down, (columns[-1] + 1) * across, (rows[-1] + 1) * down
    return LungMask(clean, film_hw, (float(x0), float(y0), float(x1), float(y1)))


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
    parts = (np.asarray(fine) >= inside).view(np.uint8)
    contours, _ = cv2.findContours(parts, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    contours = sorted(contours, key=cv2.contourArea, reverse=True)
    size = np.array([w * FINER, h * FINER], np.float64)
    return tuple(_polygon(np.asarray(contour, np.int32), size) for contour in contours if len(contour) > 2)


def _polygon(contour: NDArray[np.int32], size: NDArray[np.float64]) -> Outline:
    for tolerance in TOLERANCES:
        points = cv2.approxPolyDP(contour, tolerance * float(size.max()), True)[:, 0]
        if len(points) <= MOST_POINTS:
            break
    shares = np.round((points[:MOST_POINTS] + 0.5) / size, 4)
    return tuple((x, y) for x, y in shares.tolist())


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
    if not weight.any():
        weight = heat.astype(np.float64)
    total = float(weight.sum())
    if total <= 0:
        return None
    return float(weight[lungs.widened((heat.shape[0], heat.shape[1]))].sum() / total)
