"""The heat map: from conv5 activations to a map of the whole film that means the same on every film."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.placement import CellGrid, Placement

FILM_HEAT_LONG_SIDE = 256  # heat values along a film's longer side; finer than any conv5 here


class HeatMethod(StrEnum):
    """Which reading of conv5 the heat map shows."""

    CAM = "cam"  # weighted sum of all channels, the weights in the manifest
    STRONGEST_CHANNEL = "strongest-channel"  # the paper's own view (paper, III.B)


@dataclass(frozen=True)
class HeatRecipe:
    """How a model's conv5 becomes heat; part of its manifest."""

    channel_weights: tuple[float, ...]  # one a conv5 channel, towards abnormal
    bias: float  # added to the weighted sum
    gain: float  # heat = sigmoid(gain * (weighted sum + bias))
    threshold: float  # heat below this is not coloured (paper, III.B), 0..1
    cells: CellGrid  # where conv5's cells lie in the network's input
    conv5_layer: str  # name of the layer whose output, after ReLU, is conv5
    strongest_scale: float  # conv5 activation that the strongest-channel view shows as 1 (99.9th percentile)
    prior: tuple[tuple[float, ...], ...] = ()  # 0..1, on conv5's own cells: how often disease is there

    @property
    def weights(self) -> NDArray[np.float32]:
        """(C,) float32."""
        return np.array(self.channel_weights, np.float32)


def heat_cells(conv5: NDArray[np.float32], recipe: HeatRecipe, method: HeatMethod) -> NDArray[np.float32]:
    """Heat of one film on conv5's own cells.

    Args:
        conv5: (C, h, w) float32, after ReLU.
        recipe: the model's heat recipe.
        method: which reading of conv5.

    Returns:
        (h, w) float32 in 0..1.
    """
    if method is HeatMethod.STRONGEST_CHANNEL:
        strongest = conv5[int(np.argmax(conv5.max(axis=(1, 2))))]
        shown = np.clip(strongest / np.float32(recipe.strongest_scale), 0, 1)
        return np.asarray(shown, np.float32)
    evidence = np.tensordot(recipe.weights, conv5, axes=1).astype(np.float64) + recipe.bias
    heat = np.exp(-np.logaddexp(0.0, -recipe.gain * evidence))
    if recipe.prior:
        heat = heat * np.array(recipe.prior, np.float64)
    return heat.astype(np.float32)


def film_heat(cells: NDArray[np.float32], placement: Placement, recipe: HeatRecipe) -> NDArray[np.float32]:
    """Heat over the whole film, at the film's own proportions.

    Args:
        cells: (h, w) float32 in 0..1, from `heat_cells`.
        placement: the part of the film that the network was shown.
        recipe: the model's heat recipe.

    Returns:
        (h, w) float32 in 0..1, the longer side FILM_HEAT_LONG_SIDE; 0 where the network was shown nothing.
    """
    rows, columns = placement.film_hw
    scale = FILM_HEAT_LONG_SIDE / max(rows, columns)
    out_hw = max(1, round(rows * scale)), max(1, round(columns * scale))
    return placement.heat_on_film(cells, recipe.cells, out_hw)
