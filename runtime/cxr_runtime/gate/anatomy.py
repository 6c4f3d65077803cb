"""What the lung field says against a film: no lungs on it, or no detail in them."""

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.film import GreyPixels
from cxr_runtime.gate.exposure import SIDE
from cxr_runtime.gate.reasons import BEYOND_ALL, Code, reject
from cxr_runtime.lungs import LungMask
from cxr_runtime.resizing import thumbnail

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
    found = _at_lower_edge(lungs.mask)
    if found >= MOST_AT_LOWER_EDGE:
        raise reject(
            Code.LUNGS_CUT_OFF,
            f"the lungs go on beyond the film's lower edge, over {found:.0%} of their width",
            "give a film that shows both lungs whole",
            BEYOND_ALL,
        )


def _at_lower_edge(mask: NDArray[np.bool_]) -> float:
    """Share of the lungs' width over which they reach the film's last row."""
    columns = np.flatnonzero(mask.any(axis=0))
    return float(mask[-1].sum() / (columns[-1] - columns[0] + 1))


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
