"""Whether a picture goes on a little to one side, from one row on: bytes before it were lost or doubled.

The rows on both sides of such a place differ far more than rows elsewhere, until one of them is moved back.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from cxr_runtime.film import GreyPixels

STRIDE = 4  # columns from which rows are compared
AROUND = 6  # rows above and below that are usual, but for the nearest ones
NEAREST = 2
TRIES = 6  # places that are looked at closely
APART = (0, 1)  # rows farther apart, once more; the place may lie in the middle of a row
EDGE = 20.0  # grey levels; larger steps along a row count as that
MAX_SHIFT = 1 / 4  # of the columns
GAIN = 1.6  # times that rows differ less once moved; sound films of 200 pixels and more reach 1.5
BORDER, MIN_SIDE = 0.06, 200  # share of the rows at top and bottom, where films have frames; pixels
GRAIN = 0.5  # grey levels that rows always differ by


def has_slip(pixels: GreyPixels) -> bool:
    """Whether (rows, columns) uint8 are moved sideways from one row on, by a quarter of them at most."""
    rows = len(pixels)
    if min(pixels.shape) < MIN_SIDE:
        return False
    thin = np.ascontiguousarray(pixels[:, ::STRIDE])
    sums = cv2.reduce(cv2.absdiff(thin[2:], thin[:-2]), 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S)
    apart = np.asarray(sums, np.float64)[:, 0] / thin.shape[1]
    usual = _usual(apart)
    order = np.argsort((apart + GRAIN) / (usual + GRAIN))[: -TRIES - 1 : -1]
    inside = [int(place) for place in order if BORDER * rows <= place < (1 - BORDER) * rows - 2]
    return any(_slips(pixels, place, float(usual[place])) for place in inside)


def _usual(apart: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median of the values around each one."""
    windows = sliding_window_view(np.pad(apart, AROUND, mode="edge"), 2 * AROUND + 1)
    around = np.delete(windows, range(AROUND - NEAREST, AROUND + NEAREST + 1), axis=1)
    return np.asarray(np.median(around, axis=1), np.float64)


def _slips(pixels: GreyPixels, place: int, usual: float) -> bool:
    """Whether two rows around a place are moved as the two around these are."""
    first, second = 0, 0
    for gap in APART:
        first, second = second, _move(pixels[place - gap], pixels[place + 2 + gap], usual)
        if not second:
            return False
    return abs(first - second) <= 1


def _move(above: GreyPixels, below: GreyPixels, usual: float) -> int:
    """Columns by which the lower row lies too far to the right, negative to the left; 0 where it does not.

    Args:
        above: (columns,) uint8.
        below: the same.
        usual: grey levels by which rows near by differ.
    """
    first, second = above.astype(np.float32), below.astype(np.float32)
    apart = float(np.abs(first - second).mean()) + GRAIN
    if apart < GAIN * (usual + GRAIN):
        return 0
    steps = [np.clip(np.diff(row), -EDGE, EDGE) for row in (first, second)]
    count = len(steps[0])
    spectrum = np.conj(np.fft.rfft(steps[0])) * np.fft.rfft(steps[1])
    best = int(np.argmax(np.fft.irfft(spectrum, count)))
    columns = best - count if best > count // 2 else best
    if abs(columns) > MAX_SHIFT * len(first):
        return 0
    size = len(first) - abs(columns)
    moved = first[max(0, -columns) :][:size] - second[max(0, columns) :][:size]
    return columns if apart >= GAIN * (float(np.abs(moved).mean()) + GRAIN) else 0


CALM = 4  # times that what stands out must exceed the difference of the pixels above and below
WINDOW = 64  # columns
POINT, POINTS = 20, 14  # grey levels of one that stands out from all four neighbours; as many in a window
QUIET = 4  # times fewer in the rows near by
NEAR_BY = np.array([[1, 1, 1, 0, 0, 0, 1, 1, 1]], np.uint8).T  # rows; the damage may end in the next one
REACH = len(NEAR_BY) // 2
DASH, DASH_ROWS = 12, 8  # grey levels of a dash; rows that are counted together
DASHES = 0.06  # of the columns, at which one begins
MIXED = 0.045  # of the columns of one row that are brighter, and as many that are darker; films reach 0.027
USUAL = 3  # times the median of the rows that count as grain
BLANK, LIT = 6, 40  # pixels of a black run; grey levels of what lies around it

