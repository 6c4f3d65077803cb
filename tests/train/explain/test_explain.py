import json
from pathlib import Path

import pytest

from cxr_runtime.errors import UsageError
from cxr_train.explain.explain import explain
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
