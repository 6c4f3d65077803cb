import json
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cxr_calibration.labels.labelled_films import LabelledFilms
from cxr_cli.calibration import calibrate, monitor
from cxr_runtime.errors import UsageError
from cxr_runtime.model.folder import open_model
from drawn_films import drawn_films
from model_folders import write_model_folder
from scored_scans import drawn_scores, write_scan


@pytest.fixture
def calibrating() -> typer.Typer:
    made = typer.Typer()
    made.command()(calibrate)
    return made


@pytest.fixture
def clinic(tmp_path: Path) -> Path:
    """A folder with a model, a scan, and labels of which twelve have no film."""
    films, model = drawn_films(200), write_model_folder(tmp_path / "model")
    write_scan(tmp_path / "scan", drawn_scores(films, model_sha256=open_model(model).manifest.model_sha256))
    (tmp_path / "labels.csv").write_text(_rows(films))
    return tmp_path


def _rows(films: LabelledFilms) -> str:
    rows = [f"{number}.png,{int(truth)}" for number, truth in enumerate(films.truth.tolist())]
    return "\n".join(["file,label", *rows, *(f"gone{number}.png,1" for number in range(12))])


def _arguments(clinic: Path, *more: str) -> list[str]:
    given = {"--labels": "labels.csv", "--model": "model", "--scan": "scan"}
    return [part for name, file in given.items() for part in (name, str(clinic / file))] + list(more)


def test_it_tells_what_each_operating_point_buys_and_what_had_no_score(
    calibrating: typer.Typer, clinic: Path
) -> None:
    result = CliRunner().invoke(calibrating, _arguments(clinic))
    assert result.exit_code == 0
    assert "200 films of 200 patients" in result.output
    assert "who-triage     score" in result.output
    assert "labelled films without a score: 12" in result.output
    assert "gone0.png: file-missing" in result.output
    assert "and 2 more" in result.output
    assert "the old one kept as calibration-old-1.json" in result.output


def test_operating_points_and_the_default_are_the_users_choice(
    calibrating: typer.Typer, clinic: Path
) -> None:
    chosen = ["--operating-point", "capacity:10%", "--operating-point", "balanced", "--default", "balanced"]
    assert CliRunner().invoke(calibrating, _arguments(clinic, *chosen, "--error-rate", "0.1")).exit_code == 0
    calibration = open_model(clinic / "model").calibration
    assert [point.name for point in calibration.operating_points] == ["capacity:10%", "balanced"]
    assert calibration.operating_point().name == "balanced"
    assert calibration.operating_point().review_low is not None


@pytest.mark.parametrize("prevalence", ["0.05", "5%"])
def test_the_prices_and_the_prevalence_reach_the_table(
    calibrating: typer.Typer, clinic: Path, prevalence: str
) -> None:
    prices = [
        "--prevalence",
        prevalence,
        "--price-film",
        "3",
        "--price-read",
        "20",
        "--out",
        str(clinic / "out"),
    ]
    assert CliRunner().invoke(calibrating, _arguments(clinic, *prices)).exit_code == 0
    assert (
        "5.0 % of them abnormal, at 3 a film and 20 a film read"
        in (clinic / "out/calibration.html").read_text()
    )
    first = (clinic / "out/thresholds.csv").read_text().splitlines()[1].split(",")
    assert (first[-5], first[-2]) == ("50", "23000")  # cases found of 1000 films, cost of reading them all


def test_an_unknown_operating_point_is_wrong_usage(calibrating: typer.Typer, clinic: Path) -> None:
    result = CliRunner().invoke(calibrating, _arguments(clinic, "--operating-point", "best"))
    assert isinstance(result.exception, UsageError)


@pytest.fixture
def monitoring() -> typer.Typer:
    made = typer.Typer()
    made.command()(monitor)
    return made


def _scan(folder: Path, films: int, shift: float, seed: int) -> str:
    model = write_model_folder(folder.parent / "model")
    drawn = drawn_films(films, seed=seed)
    moved = replace(drawn, margins=drawn.margins + shift)
    sha256 = open_model(model).manifest.model_sha256
    return str(write_scan(folder, drawn_scores(moved, model_sha256=sha256, seed=seed)))


def test_a_night_in_order_exits_0_and_an_alarm_exits_3(monitoring: typer.Typer, tmp_path: Path) -> None:
    usual = _scan(tmp_path / "usual", 400, 0.0, seed=20)
    common = ["--model", str(tmp_path / "model"), "--baseline", usual]
    quiet = CliRunner().invoke(
        monitoring, [*common, _scan(tmp_path / "monday", 80, 0.0, seed=3)], standalone_mode=False
    )
    loud = CliRunner().invoke(
        monitoring, [*common, _scan(tmp_path / "tuesday", 80, 2.5, seed=4)], standalone_mode=False
    )
    assert (quiet.return_value, loud.return_value) == (0, 3)
    assert quiet.output.startswith("in order: ")
    assert loud.output.startswith("ALARM: ")
    assert "tuesday: flagged share is" in loud.output


def test_the_page_and_the_figures_go_where_they_are_asked_to(monitoring: typer.Typer, tmp_path: Path) -> None:
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
    assert CliRunner().invoke(monitoring, arguments, standalone_mode=False).return_value == 0
    assert json.loads((tmp_path / "out" / "monitor.json").read_text())["alarm"] is False
    assert (tmp_path / "out" / "monitor.html").is_file()
    assert not (tmp_path / "monday" / "monitor.html").exists()
