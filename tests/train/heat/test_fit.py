import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from cxr_runtime.errors import ModelError
from cxr_runtime.heat.map import HeatMethod, heat_cells
from cxr_runtime.model.preprocessing import normalise
from cxr_train.checkpoint import load_checkpoint
from cxr_train.data.split import SplitPlan, split_films
from cxr_train.heat.fit import fit_heat, rows_in_turn
from cxr_train.heat.of_run import HEAT_FILE, read_heat, refit_heat
from cxr_train.networks import build_network
from cxr_train.run import Films, read_films
from tiny_training import tiny_recipe

HOW = tiny_recipe().preprocessing


@pytest.fixture(scope="module")
def films(data_set: Path, cache: Path) -> Films:
    return read_films([data_set], HOW, cache)


def test_without_a_heat_head_weights_are_those_of_the_class_activation_map(films: Films) -> None:
    torch.manual_seed(0)
    network = build_network(tiny_recipe(terms={"heat": 0.0}).architecture).eval()
    recipe = fit_heat(network, films.table, films.prepared, np.arange(20), HOW)
    linear = network.get_submodule("classifier.linear")
    assert isinstance(linear, torch.nn.Linear)
    weight = linear.weight.detach().numpy()
    np.testing.assert_allclose(recipe.channel_weights, weight[1] - weight[0], rtol=1e-4)
    assert recipe.prior is None


def test_with_boxes_heat_is_scaled_by_them_and_has_a_prior(films: Films, finished_run: Path) -> None:
    network, _ = load_checkpoint(finished_run)
    recipe = fit_heat(network, films.table, films.prepared, np.arange(60), HOW)
    assert recipe.prior is not None
    shares = np.array(recipe.prior.shares)
    assert shares.max() == 1
    assert shares.min() > 0
    assert 0 < recipe.threshold < 1
    assert recipe.gain > 0
    assert recipe.stretch > 0


def test_with_few_boxes_there_is_no_prior(films: Films, finished_run: Path) -> None:
    network, _ = load_checkpoint(finished_run)
    recipe = fit_heat(network, films.table, films.prepared, np.arange(12), HOW)
    assert recipe.prior is None
    assert recipe.threshold == 0.5


def test_heat_is_made_of_a_recipe_as_the_clinic_makes_it(films: Films, finished_run: Path) -> None:
    network, _ = load_checkpoint(finished_run)
    recipe = read_heat(finished_run)
    split = split_films(films.table, SplitPlan(shares=(0.5, 0.2, 0.3)))
    row = int(split.test[0])
    with torch.inference_mode():
        conv5 = network.features(torch.from_numpy(normalise(films.prepared.inputs[row][None], HOW)))[
            0
        ].numpy()
    heat = heat_cells(conv5, recipe, HeatMethod.CAM, films.prepared.placements[row], None)
    assert heat.shape == conv5.shape[1:]
    assert 0 <= heat.min() <= heat.max() <= 1


def test_a_run_without_a_heat_recipe_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"heat\.json cannot be read"):
        read_heat(tmp_path)


def test_a_run_s_heat_is_fitted_again_as_it_was(
    finished_run: Path, data_set: Path, cache: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished_run, run)
    (run / HEAT_FILE).unlink()
    refit_heat(run, [data_set], cache)
    assert read_heat(run) == read_heat(finished_run)


def test_films_with_boxes_are_taken_of_each_hospital_in_turn() -> None:
    order = rows_in_turn(np.arange(7), ["a", "a", "a", "a", "b", "b", "a"])
    assert order.tolist() == [0, 4, 1, 5, 2, 3, 6]
