"""Where the heat of a film lies, as a reader names it: lung zones, hila, apices, angles, heart borders.

Left and right are the patient's: on a frontal film the patient's right lung is on the left of the picture. A
lung is measured by the box around its outline; across it counts from its outer border (0) to its inner border
(1), down from its apex (0) to its base (1).
"""

from collections.abc import Sequence
from enum import StrEnum
from itertools import chain, compress

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.heat.map import HeatView, in_colour_range
from cxr_runtime.placement import Outline, Placement

LEAST_SHARE = 0.1  # of a film's heat in a region that is named; the one with the most always is
ENOUGH_SHARE = 0.75  # of the heat lies in the regions that are named so far: no more is needed
MOST_NAMED = 4  # regions
_APEX = 0.14  # down to here
_ZONES = (1 / 3, 2 / 3)  # down: borders between the upper, middle and lower zone
_HILUM_DOWN, _HILUM_ACROSS = (0.3, 0.6), 0.6
_HEART_DOWN, _HEART_ACROSS = 0.55, 0.7
_ANGLE_DOWN, _ANGLE_ACROSS = 0.8, 0.4  # costophrenic
_BETWEEN = 1.12  # across: beyond it lies the mediastinum
_AROUND = (-0.15, -0.08, 1.1)  # across, and down above and below: beyond them lies no lung


class Region(StrEnum):
    """A part of the film."""

    RIGHT_APEX = "right-apex"
    RIGHT_UPPER = "right-upper-zone"
    RIGHT_MIDDLE = "right-middle-zone"
    RIGHT_LOWER = "right-lower-zone"
    RIGHT_HILUM = "right-hilum"
    RIGHT_HEART = "right-heart-border"
    RIGHT_ANGLE = "right-costophrenic-angle"
    LEFT_APEX = "left-apex"
    LEFT_UPPER = "left-upper-zone"
    LEFT_MIDDLE = "left-middle-zone"
    LEFT_LOWER = "left-lower-zone"
    LEFT_HILUM = "left-hilum"
    LEFT_HEART = "left-heart-border"
    LEFT_ANGLE = "left-costophrenic-angle"
    BETWEEN = "between-the-lungs"
    OUTSIDE = "outside-the-lungs"


_OF_A_LUNG = 7  # regions, in the order above


def heat_regions(
    cells: NDArray[np.float32], placement: Placement, view: HeatView, outlines: Sequence[Outline]
) -> tuple[Region, ...]:
    """The regions in which the coloured heat lies, the one with the most first.

    Args:
        cells: (h, w) float32 in 0..1, from `heat_cells`.
        placement: the part of the film that the network was shown.
        view: how heat is shown.
        outlines: one polygon a lung.

    Returns:
        MOST_NAMED at most; none where no heat is coloured, or the lungs are not known.
    """
    shown = in_colour_range(cells, view)
    rows, columns = np.nonzero(shown >= view.threshold)
    boxes = _boxes(outlines) if len(rows) else None
    if boxes is None:
        return ()
    y, x = (_on_film(at, placement, view, axis) for axis, at in ((0, rows), (1, columns)))
    numbers = _numbers(x, y, *boxes)
    heat = (shown[rows, columns] - view.threshold).astype(np.float64) + 1e-6
    shares = np.bincount(numbers, heat, len(Region)) / heat.sum()
    order = np.argsort(-shares, kind="stable")[:MOST_NAMED]
    before = np.cumsum(shares[order]) - shares[order]
    is_named = (shares[order] >= LEAST_SHARE) & (before < ENOUGH_SHARE)
    is_named[0] = True
    return tuple(list(Region)[int(place)] for place in order[is_named])


def regions_at(
    x: NDArray[np.float64], y: NDArray[np.float64], outlines: Sequence[Outline]
) -> tuple[Region, ...]:
    """The region of each of many places, given as shares of the film; none where the lungs are not known."""
    boxes = _boxes(outlines)
    return () if boxes is None else tuple(list(Region)[int(place)] for place in _numbers(x, y, *boxes))


_Box = tuple[float, float, float, float]  # outer and inner border across, apex and base down; film shares
_Extent = tuple[float, float, float, float]  # lowest and highest across, highest and lowest down; film shares


def _boxes(outlines: Sequence[Outline]) -> tuple[_Box, _Box] | None:
    """The boxes of the patient's right and left lung; one that was not found mirrors the other."""
    parts = [tuple(zip(*outline, strict=True)) for outline in outlines if len(outline) > 2]
    if not parts:
        return None
    middle = (min(min(x) for x, _y in parts) + max(max(x) for x, _y in parts)) / 2
    if len(parts) == 1:
        middle = 0.5
    is_right = [np.mean(x) < middle for x, _y in parts]
    right, left = (_extent(list(compress(parts, of))) for of in (is_right, np.logical_not(is_right)))
    return _box(right, left, middle, on_left=False), _box(left, right, middle, on_left=True)


def _extent(parts: Sequence[tuple[tuple[float, ...], ...]]) -> _Extent | None:
    """How far a lung reaches, given the x and the y of each of its parts."""
    if not parts:
        return None
    x, y = (tuple(chain.from_iterable(along)) for along in zip(*parts, strict=True))
    return min(x), max(x), min(y), max(y)


def _box(lung: _Extent | None, other: _Extent | None, middle: float, *, on_left: bool) -> _Box:
    if lung is None:
        assert other is not None
        low, high, top, bottom = other
        lung = 2 * middle - high, 2 * middle - low, top, bottom
    low, high, top, bottom = lung
    return (high, low, top, bottom) if on_left else (low, high, top, bottom)


def _on_film(at: NDArray[np.intp], placement: Placement, view: HeatView, axis: int) -> NDArray[np.float64]:
    """Centres of cells along one axis, as shares of the film."""
    low, high = placement.box_film_xyxy[1 - axis], placement.box_film_xyxy[3 - axis]
    inputs = view.cells.origin + view.cells.stride * at
    return (low + inputs / placement.input_hw[axis] * (high - low)) / placement.film_hw[axis]


def _numbers(x: NDArray[np.float64], y: NDArray[np.float64], right: _Box, left: _Box) -> NDArray[np.intp]:
    """The place of each cell's region among all."""
    is_left = x >= (right[1] + left[1]) / 2
    outer, inner, top, bottom = (
        np.where(is_left, of_left, of_right) for of_right, of_left in zip(right, left, strict=True)
    )
    across, down = (x - outer) / (inner - outer), (y - top) / (bottom - top)
    apex, upper, middle, lower, hilum, heart, angle = range(_OF_A_LUNG)
    regions = np.full(x.shape, lower)
    for region, is_there in (  # the last that holds counts
        (middle, down < _ZONES[1]),
        (upper, down < _ZONES[0]),
        (heart, (down > _HEART_DOWN) & (across > _HEART_ACROSS)),
        (hilum, (down > _HILUM_DOWN[0]) & (down < _HILUM_DOWN[1]) & (across > _HILUM_ACROSS)),
        (angle, (down > _ANGLE_DOWN) & (across < _ANGLE_ACROSS)),
        (apex, down < _APEX),
    ):
        regions[is_there] = region
    regions = regions + _OF_A_LUNG * is_left
    outside = (across < _AROUND[0]) | (down < _AROUND[1]) | (down > _AROUND[2])
    between = (across > _BETWEEN) & ~outside
    last = len(Region) - 1
    return np.asarray(np.where(outside, last, np.where(between, last - 1, regions)), np.intp)
