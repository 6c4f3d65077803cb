"""A scan compares its films with those of the calibration, and says it first where they are foreign."""

import csv
import json
from pathlib import Path

import cv2
import pytest
from typer.testing import CliRunner

from cxr_cli.commands import app
from cxr_runtime.files import ReportFormat
from cxr_runtime.model.likeness import FOREIGN
from cxr_runtime.model.looks import LOOKS
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.scanning.scan import ScanSummary, scan
from cxr_runtime.store.store import Store, read_scores
from model_folders import write_model_folder

FILMS = 12
AXES = [[float(row == column) for column in range(len(LOOKS) + 1)] for row in range(14)]


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("foreign") / "night"
    folder.mkdir()
    for seed in range(FILMS):
        cv2.imwrite(str(folder / f"{seed:02}.png"), draw_phantom(seed, hw=(256, 256)))
    (folder / "broken.png").write_bytes(b"no film")
    return folder


def _model(folder: Path, middle: list[float]) -> Path:
    """A model whose calibration was made on films that looked so, spread by 1 in every look."""
    model = write_model_folder(folder)
    path = model / "calibration.json"
    looks = {"names": list(LOOKS), "films": 500, "middle": middle, "axes": AXES}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"reference": {"looks": looks}}))
    return model


def _scan(night: Path, model: Path, out: Path) -> ScanSummary:
    formats = frozenset({ReportFormat.CSV, ReportFormat.HTML, ReportFormat.PDF})
    return scan(night, ScanOptions(out=out, model=model, backend="onnxruntime", formats=formats, workers=1))


def _column(out: Path) -> list[str]:
    with (out / "results.csv").open(encoding="utf-8", newline="") as file:
        return [row["foreign"] for row in csv.DictReader(file)]


def test_foreign_films_are_said_in_every_report_and_in_the_summary(night: Path, tmp_path: Path) -> None:
    model = _model(tmp_path / "model", [10.0] * (len(LOOKS) + 1))
    summary = _scan(night, model, tmp_path / "out")
    assert summary.foreign == FOREIGN
    assert _column(tmp_path / "out") == [FOREIGN] * (FILMS + 1)
    page = (tmp_path / "out" / "worklist.html").read_text(encoding="utf-8")
    assert f'<p class="alarm" role="alert">{FOREIGN}</p>' in page
    assert "what was measured of it does not hold for these films" in page
    with Store.open(tmp_path / "out") as store:
        facts = store.facts(store.last_run())
    assert facts is not None
    assert facts.foreign == FOREIGN
    assert facts.likeness == f"unlike those of the calibration: {FILMS} films compared"


def test_it_is_the_last_line_of_the_output(night: Path, tmp_path: Path) -> None:
    model = _model(tmp_path / "model", [10.0] * (len(LOOKS) + 1))
    asked = ["scan", str(night), "--out", str(tmp_path / "out"), "--model", str(model), "--format", "csv"]
    said = CliRunner().invoke(app, [*asked, "--workers", "1"]).output.strip().splitlines()
    assert said[-1] == FOREIGN


def test_films_like_those_of_the_calibration_are_scanned_without_a_word(night: Path, tmp_path: Path) -> None:
    plain = write_model_folder(tmp_path / "plain")
    assert _scan(night, plain, tmp_path / "first").foreign == ""
    scores = [score for score in read_scores(tmp_path / "first") if score.margin is not None]
    numbers = [[*score.looks, score.margin] for score in scores if score.margin is not None]
    middle = [sum(column) / len(numbers) for column in zip(*numbers, strict=True)]
    summary = _scan(night, _model(tmp_path / "model", middle), tmp_path / "out")
    assert summary.foreign == ""
    assert _column(tmp_path / "out") == [""] * (FILMS + 1)
    page = (tmp_path / "out" / "worklist.html").read_text(encoding="utf-8")
    assert f"like those of the calibration: {FILMS} films compared" in page


def test_a_calibration_that_does_not_say_how_its_films_looked_is_said_so(night: Path, tmp_path: Path) -> None:
    summary = _scan(night, write_model_folder(tmp_path / "model"), tmp_path / "out")
    assert summary.foreign == ""
    page = (tmp_path / "out" / "worklist.html").read_text(encoding="utf-8")
    assert "not compared: the calibration does not say how its films looked" in page


def test_a_second_run_compares_films_that_were_finished_before(night: Path, tmp_path: Path) -> None:
    plain = write_model_folder(tmp_path / "model")
    assert _scan(night, plain, tmp_path / "out").foreign == ""
    foreign = _model(tmp_path / "model", [10.0] * (len(LOOKS) + 1))
    summary = _scan(night, foreign, tmp_path / "out")
    assert summary.finished_before == FILMS + 1
    assert summary.foreign == FOREIGN
