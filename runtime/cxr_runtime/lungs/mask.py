"""The lungs of one film: a mask over the whole film, the box around them, and their outlines."""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.lungs.outline import Outline, trace
from cxr_runtime.placement import Box

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
    outlines: tuple[Outline, ...]  # one polygon a part of the lungs, as shares of the film's width and height

    @property
    def mask(self) -> NDArray[np.bool_]:
        """(h, w) bool at working resolution over the whole film, squashed."""
        return self.soft >= INSIDE

    @property
    def area(self) -> float:
        """Share of the film that is lung, 0..1."""
        return float(self.mask.mean())

    @property
    def vagueness(self) -> float:
        """Undecided pixels for each that is lung, 0 where there is none; a chest film has about 0.13."""
        undecided = (self.soft > UNDECIDED[0]) & (self.soft < UNDECIDED[1])
        return float(undecided.sum() / max(int(self.mask.sum()), 1))

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
        return cv2.dilate(self.over_film(out_hw).astype(np.uint8), kernel).astype(bool)


def lung_mask(soft: SoftMask, film_hw: tuple[int, int]) -> LungMask:
    """Clean a soft mask of specks and holes, and measure it.

    Args:
        soft: (h, w) uint8 over the whole film, 0 outside .. 255 inside.
        film_hw: rows and columns of the film.
    """
    clean = _clean(soft)
    return LungMask(clean, film_hw, _box(clean >= INSIDE, film_hw), trace(clean, INSIDE))


def _clean(soft: SoftMask) -> SoftMask:
    """Keep the large parts, fill their holes."""
    inside = (soft >= INSIDE).astype(np.uint8)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=4)
    areas = stats[1:count, cv2.CC_STAT_AREA]
    if not len(areas):
        return np.zeros_like(soft)
    least = max(SMALLEST_PART * soft.size, SMALLEST_BESIDE * areas.max())
    kept = [part for part in np.argsort(-areas)[:MOST_PARTS] + 1 if areas[part - 1] >= least]
    wanted = np.isin(parts, kept)
    contours, _ = cv2.findContours(wanted.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(np.zeros_like(inside), contours, -1, 1, cv2.FILLED).astype(bool)
    around = cv2.dilate(filled.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    clean = np.where(filled, np.maximum(soft, INSIDE), np.where(around, np.minimum(soft, INSIDE - 1), 0))
    return clean.astype(np.uint8)


def _box(inside: NDArray[np.bool_], film_hw: tuple[int, int]) -> Box | None:
    rows, columns = np.nonzero(inside.any(axis=1))[0], np.nonzero(inside.any(axis=0))[0]
    if not len(rows):
        return None
    per_row, per_column = film_hw[0] / inside.shape[0], film_hw[1] / inside.shape[1]
    x0, x1 = columns[0] * per_column, (columns[-1] + 1) * per_column
    return float(x0), float(rows[0] * per_row), float(x1), float((rows[-1] + 1) * per_row)
