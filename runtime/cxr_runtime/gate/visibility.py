"""What can be seen on a film: its size and exposure, whole lungs with clear borders, detail in them."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.errors import RejectedFilmError
from cxr_runtime.film import GreyPixels, thumbnail
from cxr_runtime.gate.reasons import BEYOND_ALL, CERTAIN, Code, reject
from cxr_runtime.lungs import LungMask

SHORTEST_SIDE = 100  # pixels
SIDE = 128  # rows and columns at which exposure and sharpness are measured; the smallest films have so many
# Bounds in grey levels, far from any good film: their least range is 66, their lowest 98th percentile 142,
# their highest 2nd percentile 153.
LEAST_RANGE = 40  # between the 2nd and the 98th percentile
LEAST_WHITE = 64  # of the 98th percentile
MOST_BLACK = 192  # of the 2nd percentile
DARK, BRIGHT = 12, 243  # below and above which a film shows nothing
MOST_LOST = 0.8  # share of the film that may be so dark, or so bright; of good films up to 0.46
LEAST_GREYS = 32  # levels that each fill a thousandth of a film or more; the poorest good film has 61
COUNTED_SIDE = 128  # rows and columns in which grey levels are counted
MIDDLE = slice(SIDE // 8, SIDE - SIDE // 8)  # rows and columns without borders


@dataclass(frozen=True)
class Exposure:
    """How a film is exposed, measured at SIDE x SIDE without the borders."""

    low: float  # 2nd percentile, grey levels
    median: float  # grey level
    high: float  # 98th percentile, grey levels
    dark: float  # share of the film below DARK
    bright: float  # share of the film above BRIGHT


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
            CERTAIN,
        )


def measure(pixels: GreyPixels) -> Exposure:
    """Measure a film; (rows, columns) uint8."""
    small = thumbnail(pixels, SIDE)[MIDDLE, MIDDLE]
    low, median, high = np.percentile(small, (2, 50, 98))
    dark, bright = float((small < DARK).mean()), float((small > BRIGHT).mean())
    return Exposure(float(low), float(median), float(high), dark, bright)


def check_exposure(pixels: GreyPixels) -> None:
    """Reject a film that shows nothing.

    Raises:
        RejectedFilmError: too dark or too bright; a blank picture is the one or the other by its tone.
    """
    seen = measure(pixels)
    is_flat = seen.high - seen.low < LEAST_RANGE
    if seen.dark > MOST_LOST or seen.high < LEAST_WHITE or (is_flat and seen.median < 128):
        raise _unexposed(Code.TOO_DARK, "too dark", f"{seen.dark:.0%} of it is black", seen)
    if seen.bright > MOST_LOST or seen.low > MOST_BLACK or (is_flat and seen.median >= 128):
        raise _unexposed(Code.TOO_BRIGHT, "too bright", f"{seen.bright:.0%} of it is white", seen)


def check_greys(pixels: GreyPixels) -> None:
    """Reject a picture of so few grey levels that nothing in it is as it was on the film.

    Raises:
        RejectedFilmError: too few grey levels.
    """
    step = max(1, min(pixels.shape) // COUNTED_SIDE)
    some = pixels[::step, ::step]
    greys = int(np.count_nonzero(np.bincount(some.ravel(), minlength=256) * 1000 >= some.size))
    if greys < LEAST_GREYS:
        raise reject(
            Code.TOO_FEW_GREYS,
            f"the picture has {greys} grey levels; a film has {LEAST_GREYS} or more",
            "export it with all its grey levels, or with a wider window",
            BEYOND_ALL,
        )


def _unexposed(code: Code, verdict: str, lost: str, seen: Exposure) -> RejectedFilmError:
    levels = f"its grey levels reach from {seen.low:.0f} to {seen.high:.0f} of 255"
    if max(seen.dark, seen.bright) > MOST_LOST:
        found = f"the film is {verdict}: {lost}, {levels}"
    else:
        is_grey = seen.high >= LEAST_WHITE and seen.low <= MOST_BLACK
        found = f"the film is {'flat' if is_grey else verdict}: {levels}"
    return reject(code, found, "make it anew, or export it with another window", BEYOND_ALL)


SMALLEST_AREA = 0.02  # share of the film that is lung; of good films 0.065 or more
# Where there are no lungs the lung field finds something all the same, without a clear border. The good film
# with the vaguest lungs has 0.47; a hand has 0.65, a hip 0.54, teeth 1.00.
MOST_VAGUE = 0.52  # undecided pixels for each that is lung
# Lungs that end at the film's lower edge are cut: of good films none has more than 0.24.
MOST_AT_LOWER_EDGE = 0.4  # share of the lungs' width
# The softest good film has 0.78; blurred by 1/128 of their side, they have 0.66 at most.
LEAST_SHARPNESS = 0.66
FINE, COARSE = 1.0, 2.0  # standard deviations of the two blurs, in pixels at SIDE x SIDE


def check_lungs(lungs: LungMask) -> None:
    """Reject a film without lungs to look at.

    Raises:
        RejectedFilmError: (almost) no lung was found, or none with a clear border.
    """
    if lungs.area < SMALLEST_AREA:
        raise reject(
            Code.NOT_A_CHEST_FILM,
            f"no lungs were found on the film ({lungs.area:.1%} of it)",
            "a frontal chest film shows both: have it read",
            BEYOND_ALL,
        )
    if lungs.vagueness >= MOST_VAGUE:
        raise reject(
            Code.NOT_A_CHEST_FILM,
            f"no clear lungs were found on the film: {lungs.vagueness:.0%} of what may be lung is undecided",
            "a frontal chest film shows both: have it read",
            BEYOND_ALL,
        )


def check_lower_edge(lungs: LungMask) -> None:
    """Reject a film with the upper part of the lungs alone.

    Raises:
        RejectedFilmError: they go on beyond the film's lower edge.
    """
    mask = lungs.mask
    columns = np.flatnonzero(mask.any(axis=0))
    found = float(mask[-1].sum() / (columns[-1] - columns[0] + 1))
    if found >= MOST_AT_LOWER_EDGE:
        raise reject(
            Code.LUNGS_CUT_OFF,
            f"the lungs go on beyond the film's lower edge, over {found:.0%} of their width",
            "give a film that shows both lungs whole",
            BEYOND_ALL,
        )


def check_sharpness(pixels: GreyPixels, lungs: LungMask) -> None:
    """Reject a film whose lungs have no detail.

    Raises:
        RejectedFilmError: too blurred.
    """
    found = sharpness(pixels, lungs)
    if found < LEAST_SHARPNESS:
        raise reject(
            Code.TOO_BLURRED,
            f"the film is too blurred: the detail in its lungs is {found:.2f}, not {LEAST_SHARPNESS:.2f}",
            "make it anew, or give the original file",
            BEYOND_ALL,
        )


def sharpness(pixels: GreyPixels, lungs: LungMask) -> float:
    """Fine detail against coarser detail in the lungs, whatever their contrast; about 1 if sharp."""
    small = thumbnail(pixels, SIDE).astype(np.float32)
    fine, coarse, coarsest = small, _blur(small, FINE), _blur(small, COARSE)
    inside = lungs.over_film((SIDE, SIDE))
    if not inside.any():
        inside = np.ones((SIDE, SIDE), np.bool_)
    detail, form = np.abs(fine - coarse)[inside], np.abs(coarse - coarsest)[inside]
    return float(detail.mean() / max(float(form.mean()), 1e-3))


def _blur(film: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(film, (0, 0), sigma), np.float32)
