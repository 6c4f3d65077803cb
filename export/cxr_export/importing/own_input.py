"""Is the stated preprocessing the source's own? Both prepare the same drawn films."""

from dataclasses import dataclass

import numpy as np

from cxr_export.importing.kinds import OwnInput
from cxr_runtime.model.preprocessing import Preprocessing, normalise, place, prepare
from cxr_runtime.phantom import OpacitySpot, draw_phantom

FILMS_HW = ((512, 512), (512, 430), (430, 512), (1200, 1000))
GREYS = 255  # levels between black and white
MOST_ON_AVERAGE = 3.0  # grey levels; two ways to shrink a film differ by less, another crop or range by more


@dataclass(frozen=True)
class InputDifference:
    """How far our input of a film lies from the source's own, in grey levels of 0..255."""

    average: float
    largest: float

    @property
    def is_the_same(self) -> bool:
        """Whether only the way of shrinking differs."""
        return self.average <= MOST_ON_AVERAGE

    def as_numbers(self) -> dict[str, float]:
        """For the manifest."""
        return {"input_average_grey_levels": self.average, "input_largest_grey_levels": self.largest}


def compare_inputs(own: OwnInput, how: Preprocessing, channels: int) -> InputDifference:
    """Prepare drawn films of several proportions in both ways.

    Args:
        own: the source's code.
        how: the preprocessing that the model folder states.
        channels: of the network's input.
    """
    spread = np.array(how.std[:channels], np.float32)[:, None, None] * GREYS
    differences = []
    for seed, hw in enumerate(FILMS_HW):
        film = draw_phantom(seed, hw=hw, opacity=OpacitySpot(0.3, 0.4) if seed % 2 else None)
        ours = normalise(prepare(film, place(hw, None, how), how)[None], how)[0, :channels]
        differences.append(np.abs(own(film) - ours) * spread)
    every = np.concatenate([difference.ravel() for difference in differences])
    return InputDifference(float(every.mean()), float(every.max()))
