"""Drawn films as a batch for the network: what every self-test and every export is compared on."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.film import View
from cxr_runtime.model.preprocessing import Preprocessing, normalise, place, prepare
from cxr_runtime.phantom import OpacitySpot, draw_phantom

PHANTOMS = 8
DRAWN_HW = (256, 256)


def phantom_batch(how: Preprocessing, count: int = PHANTOMS) -> NDArray[np.float32]:
    """Draw films, every second one with an opacity, and prepare them whole.

    Args:
        how: the model's preprocessing.
        count: number of films.

    Returns:
        (count, 3, H, W) float32, normalised, C-contiguous; the same for the same arguments.
    """
    return normalise(phantom_inputs(how, count), how)


def phantom_inputs(how: Preprocessing, count: int = PHANTOMS) -> NDArray[np.uint8]:
    """The same films before normalisation, (count, H, W) uint8."""
    placement = place(DRAWN_HW, None, how)
    return np.stack([prepare(_draw(seed), placement, how) for seed in range(count)])


@cache
def _draw(seed: int) -> NDArray[np.uint8]:
    spot = OpacitySpot(0.3 + 0.05 * (seed % 3), 0.35 + 0.06 * (seed % 4)) if seed % 2 else None
    view = View.AP if seed % 4 > 1 else View.PA
    return draw_phantom(seed, hw=DRAWN_HW, opacity=spot, view=view, male=seed % 3 > 0)