BAND = 128  # rows that are looked at together, so that they stay in the processor's cache

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class _Marks:
    """What stands out; (rows - 2, columns) each."""

    points: Mask
    brighter: Mask
    darker: Mask
    blank: Mask


def has_misread_pixels(pixels: GreyPixels) -> bool:
    """Whether noise, a row of another place or a short blank run lies in (rows, columns) uint8."""
    starts = range(0, len(pixels) - 2, BAND)
    points, dashes, brighter, darker, blank = np.concatenate(
        [_counts(_marks(pixels[start : start + BAND + 2])) for start in starts], axis=1
    )
    mixed = np.minimum(brighter, darker)
    return (
        _is_unusual(np.convolve(dashes, np.full(DASH_ROWS, 1 / DASH_ROWS), "valid"), DASHES * pixels.shape[1])
        or _is_unusual(mixed, MIXED * pixels.shape[1])
        or any(_has_lit_run(*pixels[row : row + 3]) for row in np.flatnonzero(blank >= BLANK).tolist())
        or any(
            _has_burst(_marks(pixels[max(0, start - REACH) : start + BAND + REACH + 2]).points)
            for start in starts
            if (points[start : start + BAND] >= POINTS).any()
        )
    )


def _marks(pixels: GreyPixels) -> _Marks:
    above, middle, below = pixels[:-2], pixels[1:-1], pixels[2:]
    brightest, darkest = cv2.max(above, below), cv2.min(above, below)
    up, down = cv2.subtract(middle, brightest), cv2.subtract(darkest, middle)
    calm = np.asarray(cv2.convertScaleAbs(cv2.subtract(brightest, darkest), alpha=CALM), np.uint8)
    alone = np.asarray(cv2.min(cv2.max(up, down), _from_sides(middle)), np.uint8)
    dash = np.maximum(calm, np.uint8(DASH))
    return _Marks(
        (alone >= calm) & (alone >= POINT), up >= dash, down >= dash, (middle == 0) & (darkest > LIT)
    )


def _from_sides(rows: GreyPixels) -> GreyPixels:
    """By how much pixels are brighter or darker than both neighbours in their row; 0 at the ends."""
    left, middle, right = rows[:, :-2], rows[:, 1:-1], rows[:, 2:]
    out = cv2.max(cv2.subtract(middle, cv2.max(left, right)), cv2.subtract(cv2.min(left, right), middle))
    return np.asarray(cv2.copyMakeBorder(out, 0, 0, 1, 1, cv2.BORDER_CONSTANT, value=0), np.uint8)


def _counts(marks: _Marks) -> NDArray[np.int32]:
    """(5, rows): points, dashes that begin, brighter, darker and blank pixels of each row."""
    dashes = (marks.brighter | marks.darker).view(np.uint8)
    begins = cv2.subtract(dashes[:, 1:], dashes[:, :-1])
    masks = (marks.points, begins, marks.brighter, marks.darker, marks.blank)
    sums = (
        cv2.reduce(np.asarray(mask).view(np.uint8), 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S) for mask in masks
    )
    return np.stack([np.asarray(column, np.int32)[:, 0] for column in sums])


def _is_unusual(counts: NDArray[np.number[Any]], limit: float) -> bool:
    """Whether some rows count far more than others."""
    return bool(counts.size and counts.max() - USUAL * np.median(counts) >= limit)


def _has_burst(points: Mask) -> bool:
    """Whether many points lie together in one or two rows, and next to none in the rows near by."""
    mask = points.view(np.uint8)
    counts = cv2.boxFilter(mask, -1, (WINDOW, 1), normalize=False, borderType=cv2.BORDER_CONSTANT)
    near_by = cv2.convertScaleAbs(cv2.dilate(counts, NEAR_BY), alpha=QUIET)
    return bool((np.asarray(cv2.subtract(counts, near_by)) >= POINTS).any())


def _has_lit_run(above: GreyPixels, row: GreyPixels, below: GreyPixels) -> bool:
    """Whether a black run of a row has film at both ends, above and below."""
    blank = (row == 0) & (np.minimum(above, below) > LIT)
    edges = np.flatnonzero(np.diff(blank, prepend=False, append=False))
    first, last = edges[::2], edges[1::2]
    inside = (last - first >= BLANK) & (first > 0) & (last < len(row))
    return bool((np.minimum(row[first[inside] - 1], row[last[inside]]) > LIT).any())
