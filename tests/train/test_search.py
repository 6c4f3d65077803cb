import csv
from pathlib import Path
from textwrap import dedent

import pytest

from cxr_runtime.errors import UsageError
from cxr_train.data.split import SplitPlan
from cxr_train.loop.losses import TrainingError
from cxr_train.recipe.composing import compose_recipe
from cxr_train.search import Range, Search, draw, read_search, run_search
from tiny_training import TINY

PLAN = SplitPlan(shares=(0.5, 0.2, 0.3))
SEARCH = Search(
    trials=3,
    grace=1,
    recipe={**TINY, "epochs": 2},
    ranges={
        "learning_rate": Range(1e-4, 1e-1, "log"),
        "momentum": Range(0.8, 0.99),
        "architecture.filters.4": Range(4, 16, "log", whole=True),
    },
    choices={"architecture.kernel": (3, 5)},
)


def test_the_same_trial_is_drawn_alike_and_another_otherwise() -> None:
    assert draw(SEARCH, 0) == draw(SEARCH, 0) != draw(SEARCH, 1)


def test_settings_are_drawn_within_their_ranges_evenly_on_their_scale() -> None:
    drawn = [draw(SEARCH, trial) for trial in range(400)]
    rates = [trial["learning_rate"] for trial in drawn]
    assert 1e-4 <= min(rates) < max(rates) <= 1e-1
    assert sum(rate < 1e-4 * 1000**0.5 for rate in rates) == pytest.approx(200, abs=40)
    assert {trial["architecture.kernel"] for trial in drawn} == {3, 5}
    assert {type(trial["architecture.filters.4"]) for trial in drawn} == {int}
    assert all(0.8 <= trial["momentum"] <= 0.99 for trial in drawn)


def test_searching_twice_gives_the_same_table(data_set: Path, cache: Path, tmp_path: Path) -> None:
    tables = []
    for folder in ("first", "again"):
        trials = run_search(tmp_path / folder, [data_set], SEARCH, PLAN, cache=cache)
        tables.append((tmp_path / folder / "results.csv").read_bytes())
    assert tables[0] == tables[1]
    rows = list(csv.DictReader(tables[0].decode().splitlines()))
    figures = [float(row["figure"]) for row in rows]
    assert figures == sorted(figures, reverse=True)
    assert [int(row["trial"]) for row in rows] == [trial.number for trial in trials]


def test_a_search_goes_on_where_it_was_cut_off(data_set: Path, cache: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    whole = run_search(tmp_path / "whole", [data_set], SEARCH, PLAN, cache=cache)
    run_search(tmp_path / "cut", [data_set], replace(SEARCH, trials=1), PLAN, cache=cache)
    finished = (tmp_path / "cut" / "trial-000" / "last.safetensors").stat().st_mtime_ns
    assert run_search(tmp_path / "cut", [data_set], SEARCH, PLAN, cache=cache) == whole
    assert (tmp_path / "cut" / "trial-000" / "last.safetensors").stat().st_mtime_ns == finished


def test_a_trial_that_diverges_is_last_and_says_why(data_set: Path, cache: Path, tmp_path: Path) -> None:
    wild = Search(
        trials=2,
        recipe={**TINY, "epochs": 1, "optimiser": "sgd", "clip_norm": 0.0, "warmup_steps": 0},
        choices={"learning_rate": (0.001, 1e30)},
        seed=1,
    )
    assert {draw(wild, trial)["learning_rate"] for trial in (0, 1)} == {0.001, 1e30}
    trials = run_search(tmp_path, [data_set], wild, PLAN, cache=cache)
    assert [trial.drawn["learning_rate"] for trial in trials] == [0.001, 1e30]
    assert "loss became" in trials[1].note


def test_a_search_that_cannot_build_a_network_goes_on_and_says_why(
    data_set: Path, cache: Path, tmp_path: Path
) -> None:
    recipe = {**TINY, "epochs": 1}
    search = Search(trials=3, recipe=recipe, choices={"architecture.kernel": (3, 0)}, seed=2)
    assert {draw(search, trial)["architecture.kernel"] for trial in range(3)} == {0, 3}
    trials = run_search(tmp_path, [data_set], search, PLAN, cache=cache)
    assert [trial.drawn["architecture.kernel"] for trial in trials][-1] == 0
    assert "kernel is 0; expected 1 or more" in trials[-1].note
    rows = list(csv.DictReader((tmp_path / "results.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["started_from"] for row in rows if row["figure"] != "nan"] == ["scratch"] * len(
        [trial for trial in trials if trial.started_from]
    )


def test_a_search_without_any_figure_is_an_error(data_set: Path, cache: Path, tmp_path: Path) -> None:
    search = Search(trials=2, recipe=dict(TINY), choices={"architecture.kernel": (0,)})
    with pytest.raises(
        TrainingError, match=r"none of 2 trials came to a figure; the first one: architecture\.kernel is 0"
    ):
        run_search(tmp_path, [data_set], search, PLAN, cache=cache)


def test_a_network_other_than_the_file_s_is_refused_before_the_first_trial(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"network custom is asked for, .* names edge"):
        run_search(tmp_path, [], SEARCH, PLAN, "custom")
    assert not list(tmp_path.iterdir())


def test_a_trial_as_good_as_the_others_is_not_stopped(data_set: Path, cache: Path, tmp_path: Path) -> None:
    alike = Search(trials=3, grace=1, recipe=dict(TINY), choices={"learning_rate": (1e-12,)})
    trials = run_search(tmp_path, [data_set], alike, PLAN, cache=cache)
    assert [(trial.epochs, trial.note) for trial in trials] == [(TINY["epochs"], "")] * 3


def test_a_search_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "space.toml").write_text(
        "trials = 4\n[recipe]\nepochs = 2\n[ranges]\nl2 = { low = 1e-5, high = 1e-2, scale = 'log' }\n"
        "[choices]\n'architecture.head' = [[4096, 4096], [1024], []]\n",
        encoding="utf-8",
    )
    search = read_search(tmp_path / "space.toml")
    assert search.ranges == {"l2": Range(1e-5, 1e-2, "log")}
    assert search.choices["architecture.head"] == ([4096, 4096], [1024], [])


@pytest.mark.parametrize(
    "span", ["low = 2, high = 1", "low = 0, high = 1, scale = 'log'", "low = 0, high = 1, scale = 'x'"]
)
def test_a_range_that_cannot_be_drawn_from_is_refused(span: str, tmp_path: Path) -> None:
    (tmp_path / "space.toml").write_text(f"[ranges]\nl2 = {{ {span} }}\n", encoding="utf-8")
    with pytest.raises(UsageError, match="range l2"):
        read_search(tmp_path / "space.toml")


def test_the_search_of_the_manual_can_be_drawn(tmp_path: Path) -> None:
    manual = Path(__file__).parents[2] / "docs" / "training.md"
    text = (
        manual.read_text(encoding="utf-8")
        .split("with a `space.toml` like this:")[1]
        .split("A trial is a run")[0]
    )
    (tmp_path / "space.toml").write_text(dedent(text), encoding="utf-8")
    search = read_search(tmp_path / "space.toml")
    recipe = compose_recipe(None, search.recipe, draw(search, 0))
    assert recipe.architecture.input_hw == (99, 99)
    assert recipe.architecture.kernel in search.choices["architecture.kernel"]
