"""The heat map: from conv5 activations to a map of the whole film that means the same on every film."""

from dataclasses import dataclass
from enum import StrEnum
from math import exp, log

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.errors import UsageError
from cxr_runtime.logits import sigmoid
from cxr_runtime.placement import Box, CellGrid, Placement

MOST_POWER, MOST_SHARES = 100.0, 1 << 20  # of a location prior
MOST_BLUR = 100.0  # cells


@dataclass(frozen=True)
class LocationPrior:
    """A map in the frame of the lungs: the box around both, larger by `margin` on each side."""

    shares: tuple[tuple[float, ...], ...]  # how often disease is there, 1 where most often; above 0
    weight: float  # power it is raised to before it multiplies heat
    margin: float  # share of the box's width and height
    usual_lungs_share_xyxy: Box  # shares of the film's sides; stands in where a film's lungs are not known

    def __post_init__(self) -> None:
        """Refuse what is no map.

        Raises:
            ValueError: the rows have different lengths, or a share, the weight or the margin is out of range.
        """
        if len({len(row) for row in self.shares}) != 1 or not self.shares[0]:
            raise ValueError("the rows of the location prior have no length, or different ones")
        if not all(0 <= share <= 1 for row in self.shares for share in row):
            raise ValueError("a share of the location prior is not within 0..1")
        if not (0 <= self.weight <= MOST_POWER and 0 <= self.margin <= MOST_POWER):
            raise ValueError(f"the weight or margin of the location prior is not within 0..{MOST_POWER}")
        if len(self.shares) * len(self.shares[0]) > MOST_SHARES:
            raise ValueError(f"the location prior has more than {MOST_SHARES} shares")

    def on_cells(
        self, placement: Placement, cells: CellGrid, hw: tuple[int, int], lungs_film_xyxy: Box | None
    ) -> NDArray[np.float64]:
        """The prior of one film on its heat cells.

        Args:
            placement: the part of the film that the network was shown.
            cells: where the cells lie in the network's input.
            hw: rows and columns of cells.
            lungs_film_xyxy: box around both lungs in film pixels; None: taken to be where lungs usually are.

        Returns:
            (h, w) float64, 1 where disease is most often, less elsewhere; beyond the frame as at its edge.
        """
        rows, columns = placement.film_hw
        usual = self.usual_lungs_share_xyxy
        lungs = lungs_film_xyxy or (usual[0] * columns, usual[1] * rows, usual[2] * columns, usual[3] * rows)
        shares = np.array(self.shares, np.float32)
        y, x = (
            self._places(_centres(placement, cells, axis, hw[axis]), lungs, axis, shares.shape[axis])
            for axis in (0, 1)
        )
        map_x, map_y = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
        found = cv2.remap(shares, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(found, np.float64) ** self.weight

    def _places(self, film: NDArray[np.float64], lungs: Box, axis: int, count: int) -> NDArray[np.float64]:
        """Film pixels along one axis, counted in places of `shares`."""
        low, high = lungs[1 - axis], lungs[3 - axis]
        side = (high - low) * (1 + 2 * self.margin)
        return (film - low + self.margin * (high - low)) / side * count - 0.5


def _centres(placement: Placement, cells: CellGrid, axis: int, count: int) -> NDArray[np.float64]:
    """Centres of the heat cells along one axis, in film pixels."""
    low, high = placement.box_film_xyxy[1 - axis], placement.box_film_xyxy[3 - axis]
    return low + (cells.origin + cells.stride * np.arange(count)) / placement.input_hw[axis] * (high - low)


MOST = np.float32(1 - 1e-6)  # heat nearer to 1 has the log odds of this
MOST_LOG_ODDS = 88.0  # of heat as it is shown; e to the power of more is no float32
FILM_HEAT_LONG_SIDE = 256  # heat values along a film's longer side; finer than any conv5 here


class HeatMethod(StrEnum):
    """Which reading of conv5 the heat map shows."""

    CAM = "cam"  # weighted sum of all channels, the weights in the manifest
    STRONGEST_CHANNEL = "strongest-channel"  # the paper's own view (paper, III.B)


@dataclass(frozen=True)
class HeatView:
    """How heat on conv5's cells becomes the heat that is shown over a film."""

    method: HeatMethod
    cells: CellGrid  # where the cells lie in the network's input
    threshold: float  # heat below this is not coloured (paper, III.B), 0..1
    stretch: float  # colour range: the log odds of heat are multiplied by this, above 0, ...
    offset: float  # ... and this is added, so that red means the same on every film


@dataclass(frozen=True)
class HeatRecipe:
    """How a model's conv5 becomes heat; part of its manifest."""

    channel_weights: tuple[float, ...]  # one a conv5 channel, towards abnormal
    bias: float  # added to the weighted sum
    gain: float  # heat = blur(sigmoid(gain * (weighted sum + bias))) * prior, brought into the colour range
    threshold: float  # heat below this is not coloured (paper, III.B), 0..1
    cells: CellGrid  # where conv5's cells lie in the network's input
    conv5_layer: str  # name of the layer whose output is conv5
    strongest_scale: float  # conv5 activation that the strongest-channel view shows as 1 (99.9th percentile)
    prior: LocationPrior | None = None  # where in the lungs disease is usually found; multiplies heat
    stretch: float = 1.0  # colour range: the log odds of heat are multiplied by this, above 0, ...
    offset: float = 0.0  # ... and this is added, so that red means the same on every film
    strongest_threshold: float = 0.5  # as `threshold`, of the strongest-channel view
    smoothing: float = 0.0  # standard deviation of the blur, in cells; 0: none
    is_rectified: bool = True  # conv5 is behind a ReLU; if not, one channel by itself shows nothing

    def __post_init__(self) -> None:
        """Refuse what makes no heat.

        Raises:
            ValueError: a number is not finite, a threshold is not within 0..1, or the stretch, the blur or
                the colour range is out of range.
        """
        numbers = (*self.channel_weights, self.bias, self.gain, self.offset, self.strongest_scale)
        if not self.channel_weights or not np.isfinite(numbers).all():
            raise ValueError("a weight of the heat map is not a finite number, or there are none")
        if not (0 <= self.threshold <= 1 and 0 <= self.strongest_threshold <= 1):
            raise ValueError("a threshold of the heat map is not within 0..1")
        if not (0 < self.stretch < np.inf and 0 <= self.smoothing <= MOST_BLUR):
            raise ValueError(f"the stretch of the heat map is not above 0, or its blur not in 0..{MOST_BLUR}")
        if max(self.offset, self.stretch * log(MOST / (1 - MOST)) + self.offset) > MOST_LOG_ODDS:
            raise ValueError("the colour range of the heat map is too steep")
        if not (0 < self.cells.stride < np.inf and abs(self.cells.origin) < np.inf):
            raise ValueError("the heat cells lie in no place")

    def view(self, method: HeatMethod) -> HeatView:
        """How heat made by a method is shown; only that of the CAM has a colour range of its own.

        Raises:
            UsageError: the model has no such view.
        """
        if method is HeatMethod.CAM:
            return HeatView(method, self.cells, self.threshold, self.stretch, self.offset)
        if not self.is_rectified:
            raise UsageError(
                f"this model has no view {method}: no ReLU stands behind its last convolution, so a single "
                f"channel shows no disease; expected --heat {HeatMethod.CAM}, or a model of another network"
            )
        return HeatView(method, self.cells, self.strongest_threshold, stretch=1.0, offset=0.0)


def heat_cells(
    conv5: NDArray[np.float32],
    recipe: HeatRecipe,
    method: HeatMethod,
    placement: Placement,
    lungs_film_xyxy: Box | None,
) -> NDArray[np.float32]:
    """Heat of one film on conv5's own cells, before its colour range.

    Args:
        conv5: (C, h, w) float32.
        recipe: the model's heat recipe.
        method: which reading of conv5.
        placement: the part of the film that the network was shown.
        lungs_film_xyxy: box around both lungs in film pixels, where the location prior lies; None where it is
            not known: the prior then lies where lungs usually are.

    Returns:
        (h, w) float32 in 0..1.
    """
    if method is HeatMethod.STRONGEST_CHANNEL:
        strongest = conv5[int(np.argmax(conv5.max(axis=(1, 2))))]
        shown = np.clip(strongest / np.float32(recipe.strongest_scale), 0, 1)
        return np.asarray(shown, np.float32)
    weighted = np.tensordot(np.array(recipe.channel_weights, np.float32), conv5, axes=1).astype(np.float64)
    heat = sigmoid(recipe.gain * (weighted + recipe.bias))
    if recipe.smoothing > 0:
        heat = np.asarray(cv2.GaussianBlur(heat, (0, 0), recipe.smoothing, borderType=cv2.BORDER_REPLICATE))
    if recipe.prior is not None:
        heat = heat * recipe.prior.on_cells(placement, recipe.cells, conv5.shape[1:], lungs_film_xyxy)
    return heat.astype(np.float32)


def film_heat(cells: NDArray[np.float32], placement: Placement, view: HeatView) -> NDArray[np.float32]:
    """Heat over the whole film, at the film's own proportions and in its colour range.

    Args:
        cells: (h, w) float32 in 0..1, from `heat_cells`.
        placement: the part of the film that the network was shown.
        view: of the method that the cells were made by.

    Returns:
        (h, w) float32 in 0..1, the longer side FILM_HEAT_LONG_SIDE; 0 where the network was shown nothing.
    """
    rows, columns = placement.film_hw
    scale = FILM_HEAT_LONG_SIDE / max(rows, columns)
    out_hw = max(1, round(rows * scale)), max(1, round(columns * scale))
    return in_colour_range(placement.heat_on_film(cells, view.cells, out_hw), view)


def in_colour_range(heat: NDArray[np.float32], view: HeatView) -> NDArray[np.float32]:
    """Heat as it is shown; (h, w) float32 in 0..1 in and out, in the same order, 0 stays 0.

    It is done after heat is laid over the film: between cells that are all red nothing could be told apart.
    """
    if (view.stretch, view.offset) == (1.0, 0.0):
        return heat
    shown = np.zeros_like(heat)
    left, top, width, height = cv2.boundingRect((heat > 0).view(np.uint8))
    if width:  # where the film was not shown heat is 0, and the powers of 0 take ten times as long as others
        part = slice(top, top + height), slice(left, left + width)
        below = np.minimum(heat[part], MOST)
        odds = cv2.pow(below / (1 - below), view.stretch) * np.float32(exp(view.offset))
        shown[part] = odds / (1 + odds)
    return shown
