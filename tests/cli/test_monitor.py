import json
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cxr_cli.monitor import monitor
from cxr_runtime.model.folder import open_model
from drawn_films import drawn_films
from model_folders import write_model_folder
from scored_scans import drawn_scores, write_scan


@pytest.fixture
def app() -> typer.Typer:
    made = typer.Typer()
    made.command()(monitor)
    return made


def _scan(folder: Path, films: int, shift: float, seed: int) -> str:
    model = write_model_folder(folder.parent / "model")
    drawn = drawn_films(films, seed=seed)
    moved = replace(drawn, margins=drawn.margins + shift)
    sha256 = open_model(model).manifest.model_sha256
    return str(write_scan(folder, drawn_scores(moved, model_sha256=sha256, seed=seed)))


def test_a_night_in_order_exits_0_and_an_alarm_exits_3(app: typer.Typer, tmp_path: Path) -> None:
    usual = _scan(tmp_path / "usual", 400, 0.0, seed=20)
    common = ["--model", str(tmp_path / "model"), "--baseline", usual]
    quiet = CliRunner().invoke(
        app, [*common, _scan(tmp_path / "monday", 80, 0.0, seed=3)], standalone_mode=False
    )
    loud = CliRunner().invoke(
        app, [*common, _scan(tmp_path / "tuesday", 80, 2.5, seed=4)], standalone_mode=False
    )
    assert (quiet.return_value, loud.return_value) == (0, 3)
    assert quiet.output.startswith("in order: ")
    assert loud.output.startswith("ALARM: ")
    assert "tuesday: flagged share is" in loud.output


def test_the_page_and_the_figures_go_where_they_are_asked_to(app: typer.Typer, tmp_path: Path) -> None:
    night = _scan(tmp_path / "monday", 80, 0.0, seed=3)
    arguments = [
        "--model",
        str(tmp_path / "model"),
        "--baseline",
        night,
        "--out",
        str(tmp_path / "out"),
        night,
    ]
    assert CliRunner().invoke(app, arguments, standalone_mode=False).return_value == 0
    assert json.loads((tmp_path / "out" / "monitor.json").read_text())["alarm"] is False
    assert (tmp_path / "out" / "monitor.html").is_file()
    assert not (tmp_path / "monday" / "monitor.html").exists()
