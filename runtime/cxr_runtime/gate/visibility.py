"""What can be seen on a film: its size and exposure, whole lungs with clear borders, detail in them."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.film import GreyPixels
from cxr_runtime.gate.reasons import CERTAIN, Code, Doubt, Reason, measured_size, reject
from cxr_runtime.lungs import LungMask
from cxr_runtime.lungs.mask import UNDECIDED

SHORTEST_SIDE = 100  # pixels
SIDE = 128  # rows and columns at which exposure and sharpness are measured; the smallest films have so many
# Bounds, each of the worst good film that we know, and of one at which nothing can be seen.
RANGE = (66.0, 40.0)  # grey levels between the 2nd and the 98th percentile
WHITE = (142.0, 64.0)  # grey level of the 98th percentile
BLACK = (153.0, 192.0)  # grey level of the 2nd percentile
DARK, BRIGHT = 12, 243  # grey levels below and above which a film shows nothing
LOST = (0.6, 0.8)  # share of the film that is so dark, or so bright
GREYS = (61.0, 32.0)  # levels that each fill a thousandth of a film or more
BEYOND = 1.0  # size of a doubt at a bound that no good film reaches: it is enough by itself
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


def measure(small: GreyPixels) -> Exposure:
    """Measure a film's thumbnail, (SIDE, SIDE) uint8."""
    upto = np.cumsum(np.bincount(small[MIDDLE, MIDDLE].ravel(), minlength=256)).tolist()
    low, median, high = (_percentile(upto, share) for share in (0.02, 0.5, 0.98))
    dark, bright = upto[DARK - 1], upto[-1] - upto[BRIGHT]
    return Exposure(low, median, high, dark / upto[-1], bright / upto[-1])


def _percentile(upto: list[int], share: float) -> float:
    """Grey level below which a share of the pixels lies, of how many are at each level or below it.

    It is what `np.percentile` gives, to the bit, but pixels need not be sorted.
    """
    below, part = divmod(share * (upto[-1] - 1), 1)
    level, following = bisect_right(upto, below), bisect_right(upto, below + 1)
    step = following - level
    return level + step * part if part < 0.5 else following - step * (1 - part)


