"""Pixels that stand out from the rows above and below them, as misread ones do: alone, in dashes, or blank.

Damage to bytes without a checksum leaves them along one row, or along a band of rows. On a sound film grain
stands out everywhere, and writing in five rows and more.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.film import GreyPixels

CALM = 4  # times that what stands out must exceed the difference of the pixels above and below
WINDOW = 64  # columns
POINT, POINTS = 20, 14  # grey levels of one that stands out from all four neighbours; as many in a window
QUIET = 4  # times fewer in the rows near by
NEAR_BY = np.array([[1, 1, 1, 0, 0, 0, 1, 1, 1]], np.uint8).T  # rows; the damage may end in the next one
DASH, DASH_ROWS = 12, 8  # grey levels of a dash; rows that are counted together
DASHES = 0.06  # of the columns, at which one begins
MIXED = 0.045  # of the columns of one row that are brighter, and as many that are darker; films reach 0.027
USUAL = 3  # times the median of the rows that count as grain
BLANK, LIT = 6, 40  # pixels of a black run; grey levels of what lies around it

Mask = NDArray[np.uint8]  # 0 or 1


def has_misread_pixels(pixels: GreyPixels) -> bool:
    """Whether noise or a short blank run lies in (rows, columns) uint8, read row by row."""
    above, middle, below = pixels[:-2], pixels[1:-1], pixels[2:]
    brightest, darkest = cv2.max(above, below), cv2.min(above, below)
    brighter, darker = cv2.subtract(middle, brightest), cv2.subtract(darkest, middle)
    standing_out = cv2.max(brighter, darker)
    calm = cv2.convertScaleAbs(cv2.subtract(brightest, darkest), alpha=CALM)
    alone = np.asarray(cv2.min(standing_out, _from_sides(middle)), np.uint8)
    points, dashes = (alone >= calm) & (alone >= POINT), (standing_out >= calm) & (standing_out >= DASH)
    return (
        _has_burst(points.view(np.uint8))
        or _has_band(dashes.view(np.uint8))
        or _is_mixed(dashes & (brighter > darker), dashes & (darker > brighter))
        or _has_short_blank(middle, np.asarray(darkest, np.uint8))
    )


def _from_sides(rows: GreyPixels) -> GreyPixels:
    """By how much pixels are brighter or darker than both neighbours in their row; 0 at the ends."""
    left, middle, right = rows[:, :-2], rows[:, 1:-1], rows[:, 2:]
    out = cv2.max(cv2.subtract(middle, cv2.max(left, right)), cv2.subtract(cv2.min(left, right), middle))
    return np.asarray(cv2.copyMakeBorder(out, 0, 0, 1, 1, cv2.BORDER_CONSTANT, value=0), np.uint8)


def _has_burst(points: Mask) -> bool:
    """Whether many points lie together in one or two rows, and next to none in the rows near by."""
    if int(np.asarray(cv2.reduce(points, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S)).max()) < POINTS:
        return False
    counts = cv2.boxFilter(points, -1, (WINDOW, 1), normalize=False, borderType=cv2.BORDER_CONSTANT)
    near_by = cv2.convertScaleAbs(cv2.dilate(counts, NEAR_BY), alpha=QUIET)
    return bool((np.asarray(cv2.subtract(counts, near_by)) >= POINTS).any())


def _has_band(dashes: Mask) -> bool:
    """Whether rows together hold many more dashes than others."""
    begins = cv2.subtract(dashes[:, 1:], dashes[:, :-1])
    counts = np.asarray(cv2.reduce(begins, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S), np.float64)[:, 0]
    mean = np.convolve(counts, np.full(DASH_ROWS, 1 / DASH_ROWS), "valid")
    return bool(mean.max() - USUAL * np.median(counts) >= DASHES * dashes.shape[1])


def _is_mixed(brighter: NDArray[np.bool_], darker: NDArray[np.bool_]) -> bool:
    """Whether one row stands out to both sides, as one of another place does; lines do so to one."""
    counts = np.minimum(np.count_nonzero(brighter, axis=1), np.count_nonzero(darker, axis=1))
    return bool(counts.max() - USUAL * np.median(counts) >= MIXED * brighter.shape[1])


def _has_short_blank(middle: GreyPixels, darkest: GreyPixels) -> bool:
    """Whether a black run of one row lies amid film."""
    blank = (middle == 0) & (darkest > LIT)
    rows = np.flatnonzero(np.count_nonzero(blank, axis=1) >= BLANK)
    return any(_has_lit_ends(middle[row], blank[row]) for row in rows.tolist())


def _has_lit_ends(row: GreyPixels, blank: NDArray[np.bool_]) -> bool:
    """Whether a long run of a row begins and ends next to film."""
    edges = np.flatnonzero(np.diff(blank, prepend=False, append=False))
    first, last = edges[::2], edges[1::2]
    inside = (last - first >= BLANK) & (first > 0) & (last < len(row))
    return bool((np.minimum(row[first[inside] - 1], row[last[inside]]) > LIT).any())
