import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_calibration.fit.heat_range import RED_SHOWN, HeatRange, fit_heat_range, recipe_with
from cxr_calibration.statistics.intervals import UNKNOWN
from cxr_runtime.heat.map import HeatMethod, HeatRecipe, in_colour_range
from cxr_runtime.placement import CellGrid

CAM = HeatMethod.CAM


def _films(number: int = 40, noise: float = 0.03) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Boxes of 4 x 4 of 14 x 14 cells; heat 0.6 in them, 0.2 elsewhere, and noise."""
    random = np.random.default_rng(0)
    inside = np.zeros((number, 14, 14), np.bool_)
    for film in inside:
        row, column = random.integers(0, 10, size=2)
        film[row : row + 4, column : column + 4] = True
    heat = np.where(inside, 0.6, 0.2) + random.normal(0, noise, inside.shape)
    return np.clip(heat, 0, 1).astype(np.float32), inside


def _patients(number: int) -> NDArray[np.str_]:
    return (np.arange(number) // 2).astype(np.str_)


def test_the_threshold_parts_boxes_from_the_rest() -> None:
    heat, inside = _films()
    fitted = fit_heat_range(heat, inside, np.ones_like(inside), _patients(40))
    assert 0.3 < fitted.threshold < 0.5
    assert fitted.red == pytest.approx(0.6 + 1.645 * 0.03, abs=0.01)
    assert fitted.overlap.low > 0.98
    assert fitted.red_in_box.value == 1


def test_heat_that_knows_nothing_of_boxes_is_measured_as_such() -> None:
    heat, inside = _films()
    blind = np.random.default_rng(1).permutation(heat.ravel()).reshape(heat.shape)
    fitted = fit_heat_range(blind, inside, np.ones_like(inside), _patients(40))
    assert fitted.coloured_in_box.value == pytest.approx(16 / 196, abs=0.03)
    assert fitted.overlap.value < 0.12


def test_overlap_is_measured_on_patients_that_had_no_part_in_the_threshold() -> None:
    heat, inside = _films(noise=0.5)
    fitted = fit_heat_range(heat, inside, np.ones_like(inside), _patients(40))
    best = max(
        np.mean([(h >= t)[i].sum() / ((h >= t) | i).sum() for h, i in zip(heat, inside, strict=True)])
        for t in np.arange(2, 99) / 100
    )
    assert fitted.overlap.value < best


def test_cells_of_which_nothing_is_known_do_not_count() -> None:
    heat, inside = _films()
    known = np.ones_like(inside)
    known[:, :, 10:] = False
    seen = (inside & known).any(axis=(1, 2))
    hot = np.where(known, heat, np.float32(1.0))[seen]
    fitted = fit_heat_range(hot, inside[seen], known[seen], _patients(40)[seen])
    assert fitted.overlap.low > 0.95


def test_the_curve_of_found_cells_falls_as_the_threshold_rises() -> None:
    heat, inside = _films(noise=0.2)
    fitted = fit_heat_range(heat, inside, np.ones_like(inside), _patients(40))
    found = [share for _, _, share in fitted.curve]
    assert (np.diff(found) <= 0).all()


def test_the_recipe_shows_red_as_red_and_keeps_the_threshold() -> None:
    recipe = HeatRecipe((1.0,), -0.5, 8.0, 0.5, CellGrid(0, 1), "conv5", 1.0)
    fitted = HeatRange(0.4, 0.7, UNKNOWN, UNKNOWN, UNKNOWN, ())
    changed = recipe_with(recipe, fitted)
    assert changed.threshold == 0.4
    shown = in_colour_range(np.array([[0.4, 0.7]], np.float32), changed.view(CAM))
    np.testing.assert_allclose(shown, [[0.4, RED_SHOWN]], atol=1e-4)


def test_a_range_set_twice_shows_red_as_red_again() -> None:
    recipe = HeatRecipe((1.0,), -0.5, 8.0, 0.5, CellGrid(0, 1), "conv5", 1.0, stretch=1.5, offset=0.3)
    heat = np.array([[0.2, 0.5]], np.float32)
    low, high = (float(h) for h in in_colour_range(heat, recipe.view(CAM))[0])
    changed = recipe_with(recipe, HeatRange(low, high, UNKNOWN, UNKNOWN, UNKNOWN, ()))
    np.testing.assert_allclose(in_colour_range(heat, changed.view(CAM)), [[low, RED_SHOWN]], atol=1e-4)


def test_a_range_that_cannot_be_shown_is_refused() -> None:
    recipe = HeatRecipe((1.0,), -0.5, 8.0, 0.5, CellGrid(0, 1), "conv5", 1.0)
    with pytest.raises(ValueError, match="must be above the threshold"):
        recipe_with(recipe, HeatRange(0.6, 0.5, UNKNOWN, UNKNOWN, UNKNOWN, ()))
    with pytest.raises(ValueError, match="too steep"):
        recipe_with(recipe, HeatRange(0.5, 0.505, UNKNOWN, UNKNOWN, UNKNOWN, ()))


def test_films_without_boxes_or_of_other_shapes_are_refused() -> None:
    heat, inside = _films(4)
    known = np.ones_like(inside)
    with pytest.raises(ValueError, match="leave films without boxes out"):
        fit_heat_range(heat, np.zeros_like(inside), known, _patients(4))
    with pytest.raises(ValueError, match="do not belong together"):
        fit_heat_range(heat, inside[:, 1:], known, _patients(4))
