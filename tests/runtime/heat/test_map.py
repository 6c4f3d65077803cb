from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_runtime.errors import UsageError
from cxr_runtime.heat.map import (
    FILM_HEAT_LONG_SIDE,
    HeatMethod,
    HeatRecipe,
    LocationPrior,
    film_heat,
    heat_cells,
    in_colour_range,
)
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


RECIPE = HeatRecipe(
    channel_weights=(1.0, -1.0),
    bias=-0.5,
    gain=2.0,
    threshold=0.5,
    cells=CellGrid(origin=8.0, stride=16.0),
    conv5_layer="conv5",
    strongest_scale=4.0,
)
WHOLE = Placement((32, 32), (0, 0, 32, 32), (32, 32))
CONV5 = np.array([[[0.5, 3.0], [0.0, 1.0]], [[0.0, 0.0], [2.0, 1.0]]], np.float32)


def cam(conv5: NDArray[np.float32], recipe: HeatRecipe, lungs: Box | None = None) -> NDArray[np.float32]:
    return heat_cells(conv5, recipe, HeatMethod.CAM, WHOLE, lungs)


def test_cam_is_the_sigmoid_of_the_weighted_channels() -> None:
    evidence = CONV5[0] - CONV5[1] - 0.5
    expected = 1 / (1 + np.exp(-2 * evidence))
    np.testing.assert_allclose(cam(CONV5, RECIPE), expected, rtol=1e-6)


def test_a_prior_multiplies_the_cam_where_the_lungs_are() -> None:
    prior = LocationPrior(((1.0, 0.25), (0.25, 0.25)), 2.0, 0.0, (0.0, 0.0, 1.0, 1.0))
    plain = cam(CONV5, RECIPE)
    weighed = cam(CONV5, replace(RECIPE, prior=prior), (0, 0, 32, 32))
    np.testing.assert_allclose(weighed, plain * [[1.0, 1 / 16], [1 / 16, 1 / 16]], rtol=1e-6)
    lower_right = cam(CONV5, replace(RECIPE, prior=prior), (16, 16, 64, 64))
    np.testing.assert_allclose(lower_right[1, 1], plain[1, 1], rtol=1e-6)


def test_smoothing_shares_heat_with_the_neighbours_and_keeps_its_sum() -> None:
    conv5 = np.full((2, 11, 11), -20, np.float32)
    conv5[0, 5, 5], conv5[1] = 20, 0
    plain, smooth = cam(conv5, RECIPE), cam(conv5, replace(RECIPE, smoothing=0.9))
    assert plain[5, 5] > 0.999
    assert smooth[5, 5] > smooth[5, 6] > smooth[5, 7] > 0
    np.testing.assert_allclose(smooth.sum(), plain.sum(), rtol=1e-5)


def test_the_colour_range_keeps_the_order_and_shows_nothing_as_nothing() -> None:
    heat = np.array([[0.0, 0.1, 0.4], [0.7, 0.99, 1.0]], np.float32)
    shown = in_colour_range(heat, replace(RECIPE, stretch=2.0, offset=1.0).view(HeatMethod.CAM))
    assert shown[0, 0] == 0
    assert (np.diff(shown.ravel()) > 0).all()
    odds = np.log(heat[0, 1:] / (1 - heat[0, 1:])) * 2 + 1
    np.testing.assert_allclose(shown[0, 1:], 1 / (1 + np.exp(-odds)), rtol=1e-5)
    assert np.isfinite(shown).all()
    assert shown.max() <= 1


def test_the_strongest_channel_has_a_threshold_and_no_colour_range_of_its_own() -> None:
    recipe = replace(RECIPE, stretch=2.0, strongest_threshold=0.3)
    view = recipe.view(HeatMethod.STRONGEST_CHANNEL)
    assert (recipe.view(HeatMethod.CAM).threshold, view.threshold) == (0.5, 0.3)
    cells = heat_cells(CONV5, recipe, HeatMethod.STRONGEST_CHANNEL, WHOLE, None)
    as_shown = film_heat(cells, WHOLE, view)
    assert as_shown.max() == cells.max()


def test_a_network_whose_channels_are_not_rectified_has_no_strongest_one() -> None:
    recipe = replace(RECIPE, is_rectified=False)
    assert recipe.view(HeatMethod.CAM).method is HeatMethod.CAM
    with pytest.raises(UsageError, match="--heat cam"):
        recipe.view(HeatMethod.STRONGEST_CHANNEL)


def test_the_strongest_channel_is_shown_on_the_manifest_s_scale() -> None:
    heat = heat_cells(CONV5, RECIPE, HeatMethod.STRONGEST_CHANNEL, WHOLE, None)
    np.testing.assert_allclose(heat, CONV5[0] / 4)


def test_extreme_activations_stay_finite_and_in_range() -> None:
    conv5 = np.zeros((2, 2, 2), np.float32)
    conv5[0] = 1e30
    heat = cam(conv5, RECIPE)
    assert np.isfinite(heat).all()
    assert heat.max() <= 1


@pytest.mark.parametrize("film_hw", [(512, 512), (2500, 2048), (100, 1000)])
def test_film_heat_has_the_film_s_proportions(film_hw: tuple[int, int]) -> None:
    placement = Placement(film_hw, (0, 0, film_hw[1], film_hw[0]), (32, 32))
    heat = film_heat(cam(CONV5, RECIPE), placement, RECIPE.view(HeatMethod.CAM))
    assert max(heat.shape) == FILM_HEAT_LONG_SIDE
    assert heat.shape[0] / heat.shape[1] == pytest.approx(film_hw[0] / film_hw[1], rel=0.05)


@pytest.mark.parametrize("box", [(0, 0, 90, 120), (31, -5, 80, 77), (95, 10, 120, 30)])
def test_the_colour_range_is_that_of_the_whole_film_though_a_part_was_shown(box: Box) -> None:
    view = replace(RECIPE, stretch=1.7, offset=0.9).view(HeatMethod.CAM)
    placement = Placement((120, 90), box, (32, 32))
    cells = cam(CONV5, RECIPE)
    heat = film_heat(cells, placement, view)
    laid = placement.heat_on_film(cells, view.cells, (heat.shape[0], heat.shape[1]))
    np.testing.assert_array_equal(heat, in_colour_range(laid, view))


@pytest.mark.parametrize("box", [(0, 0, 200, 200), (20, 40, 180, 200)])
def test_even_activations_are_hottest_where_disease_is_usual_in_this_film_s_lungs(box: Box) -> None:
    lower_left = LocationPrior(((0.1, 0.1), (1.0, 0.1)), 1.0, 0.0, (0.2, 0.2, 0.8, 0.8))
    recipe = replace(RECIPE, cells=CellGrid(2.0, 4.0), prior=lower_left, stretch=1.5, offset=0.5)
    placement = Placement((200, 200), box, (64, 64))
    cells = heat_cells(
        np.ones((2, 16, 16), np.float32), recipe, HeatMethod.CAM, placement, (60, 60, 140, 160)
    )
    heat = film_heat(cells, placement, recipe.view(HeatMethod.CAM))
    y, x = np.argwhere(heat >= 0.999 * heat.max()).mean(axis=0) / 256 * 200
    assert x < 100
    assert y > 110
