import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cxr_cli.commands import app
from cxr_runtime.errors import UsageError
from cxr_train.data.fifths import Fifth
from drawn_data_sets import write_data_set
from outlined_films import write_outlined_films
from tiny_training import TINY

RUNNER = CliRunner()


@pytest.fixture
def data_set(tmp_path: Path) -> Path:
    return write_data_set(tmp_path / "data")


def run(*arguments: object) -> str:
    done = RUNNER.invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_from_a_data_set_to_a_table_and_figures(data_set: Path, tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text(json.dumps(TINY), encoding="utf-8")
    cache = ("--cache", tmp_path / "cache")
    model = tmp_path / "cv"
    made = run(
        "train", "--data", data_set, "--recipe", tmp_path / "recipe.json", "--set", "epochs=1", "--folds", 3,
        "--out", model, "--device", "cpu", *cache,
    )  # fmt: skip
    assert "trained edge" in made
    assert "3 folds, validation AUC" in made
    assert made.rstrip().endswith(
        f"next: cxr-triage evaluate {model} --data {data_set} --out {model}-evaluation"
    )
    assert sorted(path.name for path in model.iterdir()) == ["fold-0", "fold-1", "fold-2"]
    table = run(
        "evaluate", model, "--data", data_set, "--out", tmp_path / "evaluation", "--replicates", 100,
        "--device", "cpu", *cache,
    )  # fmt: skip
    assert "60 films that no model has seen" in table
    located = run(
        "explain", model, "--data", data_set, "--out", tmp_path / "figures", "--films", 1, "--filters", 0,
        "--methods", "cam", *cache,
    )  # fmt: skip
    assert "30 films with boxes by radiologists, unseen" in located


@pytest.mark.parametrize("command", ["evaluation.evaluate.evaluate", "explain.explain.explain"])
def test_fifths_are_all_taken_where_several_are_named(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def noted(*_: object, fifths: tuple[Fifth, ...], **__: object) -> None:
        asked.append(tuple(fifths))
        raise UsageError("enough is known")

    monkeypatch.setattr(f"cxr_train.{command}", noted)
    name = command.rpartition(".")[2]
    for fifths in ([], ["training"], ["threshold", "training"]):
        named = [word for fifth in fifths for word in ("--fifth", fifth)]
        done = RUNNER.invoke(app, [name, "run", "--data", "films.csv", "--out", "out", *named])
        assert isinstance(done.exception, UsageError), done.output
    assert asked == [("training",), ("training",), ("threshold", "training")]


def test_a_dry_run_prints_every_setting_and_trains_nothing(data_set: Path, tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text(json.dumps(TINY), encoding="utf-8")
    said = run(
        "train", "--data", data_set, "--recipe", tmp_path / "recipe.json", "--dry-run",
        "--out", tmp_path / "run", "--device", "cpu", "--cache", tmp_path / "cache",
    )  # fmt: skip
    assert '"learning_rate": 0.01' in said
    assert "nothing was trained" in said
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["batch.png"]


@pytest.mark.parametrize("command", ["train", "search"])
def test_a_seed_of_the_split_below_0_is_refused(command: str) -> None:
    done = RUNNER.invoke(app, [command, "--data", "a.csv", "--out", "out", "--split-seed", "-1"])
    assert done.exit_code == 2
    assert "--split-seed" in done.output


def test_a_search_prints_its_best_trial(data_set: Path, tmp_path: Path) -> None:
    space = {
        "trials": 1,
        "recipe": {**TINY, "epochs": 1},
        "ranges": {"l2": {"low": 0.001, "high": 0.1, "scale": "log"}},
    }
    (tmp_path / "space.json").write_text(json.dumps(space), encoding="utf-8")
    said = run(
        "search", "--data", data_set, "--space", tmp_path / "space.json", "--out", tmp_path / "search",
        "--device", "cpu", "--cache", tmp_path / "cache",
    )  # fmt: skip
    assert "best is trial 0: AUC" in said
    assert "films of validation, after 1 epoch" in said
    assert "next: cxr-triage evaluate" in said


def test_a_lung_field_is_learned_and_measured(tmp_path: Path) -> None:
    table, out = write_outlined_films(tmp_path, 20), tmp_path / "out"
    made = run("segment-train", table, "--out", out, "--fields", "atlas", "--folds", 2)
    assert "| atlas | 20 |" in made
    assert (out / "lung-atlases.npz").is_file()
