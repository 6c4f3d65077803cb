import numpy as np
import pytest

from cxr_runtime.heat import FILM_HEAT_LONG_SIDE, HeatMethod, HeatRecipe, film_heat, heat_cells
from cxr_runtime.placement import CellGrid, Placement

RECIPE = HeatRecipe(
    channel_weights=(1.0, -1.0),
    bias=-0.5,
    gain=2.0,
    threshold=0.5,
    cells=CellGrid(origin=8.0, stride=16.0),
    conv5_layer="conv5",
    strongest_scale=4.0,
)
CONV5 = np.array([[[0.5, 3.0], [0.0, 1.0]], [[0.0, 0.0], [2.0, 1.0]]], np.float32)


def test_cam_is_the_sigmoid_of_the_weighted_channels() -> None:
    evidence = CONV5[0] - CONV5[1] - 0.5
    expected = 1 / (1 + np.exp(-2 * evidence))
    np.testing.assert_allclose(heat_cells(CONV5, RECIPE, HeatMethod.CAM), expected, rtol=1e-6)


def test_a_prior_weighs_the_cam() -> None:
    recipe = HeatRecipe(**{**vars(RECIPE), "prior": ((1.0, 0.5), (0.25, 0.0))})
    plain = heat_cells(CONV5, RECIPE, HeatMethod.CAM)
    weighed = heat_cells(CONV5, recipe, HeatMethod.CAM)
    np.testing.assert_allclose(weighed, plain * [[1.0, 0.5], [0.25, 0.0]], rtol=1e-6)


def test_the_strongest_channel_is_shown_on_the_manifest_s_scale() -> None:
    heat = heat_cells(CONV5, RECIPE, HeatMethod.STRONGEST_CHANNEL)
    np.testing.assert_allclose(heat, CONV5[0] / 4)


def test_extreme_activations_stay_finite_and_in_range() -> None:
    conv5 = np.zeros((2, 2, 2), np.float32)
    conv5[0] = 1e30
    heat = heat_cells(conv5, RECIPE, HeatMethod.CAM)
    assert np.isfinite(heat).all()
    assert heat.max() <= 1


@pytest.mark.parametrize("film_hw", [(512, 512), (2500, 2048), (100, 1000)])
def test_film_heat_has_the_film_s_proportions(film_hw: tuple[int, int]) -> None:
    placement = Placement(film_hw, (0, 0, film_hw[1], film_hw[0]), (32, 32))
    heat = film_heat(heat_cells(CONV5, RECIPE, HeatMethod.CAM), placement, RECIPE)
    assert max(heat.shape) == FILM_HEAT_LONG_SIDE
    assert heat.shape[0] / heat.shape[1] == pytest.approx(film_hw[0] / film_hw[1], rel=0.05)
