"""Whether a picture goes on a little to one side, from one row on: bytes before it were lost or doubled.

The rows on both sides of such a place differ far more than rows elsewhere, until one of them is moved back.
"""

from dataclasses import dataclass

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


@dataclass(frozen=True)
class _Move:
    """How two rows fit."""

    columns: int  # by which the lower one is moved to the right
    apart: float  # grey levels that they differ by, as they stand
    moved: float  # the same once it is moved back


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
    moves = [_move(pixels[place - gap], pixels[place + 2 + gap]) for gap in APART]
    first, second = (move.columns for move in moves)
    if not first or not second or abs(first - second) > 1:
        return False
    return all(move.apart + GRAIN >= GAIN * (max(move.moved, usual) + GRAIN) for move in moves)


def _move(above: GreyPixels, below: GreyPixels) -> _Move:
    first, second = above.astype(np.float32), below.astype(np.float32)
    steps = [np.clip(np.diff(row), -EDGE, EDGE) for row in (first, second)]
    count = len(steps[0])
    spectrum = np.conj(np.fft.rfft(steps[0])) * np.fft.rfft(steps[1])
    best = int(np.argmax(np.fft.irfft(spectrum, count)))
    columns = best - count if best > count // 2 else best
    if abs(columns) > MAX_SHIFT * len(first):
        return _Move(0, 0.0, 0.0)
    size = len(first) - abs(columns)
    moved = first[max(0, -columns) :][:size] - second[max(0, columns) :][:size]
    return _Move(columns, float(np.abs(first - second).mean()), float(np.abs(moved).mean()))
