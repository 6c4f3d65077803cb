"""Where heat lies is named as a reader names it; left and right are the patient's."""

import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_runtime.heat.map import HeatMethod, HeatView
from cxr_runtime.heat.zones import Region, heat_regions, regions_at
from cxr_runtime.placement import CellGrid, Placement

CELLS = 25
VIEW = HeatView(HeatMethod.CAM, CellGrid(2.0, 4.0), 0.3, stretch=1.0, offset=0.0)
PLACEMENT = Placement((1000, 1000), (0.0, 0.0, 1000.0, 1000.0), (100, 100))
RIGHT = ((0.15, 0.2), (0.45, 0.2), (0.45, 0.8), (0.15, 0.8))  # of the patient: on the left of the film
LEFT = ((0.55, 0.2), (0.85, 0.2), (0.85, 0.8), (0.55, 0.8))


def regions(*spots: tuple[float, float], lungs: tuple[object, ...] = (RIGHT, LEFT)) -> list[Region]:
    """The regions of heat at places of a film, as shares of its width and height; the first is strongest."""
    cells = np.zeros((CELLS, CELLS), np.float32)
    for weaker, (x, y) in enumerate(spots):
        cells[round(y * CELLS - 0.5), round(x * CELLS - 0.5)] = 0.9 - 0.1 * weaker
    return list(heat_regions(cells, PLACEMENT, VIEW, lungs))  # type: ignore[arg-type]  # outlines


@pytest.mark.parametrize(
    ("x", "y", "region"),
    [
        (0.26, 0.22, Region.RIGHT_APEX),
        (0.26, 0.34, Region.RIGHT_UPPER),
        (0.22, 0.5, Region.RIGHT_MIDDLE),
        (0.30, 0.66, Region.RIGHT_LOWER),
        (0.42, 0.46, Region.RIGHT_HILUM),
        (0.42, 0.7, Region.RIGHT_HEART),
        (0.18, 0.78, Region.RIGHT_ANGLE),
        (0.74, 0.22, Region.LEFT_APEX),
        (0.74, 0.34, Region.LEFT_UPPER),
        (0.78, 0.5, Region.LEFT_MIDDLE),
        (0.70, 0.66, Region.LEFT_LOWER),
        (0.58, 0.46, Region.LEFT_HILUM),
        (0.58, 0.7, Region.LEFT_HEART),
        (0.82, 0.78, Region.LEFT_ANGLE),
        (0.5, 0.3, Region.BETWEEN),
        (0.05, 0.5, Region.OUTSIDE),
        (0.5, 0.05, Region.OUTSIDE),
        (0.3, 0.95, Region.OUTSIDE),
    ],
)
def test_a_spot_is_in_the_region_that_a_reader_would_name(x: float, y: float, region: Region) -> None:
    assert regions((x, y)) == [region]


def test_several_spots_are_named_the_strongest_first() -> None:
    assert regions((0.74, 0.34), (0.30, 0.66)) == [Region.LEFT_UPPER, Region.RIGHT_LOWER]


def test_a_film_without_coloured_heat_or_without_lungs_names_nothing() -> None:
    assert regions() == []
    assert regions((0.3, 0.3), lungs=()) == []


def test_where_one_lung_was_found_the_other_is_taken_to_mirror_it() -> None:
    assert regions((0.74, 0.34), lungs=(RIGHT,)) == [Region.LEFT_UPPER]
    assert regions((0.26, 0.34), lungs=(LEFT,)) == [Region.RIGHT_UPPER]


def test_a_lung_in_two_parts_is_one_lung() -> None:
    upper = ((0.55, 0.2), (0.85, 0.2), (0.85, 0.5), (0.55, 0.5))
    lower = ((0.55, 0.55), (0.85, 0.55), (0.85, 0.8), (0.55, 0.8))
    assert regions((0.70, 0.66), lungs=(RIGHT, upper, lower)) == [Region.LEFT_LOWER]


def test_only_regions_with_a_share_of_the_heat_are_named() -> None:
    cells = np.full((CELLS, CELLS), 0.0, np.float32)
    cells[4:21, 3:12] = 0.9  # all of the right lung
    cells[10, 20] = 0.31  # next to nothing
    found = heat_regions(cells, PLACEMENT, VIEW, (RIGHT, LEFT))
    assert 1 < len(found) <= 4
    assert all(region.value.startswith("right") for region in found)


def plain_boxes(outlines: list[NDArray[np.float64]]) -> list[tuple[float, float, float, float]]:
    """Outer and inner border, apex and base of the right and the left lung, corner by corner."""
    middle = (min(part[:, 0].min() for part in outlines) + max(part[:, 0].max() for part in outlines)) / 2
    middle = 0.5 if len(outlines) == 1 else middle
    right = [part for part in outlines if part[:, 0].mean() < middle]
    left = [part for part in outlines if part[:, 0].mean() >= middle]
    boxes = []
    for own, other, is_left in ((right, left, False), (left, right, True)):
        corners = np.vstack(own) if own else np.vstack(other) * (-1, 1) + (2 * middle, 0)
        (low, top), (high, bottom) = corners.min(axis=0), corners.max(axis=0)
        boxes.append((high, low, top, bottom) if is_left else (low, high, top, bottom))
    return boxes


def plain_region(x: float, y: float, right: tuple[float, ...], left: tuple[float, ...]) -> Region:
    """The region of one place: the first that fits."""
    is_left = x >= (right[1] + left[1]) / 2
    outer, inner, top, bottom = left if is_left else right
    across, down = (x - outer) / (inner - outer), (y - top) / (bottom - top)
    if across < -0.15 or down < -0.08 or down > 1.1:
        return Region.OUTSIDE
    if across > 1.12:
        return Region.BETWEEN
    parts = (
        (down < 0.14, "apex"),
        (down > 0.8 and across < 0.4, "costophrenic-angle"),
        (0.3 < down < 0.6 and across > 0.6, "hilum"),
        (down > 0.55 and across > 0.7, "heart-border"),
        (down < 1 / 3, "upper-zone"),
        (down < 2 / 3, "middle-zone"),
        (True, "lower-zone"),
    )
    return Region(f"{'left' if is_left else 'right'}-{next(name for fits, name in parts if fits)}")


@pytest.mark.parametrize("seed", range(40))
def test_every_place_is_in_the_region_that_a_look_at_it_alone_gives(seed: int) -> None:
    drawn = np.random.default_rng(seed)
    parts = [drawn.random((drawn.integers(3, 50), 2)).round(4) for _ in range(drawn.integers(1, 5))]
    x, y = drawn.random((2, 200)) * 1.3 - 0.15
    outlines = [tuple((float(across), float(down)) for across, down in part) for part in parts]
    boxes = plain_boxes(parts)
    plain = tuple(plain_region(*place, *boxes) for place in zip(x.tolist(), y.tolist(), strict=True))
    assert regions_at(x, y, outlines) == plain
