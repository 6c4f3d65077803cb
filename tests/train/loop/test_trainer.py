import csv
import json
import math
import re
from pathlib import Path

import pytest
import torch

from cxr_runtime.errors import ModelError, UsageError
from cxr_runtime.progress import Silence
from cxr_train.checkpoint import BEST_FILE, LAST_FILE, load_checkpoint, read_config, read_tensors
from cxr_train.data import read_data_set
from cxr_train.data.split import SplitPlan, split_films
from cxr_train.heat.of_run import read_heat
from cxr_train.loop.losses import TrainingError
from cxr_train.loop.trainer import Machine
from cxr_train.recipe.recipe import Recipe
from cxr_train.run import cross_validate, train
from drawn_data_sets import write_data_set
from tiny_training import tiny_recipe

PLAN = SplitPlan(shares=(0.5, 0.2, 0.3))
OURS = {
    "augmentation": {"mixup": 0.2, "cutout": 0.2},
    "ema": 0.9,
    "clip_norm": 1.0,
    "terms": {"reconstruction": 0.1},
}


class KilledAfter(Silence):
    """A progress that ends the process, as it were, in the middle of an epoch."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def advance(self) -> None:
        self.steps -= 1
        if self.steps == 0:
            raise KeyboardInterrupt


def assert_same_weights(one: Path, other: Path) -> None:
    for name in (BEST_FILE, LAST_FILE):
        first, second = read_tensors(one / name)[0], read_tensors(other / name)[0]
        assert first.keys() == second.keys()
        assert all(torch.equal(first[key], second[key]) for key in first)


PAPERS = {"optimiser": "sgd", "schedule": "plateau", "ema": 0.0, "balance": ()}


@pytest.mark.parametrize("changes", [OURS, PAPERS], ids=["ours", "the paper's"])
def test_a_run_that_was_killed_goes_on_exactly(
    changes: dict[str, object], data_set: Path, cache: Path, tmp_path: Path
) -> None:
    recipe = tiny_recipe(**changes)
    train(tmp_path / "whole", [data_set], recipe, PLAN, cache=cache)
    for steps in (5, 2):
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / "cut", [data_set], recipe, PLAN, cache=cache, progress=KilledAfter(steps))
    train(tmp_path / "cut", [data_set], recipe, PLAN, cache=cache)
    assert_same_weights(tmp_path / "whole", tmp_path / "cut")


def test_threads_change_nothing_but_the_speed(data_set: Path, cache: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe(**OURS)
    for workers in (1, 4):
        train(tmp_path / str(workers), [data_set], recipe, PLAN, Machine(workers=workers), cache)
    assert_same_weights(tmp_path / "1", tmp_path / "4")


def test_a_finished_run_is_left_as_it_is(finished_run: Path, data_set: Path, cache: Path) -> None:
    before = (finished_run / LAST_FILE).read_bytes()
    train(finished_run, [data_set], tiny_recipe(), PLAN, cache=cache)
    assert (finished_run / LAST_FILE).read_bytes() == before


def test_a_run_folder_tells_everything_about_the_run(finished_run: Path) -> None:
    config = read_config(finished_run)
    assert config.recipe == tiny_recipe()
    assert config.starting_weights == "scratch"
    assert (config.data.films, config.data.patients, len(config.data.films_sha256)) == (60, 30, 64)
    assert "png" not in json.dumps(json.loads((finished_run / "config.json").read_text(encoding="utf-8")))
    with (finished_run / "log.csv").open(encoding="utf-8") as lines:
        log = list(csv.DictReader(lines))
    assert [row["epoch"] for row in log] == ["1", "2", "3"]
    assert {"loss", "label_loss", "heat_loss", "validation_loss", "auc", "accuracy", "learning_rate"} <= log[
        0
    ].keys()
    assert (finished_run / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_a_network_learns_what_the_films_show(finished_run: Path) -> None:
    with (finished_run / "log.csv").open(encoding="utf-8") as lines:
        losses = [float(row["loss"]) for row in csv.DictReader(lines)]
    assert losses[-1] < losses[0]


def test_a_checkpoint_is_opened_with_its_heads_and_its_heat_recipe(finished_run: Path) -> None:
    network, config = load_checkpoint(finished_run)
    assert not network.training
    assert set(network.heads) == {"heat", "findings", "view"}
    last, _ = load_checkpoint(finished_run / LAST_FILE)
    assert last.state_dict().keys() == network.state_dict().keys()
    heat = read_heat(finished_run)
    assert len(heat.channel_weights) == network.conv5_channels
    assert heat.cells == network.cells
    assert config.recipe.architecture.network == "edge"


def test_weights_that_do_not_fit_are_refused(finished_run: Path, tmp_path: Path) -> None:
    for name in ("config.json", BEST_FILE):
        (tmp_path / name).write_bytes((finished_run / name).read_bytes())
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    config["recipe"]["architecture"]["filters"][0] = 9
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ModelError, match="does not fit"):
        load_checkpoint(tmp_path)


def test_a_run_of_another_preprocessing_version_is_refused(finished_run: Path, tmp_path: Path) -> None:
    config = json.loads((finished_run / "config.json").read_text(encoding="utf-8"))
    config["recipe"]["preprocessing"]["version"] = "0"
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ModelError, match="preprocessing version 0"):
        read_config(tmp_path)


def test_other_settings_do_not_go_on_with_a_run(finished_run: Path, data_set: Path, cache: Path) -> None:
    with pytest.raises(UsageError, match="other settings"):
        train(finished_run, [data_set], tiny_recipe(seed=5), PLAN, cache=cache)


def test_a_copy_that_spoils_a_later_fold_is_found_before_the_first_is_trained(
    cache: Path, tmp_path: Path
) -> None:
    table = write_data_set(tmp_path / "data", 24)
    films = read_data_set(table).films
    third, fourth = (split_films(films, SplitPlan(folds=4, fold=fold)).test[0] for fold in (2, 3))
    films[third].path.write_bytes(films[fourth].path.read_bytes())
    with pytest.raises(UsageError, match="stands in training and in"):
        cross_validate(tmp_path / "cv", [table], tiny_recipe(epochs=1), SplitPlan(folds=4), cache=cache)
    assert not (tmp_path / "cv").exists()


def test_a_loss_that_is_not_finite_stops_the_run(data_set: Path, cache: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe(learning_rate=1e30, optimiser="sgd", clip_norm=0.0, warmup_steps=0)
    with pytest.raises(TrainingError, match=r"loss became .* lower learning_rate"):
        train(tmp_path / "run", [data_set], recipe, PLAN, cache=cache)


def test_weights_that_the_last_step_spoilt_are_not_kept(data_set: Path, cache: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe(
        learning_rate=1e38, terms={"label": 1e20}, optimiser="sgd", clip_norm=0.0, warmup_steps=0, epochs=1,
        batch_size=64, ema=0.0, select_by="last",
    )  # fmt: skip
    with pytest.raises(TrainingError, match="no longer finite at the end of epoch 1; nothing is kept"):
        train(tmp_path / "run", [data_set], recipe, SplitPlan(validated=False), cache=cache)
    assert not (tmp_path / "run" / "best.safetensors").exists()


def test_selecting_by_auc_needs_both_classes(cache: Path, tmp_path: Path) -> None:
    from drawn_data_sets import write_data_set

    table = write_data_set(tmp_path / "data", 20)
    lines = table.read_text(encoding="utf-8").replace(",1,p", ",,p")
    table.write_text(lines, encoding="utf-8")
    with pytest.raises(TrainingError, match="select_by to loss"):
        train(tmp_path / "run", [table], tiny_recipe(), PLAN, cache=cache)


def unlabelled() -> Recipe:
    return tiny_recipe(terms={"label": 0.0, "reconstruction": 1.0}, select_by="loss", epochs=1)


def test_a_network_can_be_pretrained_without_labels(data_set: Path, cache: Path, tmp_path: Path) -> None:
    train(tmp_path / "pretrained", [data_set], unlabelled(), PLAN, cache=cache)
    start = str(tmp_path / "pretrained")
    train(tmp_path / "trained", [data_set], tiny_recipe(start=start, epochs=1), PLAN, cache=cache)
    assert read_config(tmp_path / "trained").starting_weights == "run pretrained"


def test_without_validation_the_last_epoch_is_kept(data_set: Path, cache: Path, tmp_path: Path) -> None:
    run, plan = tmp_path / "run", SplitPlan(validated=False)
    best = train(run, [data_set], tiny_recipe(select_by="last"), plan, cache=cache)
    assert best["epoch"] == 3
    assert math.isnan(best["validation_loss"])
    kept, last = read_tensors(run / "best.safetensors")[0], read_tensors(run / "last.safetensors")[0]
    assert all(tensor.equal(last[f"average.{name}"]) for name, tensor in kept.items())


def test_selecting_needs_something_to_select_on(data_set: Path, cache: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="set select_by to last"):
        train(tmp_path / "run", [data_set], tiny_recipe(), SplitPlan(validated=False), cache=cache)


def test_a_processor_can_compute_in_half_precision(data_set: Path, cache: Path, tmp_path: Path) -> None:
    entry = train(tmp_path / "run", [data_set], tiny_recipe(half_on_cpu=True, epochs=1), PLAN, cache=cache)
    assert math.isfinite(entry["loss"])


class Told(Silence):
    """Remembers what began."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, int | None]] = []

    def begin(self, work: str, pieces: int | None) -> None:
        self.begun.append((work, pieces))


def test_every_epoch_but_the_first_says_how_long_all_will_take(
    data_set: Path, cache: Path, tmp_path: Path
) -> None:
    told = Told()
    train(tmp_path / "run", [data_set], tiny_recipe(), PLAN, cache=cache, progress=told)
    epochs = [work for work, steps in told.begun if work.startswith("epoch") and steps]
    assert epochs[0] == "epoch 1 of 3"
    assert all(re.fullmatch(r"epoch [23] of 3 \(\d+ min left for all\)", work) for work in epochs[1:])
    assert len(epochs) == 3
