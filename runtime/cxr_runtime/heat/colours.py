"""The colours of heat: scales in discrete steps, their legend, and the palette of a layer over a film."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.presentation import Colours

COLOUR_STEPS = 8  # discrete colours between the threshold and 1
OPACITY_SPAN = (0.3, 0.55)  # share of colour in a pixel of the weakest and strongest step; the rest is film
JET_SPAN = (0.125, 0.875)  # jet from its pure blue to its bright red; the dark ends say nothing on a film
# Inferno (matplotlib, CC0) at eight places of equal distance, from 0.2: below, it is as black as film.
INFERNO = (
    (66, 10, 104), (106, 23, 110), (147, 38, 103), (188, 55, 84),
    (221, 81, 58), (243, 120, 25), (252, 165, 10), (246, 215, 70),
)  # fmt: skip
LINE, MARK = COLOUR_STEPS + 1, COLOUR_STEPS + 2  # entries of the palette behind the steps
LINE_RGB, MARK_RGB = (0, 0, 0), (255, 255, 255)
NOT_DRAWN = "heat threshold {!r} cannot be drawn; expected 0 or more and less than 1"
LINE_OPACITY, MARK_OPACITY = 0.85, 1.0


@dataclass(frozen=True)
class ColourStep:
    """One entry of the colour legend."""

    low: float  # heat at or above which this colour is shown, 0..1
    high: float  # heat below which it is shown; the last step includes it
    rgb: tuple[int, int, int]  # the opaque colour, 0..255 each
    line: int  # weight of the contour line around it, 0: none


# Contour lines stand around these steps, and grow heavier: the cue of those who see no colours.
LINE_WEIGHTS = {3: 1, 5: 2, 7: 3}


def legend(threshold: float, colours: Colours = Colours.JET) -> tuple[ColourStep, ...]:
    """The colours from the threshold up to 1, weakest first.

    Raises:
        ValueError: the threshold is outside 0..1, or 1.
    """
    if not 0 <= threshold < 1:
        raise ValueError(NOT_DRAWN.format(threshold))
    edges = np.linspace(threshold, 1.0, COLOUR_STEPS + 1).tolist()
    return tuple(
        ColourStep(low, high, (rgb[0], rgb[1], rgb[2]), LINE_WEIGHTS.get(number, 0))
        for number, (low, high, rgb) in enumerate(
            zip(edges[:-1], edges[1:], step_colours(colours)[1:].tolist(), strict=True), start=1
        )
    )


def step_colours(colours: Colours = Colours.JET) -> NDArray[np.uint8]:
    """The opaque colour of each step: (COLOUR_STEPS + 1, 3) uint8 RGB; step 0 is black, not to be drawn."""
    if colours is Colours.INFERNO:
        scale = np.array(INFERNO, np.float64)
    else:
        at = np.linspace(*JET_SPAN, COLOUR_STEPS)[:, None]
        peaks = np.array([0.75, 0.5, 0.25])  # of red, green and blue in jet
        scale = np.rint(255 * np.clip(1.5 - np.abs(4 * (at - peaks)), 0, 1))
    return np.vstack([np.zeros((1, 3)), scale]).astype(np.uint8)


def step_opacities() -> NDArray[np.float64]:
    """How much each step covers of the film: (COLOUR_STEPS + 1,) float64 in 0..1; step 0 is transparent."""
    return np.concatenate([[0.0], np.linspace(*OPACITY_SPAN, COLOUR_STEPS)])


@cache
def palette(colours: Colours = Colours.JET) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """All that is laid over a film: (COLOUR_STEPS + 3, 3) uint8 RGB, and how much each covers, 0..1."""
    rgb = np.vstack([step_colours(colours), [LINE_RGB, MARK_RGB]]).astype(np.uint8)
    return rgb, np.concatenate([step_opacities(), [LINE_OPACITY, MARK_OPACITY]])
