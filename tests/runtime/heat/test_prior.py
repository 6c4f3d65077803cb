import numpy as np
import pytest

from cxr_runtime.heat.prior import LocationPrior
from cxr_runtime.placement import Box, CellGrid, Placement

GRID = CellGrid(0.5, 1.0)  # every pixel of the input is a cell
USUAL = (0.25, 0.25, 0.75, 0.75)
SIDES = ((0.5, 1.0), (0.5, 1.0))  # the right half of the frame twice as often


def on_film(
    prior: LocationPrior, film_hw: tuple[int, int], box: Box, lungs: Box | None
) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    """The prior of a film of which `box` is shown, 1:1."""
    hw = (round(box[3] - box[1]), round(box[2] - box[0]))
    return prior.on_cells(Placement(film_hw, box, hw), GRID, hw, lungs)


def test_it_moves_and_grows_with_the_lungs() -> None:
    prior = LocationPrior(SIDES, 1.0, 0.0, USUAL)
    found = on_film(prior, (100, 100), (0, 0, 100, 100), (20, 10, 60, 90))
    assert found[50, 29] == pytest.approx(0.5, abs=0.01)
    assert found[50, 50] == pytest.approx(1.0, abs=0.01)
    assert found[50, 39:41].mean() == pytest.approx(0.75)


def test_it_lies_on_the_film_whatever_part_of_it_is_shown() -> None:
    prior = LocationPrior(SIDES, 1.0, 0.1, USUAL)
    lungs = (20.0, 10.0, 60.0, 90.0)
    whole = on_film(prior, (100, 100), (0, 0, 100, 100), lungs)
    part = on_film(prior, (100, 100), (30, 20, 70, 80), lungs)
    np.testing.assert_allclose(part, whole[20:80, 30:70])


def test_beyond_its_frame_it_is_as_at_its_edge() -> None:
    prior = LocationPrior(SIDES, 1.0, 0.0, USUAL)
    found = on_film(prior, (100, 100), (0, 0, 100, 100), (40, 40, 60, 60))
    assert found[0, 0] == found[99, 40] == pytest.approx(0.5)
    assert found[0, 99] == pytest.approx(1.0)


def test_its_margin_widens_the_frame() -> None:
    narrow = LocationPrior(SIDES, 1.0, 0.0, USUAL)
    wide = LocationPrior(SIDES, 1.0, 0.5, USUAL)
    np.testing.assert_allclose(
        on_film(wide, (100, 100), (0, 0, 100, 100), (40, 40, 60, 60)),
        on_film(narrow, (100, 100), (0, 0, 100, 100), (30, 30, 70, 70)),
        rtol=1e-5,
    )


def test_where_no_lungs_are_known_it_lies_where_they_usually_are() -> None:
    prior = LocationPrior(SIDES, 2.0, 0.1, USUAL)
    unknown = on_film(prior, (80, 120), (0, 0, 120, 80), None)
    np.testing.assert_array_equal(unknown, on_film(prior, (80, 120), (0, 0, 120, 80), (30, 20, 90, 60)))
    assert unknown.max() <= 1
