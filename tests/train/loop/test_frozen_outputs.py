from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cxr_runtime.errors import UsageError
from cxr_runtime.progress import Silence
from cxr_train.checkpoint import LAST_FILE, read_tensors
from cxr_train.data.split import SplitPlan
from cxr_train.loop.batches import BatchMaker
from cxr_train.loop.frozen_outputs import FOLDER, FrozenOutputs, frozen_outputs
from cxr_train.loop.targets import film_targets
from cxr_train.loop.trainer import Machine
from cxr_train.networks import Network, build_network
from cxr_train.recipe.recipe import Recipe
from cxr_train.run import conv5_hw, cross_validate, read_films, train
from tiny_training import tiny_recipe

VARIATIONS = 3
PLAN = SplitPlan(shares=(0.5, 0.2, 0.3))


def tail_recipe(**changes: object) -> Recipe:
    return tiny_recipe(frozen_layers=6, cached_augmentations=VARIATIONS, **changes)


def network_of(recipe: Recipe) -> Network:
    torch.manual_seed(0)
    return build_network(recipe.architecture)


def maker_of(recipe: Recipe, network: Network, data_set: Path, cache: Path) -> BatchMaker:
    films = read_films([data_set], recipe.preprocessing, cache)
    targets = film_targets(films.table, 1.0, np.full(len(films.table), np.nan, np.float32), {})
    hw = conv5_hw(network, recipe.architecture.input_hw)
    return BatchMaker(films.table, films.prepared, targets, recipe.preprocessing, network.cells, hw)


def computed(network: Network, maker: BatchMaker, recipe: Recipe, cache: Path) -> FrozenOutputs:
    return frozen_outputs(network, maker, recipe, cache, 1, Silence())


class Interrupted(Silence):
    """A progress that ends the process, as it were, before the last step of a run."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def advance(self) -> None:
        self.steps -= 1
        if not self.steps:
            raise KeyboardInterrupt


def test_the_rest_of_the_network_makes_of_them_what_it_makes_of_the_films(
    data_set: Path, cache: Path
) -> None:
    recipe = tail_recipe(augmentation={"shift": 0.0, "flip": 0.0, "rotation": 0.0, "gamma": 0.0})
    recipe = replace(recipe, augmentation=replace(recipe.augmentation, chance=0.0, scale=0.0, stretch=0.0))
    recipe = replace(recipe, augmentation=replace(recipe.augmentation, contrast=0.0))
    network = network_of(recipe).eval()
    maker = maker_of(recipe, network, data_set, cache)
    plain, rows = maker.make(np.arange(4)), np.arange(4)
    drawing = computed(network, maker, recipe, cache)
    drawn = replace(maker, drawing=drawing).make(rows, recipe.augmentation, (1, 2))
    with torch.no_grad():
        whole, tail = network(plain.images), network(drawn.images, drawn.layers_behind)
    torch.testing.assert_close(tail.logits, whole.logits, atol=2e-3, rtol=2e-2)
    torch.testing.assert_close(drawn.targets.heat, plain.targets.heat, equal_nan=True, atol=1e-3, rtol=0)
    torch.testing.assert_close(drawn.targets.label, plain.targets.label, equal_nan=True)


def test_boxes_move_with_each_variation(data_set: Path, cache: Path) -> None:
    recipe = tail_recipe(augmentation={"shift": 0.3})
    network = network_of(recipe)
    maker = maker_of(recipe, network, data_set, cache)
    drawing = computed(network, maker, recipe, cache)
    boxed = next(row for row, film in enumerate(maker.films) if film.boxes)
    middles = set()
    for heat in drawing.heat[:, boxed]:
        y, x = np.nonzero(np.nan_to_num(heat) > 0)
        middles.add((round(float(y.mean()), 2), round(float(x.mean()), 2)))
    assert len(middles) > 1


def test_the_seed_draws_the_variation_and_films_as_they_are_are_not_drawn(
    data_set: Path, cache: Path
) -> None:
    recipe = tail_recipe()
    network = network_of(recipe)
    maker = maker_of(recipe, network, data_set, cache)
    made = replace(maker, drawing=computed(network, maker, recipe, cache))
    rows = np.arange(8)
    first, again, other = (made.make(rows, recipe.augmentation, seed) for seed in ((1,), (1,), (2,)))
    assert torch.equal(first.images, again.images)
    assert not torch.equal(first.images, other.images)
    assert made.make(rows).images.shape == (8, 3, 48, 48)


def test_other_starting_weights_have_other_outputs_and_only_the_newest_are_kept(
    data_set: Path, tmp_path: Path
) -> None:
    recipe = tail_recipe()
    network = network_of(recipe)
    maker = maker_of(recipe, network, data_set, tmp_path)
    computed(network, maker, recipe, tmp_path)
    before = {path.name for path in (tmp_path / FOLDER).iterdir()}
    computed(network, maker, recipe, tmp_path)
    assert {path.name for path in (tmp_path / FOLDER).iterdir()} == before
    with torch.no_grad():
        next(network.features.parameters()).add_(1.0)
    computed(network, maker, recipe, tmp_path)
    after = {path.name for path in (tmp_path / FOLDER).iterdir()}
    assert len(after) == len(before) == 3
    assert not after & before


def test_a_run_on_them_goes_on_exactly_and_threads_change_nothing(
    data_set: Path, cache: Path, tmp_path: Path
) -> None:
    recipe = tail_recipe(ema=0.9, augmentation={"mixup": 0.2})
    train(tmp_path / "whole", [data_set], recipe, PLAN, cache=cache)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "cut", [data_set], recipe, PLAN, cache=cache, progress=Interrupted(8))
    train(tmp_path / "cut", [data_set], recipe, PLAN, Machine(workers=3), cache)
    one, other = (read_tensors(tmp_path / name / LAST_FILE)[0] for name in ("whole", "cut"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_frozen_layers_keep_their_weights_and_folds_share_their_outputs(
    data_set: Path, tmp_path: Path
) -> None:
    recipe = tail_recipe(epochs=1)
    cross_validate(tmp_path / "cv", [data_set], recipe, SplitPlan(folds=3), cache=tmp_path)
    assert len(list((tmp_path / FOLDER).glob("*-outputs.npy"))) == 1
    one, other = (read_tensors(tmp_path / "cv" / f"fold-{fold}" / "best.safetensors")[0] for fold in (0, 2))
    changed = {name for name in one if not torch.equal(one[name], other[name])}
    assert changed
    assert not {name for name in changed if name.startswith(("features.conv1", "features.norm1"))}


def test_without_frozen_layers_there_is_nothing_to_compute_once(
    data_set: Path, cache: Path, tmp_path: Path
) -> None:
    recipe = tiny_recipe(cached_augmentations=2)
    with pytest.raises(UsageError, match="set frozen_layers"):
        train(tmp_path / "run", [data_set], recipe, PLAN, cache=cache)