def exposure_reasons(pixels: GreyPixels, small: GreyPixels) -> Iterator[Reason]:
    """What exposure and grey levels say; a blank picture is too dark or too bright by its tone.

    Args:
        pixels: (rows, columns) uint8.
        small: (SIDE, SIDE) uint8, the film's thumbnail.
    """
    seen = measure(small)
    flat, is_dark = measured_size(seen.high - seen.low, *RANGE), seen.median < 128
    dark = max(measured_size(seen.dark, *LOST), measured_size(seen.high, *WHITE), flat if is_dark else 0)
    bright = max(measured_size(seen.bright, *LOST), measured_size(seen.low, *BLACK), 0 if is_dark else flat)
    step = "make it anew, or export it with another window"
    for doubt, size, code, verdict, tone in (
        (Doubt.DARK, dark, Code.TOO_DARK, "too dark", "black"),
        (Doubt.BRIGHT, bright, Code.TOO_BRIGHT, "too bright", "white"),
    ):
        yield Reason(doubt, size, BEYOND, code, _exposed(verdict, tone, seen) if size else "", step)
    apart = max(1, min(pixels.shape) // COUNTED_SIDE)
    some = pixels[::apart, ::apart]
    greys = int(np.count_nonzero(np.bincount(some.ravel(), minlength=256) * 1000 >= some.size))
    has = "the picture has 1 grey level" if greys == 1 else f"the picture has {greys} grey levels"
    found = f"{has}; a film has {GREYS[1]:.0f} or more"
    step = "export it with all its grey levels, or with a wider window"
    yield Reason(Doubt.FEW_GREYS, measured_size(greys, *GREYS), BEYOND, Code.TOO_FEW_GREYS, found, step)


def _exposed(verdict: str, tone: str, seen: Exposure) -> str:
    levels = f"its grey levels reach from {seen.low:.0f} to {seen.high:.0f} of 255"
    lost = max(seen.dark, seen.bright)
    if lost > LOST[1]:
        return f"the film is {verdict}: {lost:.0%} of it is {tone}, {levels}"
    is_grey = seen.high >= WHITE[1] and seen.low <= BLACK[1]
    return f"the film is {'flat' if is_grey else verdict}: {levels}"


AREA = (0.065, 0.02)  # share of the film that is lung
# Where there are no lungs the lung field finds something all the same, without a clear border: a hand has
# 0.65, a hip 0.54, teeth 1.00; good films have 0.13 in the median, the vaguest 0.47.
VAGUENESS = (0.47, 0.52)  # undecided pixels for each that is lung
HEIGHT = (0.42, 0.33)  # share of the picture's height; of 3,281 good films two have less than 0.41: 0.36
EXTREME, LEAST_SHOWN = SIDE // 20, 16  # pixels of a row that may be anything, grey levels between all others
LOWER_EDGE = (0.24, 0.4)  # share of the lungs' width over which they end at the film's lower edge
SHARPNESS = (0.78, 0.66)  # blurred by 1/128 of their side, films have 0.66 at most
BLURS = (1.0, 2.0)  # standard deviations of the two blurs, in pixels at SIDE x SIDE


def lung_reasons(small: GreyPixels, lungs: LungMask) -> Iterator[Reason]:
    """What the lungs say: whether there are any, with clear borders, large enough, whole and sharp.

    Args:
        small: (SIDE, SIDE) uint8, the film's thumbnail.
        lungs: as they were found on the film.
    """
    area, vague, sharp = lungs.area, lungs.vagueness, sharpness(small, lungs)
    height, edge = share_of_height(small, lungs.mask), at_lower_edge(lungs.mask)
    no_lungs = f"no lungs were found on the film ({area:.1%} of it)"
    unclear = vague * area / max(float((lungs.soft > UNDECIDED[0]).mean()), area, 1 / lungs.soft.size)
    undecided = f"no clear lungs were found on the film: {unclear:.0%} of what may be lung is undecided"
    low = f"the lungs take up {height:.0%} of the picture's height only, as on a film of the whole body"
    cut = f"the lungs go on beyond the film's lower edge, over {edge:.0%} of their width"
    blurred = f"the film is too blurred: the detail in its lungs is {sharp:.2f}, not {SHARPNESS[0]:.2f}"
    other, both = Code.NOT_A_CHEST_FILM, "a frontal chest film shows both: have it read"
    whole, anew = "give a film that shows both lungs whole", "make it anew, or give the original file"
    for doubt, value, bounds, code, found, step in (
        (Doubt.NO_LUNGS, area, AREA, other, no_lungs, both),
        (Doubt.VAGUE_LUNGS, vague, VAGUENESS, other, undecided, both),
        (Doubt.SMALL_LUNGS, height, HEIGHT, other, low, "give the film of the chest alone"),
        (Doubt.LOWER_EDGE, edge, LOWER_EDGE, Code.LUNGS_CUT_OFF, cut, whole),
        (Doubt.BLURRED, sharp, SHARPNESS, Code.TOO_BLURRED, blurred, anew),
    ):
        yield Reason(doubt, measured_size(value, *bounds), BEYOND, code, found, step)


def share_of_height(small: GreyPixels, mask: NDArray[np.bool_]) -> float:
    """Share of a picture's height that the lungs take up, without rows above and below that show nothing.

    Args:
        small: (SIDE, SIDE) uint8, the film's thumbnail.
        mask: (h, w) bool over the whole film.
    """
    ranks = EXTREME, SIDE - 1 - EXTREME
    darkest, brightest = np.partition(small, ranks, axis=1)[:, ranks].T
    shown = np.flatnonzero(brightest.astype(np.int16) - darkest >= LEAST_SHOWN)
    rows = np.flatnonzero(mask.any(axis=1))
    if not rows.size or not shown.size:
        return 0.0
    return float((rows[-1] - rows[0] + 1) / len(mask) / ((shown[-1] - shown[0] + 1) / SIDE))


def at_lower_edge(mask: NDArray[np.bool_]) -> float:
    """Share of the lungs' width over which they reach the film's last row; 0 where there are none.

    Args:
        mask: (h, w) bool over the whole film.
    """
    columns = np.flatnonzero(mask.any(axis=0))
    return float(mask[-1].sum() / (columns[-1] - columns[0] + 1)) if columns.size else 0.0


def sharpness(small: GreyPixels, lungs: LungMask) -> float:
    """Fine detail against coarser detail in the lungs, whatever their contrast; about 1 if sharp."""
    fine = small.astype(np.float32)
    coarse, coarsest = (np.asarray(cv2.GaussianBlur(fine, (0, 0), sigma), np.float32) for sigma in BLURS)
    inside = lungs.over_film((SIDE, SIDE))
    if not inside.any():
        inside = np.ones((SIDE, SIDE), np.bool_)
    detail, form = np.abs(fine - coarse)[inside], np.abs(coarse - coarsest)[inside]
    return float(detail.mean() / max(float(form.mean()), 1e-3))
