"""Films on which nothing can be seen: too small, blank, black, white."""

from dataclasses import dataclass

import cv2
import numpy as np

from cxr_runtime.errors import RejectedFilmError
from cxr_runtime.film import GreyPixels
from cxr_runtime.gate.verdict import Code, reject

SHORTEST_SIDE = 100  # pixels
SIDE = 128  # rows and columns at which exposure and sharpness are measured; the smallest films have so many
LEAST_RANGE = 24  # grey levels between the 2nd and the 98th percentile; the flattest of 2,006 films has 97
DARK, BRIGHT = 12, 243  # grey levels below and above which a film shows nothing
MOST_LOST = 0.8  # share of the film that may be so dark, or so bright
MIDDLE = slice(SIDE // 8, SIDE - SIDE // 8)  # rows and columns without borders


@dataclass(frozen=True)
class Exposure:
    """How a film is exposed, measured at SIDE x SIDE."""

    range: float  # grey levels between the 2nd and the 98th percentile, without the borders
    dark: float  # share of the film below DARK, without the borders
    bright: float  # share of the film above BRIGHT, without the borders
    median: float  # grey level, without the borders


def check_size(film_hw: tuple[int, int]) -> None:
    """Reject a picture with too few pixels.

    Raises:
        RejectedFilmError: the short side is below SHORTEST_SIDE.
    """
    if min(film_hw) < SHORTEST_SIDE:
        raise reject(
            Code.TOO_SMALL,
            f"the picture has {film_hw[1]} x {film_hw[0]} pixels",
            f"its shorter side must have {SHORTEST_SIDE} or more: give the film at its own size",
        )


def measure(pixels: GreyPixels) -> Exposure:
    """Measure a film; (rows, columns) uint8."""
    small = np.asarray(cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA))[MIDDLE, MIDDLE]
    low, median, high = np.percentile(small, (2, 50, 98))
    dark, bright = float((small < DARK).mean()), float((small > BRIGHT).mean())
    return Exposure(float(high - low), dark, bright, float(median))


def check_exposure(pixels: GreyPixels) -> None:
    """Reject a film that shows nothing.

    Raises:
        RejectedFilmError: too dark or too bright; a blank picture is the one or the other by its tone.
    """
    seen = measure(pixels)
    is_flat = seen.range < LEAST_RANGE
    if seen.dark > MOST_LOST or (is_flat and seen.median < 128):
        raise _unexposed(Code.TOO_DARK, f"too dark: {seen.dark:.0%} of it is black", seen)
    if seen.bright > MOST_LOST or is_flat:
        raise _unexposed(Code.TOO_BRIGHT, f"too bright: {seen.bright:.0%} of it is white", seen)


def _unexposed(code: Code, found: str, seen: Exposure) -> RejectedFilmError:
    contrast = f"its contrast {seen.range:.0f} of 255 levels"
    return reject(code, f"the film is {found}, {contrast}", "make it anew, or export it with another window")
