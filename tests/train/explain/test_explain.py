import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from cxr_runtime.errors import UsageError
from cxr_train.explain.explain import explain
from cxr_train.explain.looker import Looker, open_lookers
from cxr_train.explain.maximisation import Maximisation


def test_every_figure_and_the_localisation_table_are_made(
    finished_run: Path, data_set: Path, cache: Path, tmp_path: Path
) -> None:
    located = explain(
        [finished_run],
        [data_set],
        tmp_path,
        films_shown=2,
        filters=1,
        methods=("cam", "strongest-channel"),
        maximisation=Maximisation(steps=2),
        cache=cache,
    )
    names = {path.name for path in tmp_path.glob("*.png")}
    assert names == {"filters.png", "channels-tiny.png", "heat-cam.png", "heat-strongest-channel.png"}
    assert [line.method for line in located] == ["chance", "centre blob", "cam", "strongest-channel"]
    table = (tmp_path / "localisation.md").read_text(encoding="utf-8")
    assert "| tiny | scratch | cam |" in table
    assert len({line.count("|") for line in table.splitlines() if line.startswith("|")}) == 1
    assert len(json.loads((tmp_path / "localisation.json").read_text(encoding="utf-8"))) == 4


def test_a_method_that_does_not_exist_is_named(finished_run: Path, data_set: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'guess'; expected some of: cam"):
        explain([finished_run], [data_set], tmp_path, methods=("guess",))


def test_each_film_is_coloured_from_the_threshold_of_the_fold_that_looks_at_it(
    teacher_folds: Path, data_set: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    coloured: list[float] = []

    def opened(model: Path) -> tuple[Looker, ...]:
        return tuple(
            replace(looker, recipe=replace(looker.recipe, threshold=0.2 * (fold + 1)))
            for fold, looker in enumerate(open_lookers(model))
        )

    def noted(_films: object, _heats: object, thresholds: Mapping[str, Sequence[float]], _: Path) -> None:
        coloured.extend(*thresholds.values())

    monkeypatch.setattr("cxr_train.explain.explain.open_lookers", opened)
    monkeypatch.setattr("cxr_train.explain.explain.draw_heat", noted)
    explain([teacher_folds], [data_set], tmp_path, films_shown=31, filters=0, methods=("cam",), cache=cache)
    assert len(coloured) == 31
    assert set(coloured) == {0.2 * (fold + 1) for fold in range(3)}
