import json
from dataclasses import replace
from pathlib import Path

import cv2
import pytest

from cxr_calibration.calibrate import CalibrateOptions, calibrate_model
from cxr_calibration.fit.description import FitOptions
from cxr_calibration.fit.rules import Balanced, parse_rule
from cxr_calibration.labels.labelled_films import LabelledFilms
from cxr_calibration.monitoring.reference import read_reference
from cxr_runtime.errors import CalibrationError, StoreError
from cxr_runtime.model.calibration import read_calibration
from cxr_runtime.model.folder import open_model
from cxr_runtime.phantom import OpacitySpot, draw_phantom
from drawn_films import drawn_films
from model_folders import write_model_folder
from scored_scans import drawn_scores, rejected, write_scan


def _labels(folder: Path, films: LabelledFilms) -> Path:
    rows = [f"{number}.png,{int(truth)}" for number, truth in enumerate(films.truth.tolist())]
    path = folder / "labels.csv"
    path.write_text("\n".join(["file,label", *rows, "lateral.png,0", "nowhere.png,1"]) + "\n")
    return path


def _scan(folder: Path, films: LabelledFilms, model: Path, extra: int = 0) -> Path:
    sha256 = open_model(model).manifest.model_sha256
    more = drawn_scores(drawn_films(extra, prevalence=0.05, seed=5), model_sha256=sha256) if extra else []
    unlabelled = [
        replace(score, outcome=replace(score.outcome, file=f"more/{n}", sha256=f"{n:064x}"))
        for n, score in enumerate(more)
    ]
    own = drawn_scores(films, model_sha256=sha256)
    return write_scan(folder, [*own, rejected("lateral.png", "lateral"), *unlabelled])


def test_a_scans_scores_become_a_calibration_that_the_model_opens_with(tmp_path: Path) -> None:
    films, model = drawn_films(200), write_model_folder(tmp_path / "model")
    scan = _scan(tmp_path / "scan", films, model)
    summary = calibrate_model(_labels(tmp_path, films), CalibrateOptions(model, scan))
    opened = open_model(model)
    assert opened.is_calibrated
    assert [point.name for point in opened.calibration.operating_points] == [
        "balanced", "who-triage", "rule-out", "capacity:20%", "fixed:0.5",
    ]  # fmt: skip
    assert summary.kept is not None
    assert read_calibration(summary.kept).operating_point("strict").threshold == 0.1
    assert summary.gathered.unscored_by_code == {"file-missing": 1, "lateral": 1}
    assert json.loads((model / "calibration.json").read_text())["unscored"] == {
        "file-missing": 1,
        "lateral": 1,
    }


def test_the_page_and_the_table_lie_beside_the_labels(tmp_path: Path) -> None:
    films, model = drawn_films(100), write_model_folder(tmp_path / "model")
    summary = calibrate_model(
        _labels(tmp_path, films), CalibrateOptions(model, _scan(tmp_path / "s", films, model))
    )
    assert summary.out == tmp_path / "labels-calibration"
    assert len((summary.out / "thresholds.csv").read_text().splitlines()) == 101
    assert "nowhere.png" in (summary.out / "calibration.html").read_text()


def test_a_scan_says_how_films_come_to_the_clinic(tmp_path: Path) -> None:
    films, model = drawn_films(200), write_model_folder(tmp_path / "model")
    scan = _scan(tmp_path / "scan", films, model, extra=800)
    fit = FitOptions(rules=(Balanced(), parse_rule("capacity:20%")))
    summary = calibrate_model(_labels(tmp_path, films), CalibrateOptions(model, scan, fit=fit))
    assert summary.description.points[1].flagged_share.value == pytest.approx(0.2)
    assert summary.description.points[1].counts.flagged_share > 0.3
    reference = read_reference(model / "calibration.json")
    assert (reference.films, reference.unscored) == (1001, {"lateral": 1})


def test_films_are_scored_by_the_model_itself_where_no_scan_is_given(tmp_path: Path) -> None:
    """The brightness network finds large opacities brighter; a file that is no film is named, not fatal."""
    rows = ["file,label,patient"]
    (tmp_path / "films").mkdir()
    for number in range(24):
        opacity = OpacitySpot(0.32, 0.5, radius=0.16, density=1.0) if number % 2 else None
        cv2.imwrite(
            str(tmp_path / "films" / f"{number}.png"), draw_phantom(number, hw=(256, 256), opacity=opacity)
        )
        rows.append(f"films/{number}.png,{number % 2},p{number // 2 if number < 4 else number}")
    (tmp_path / "films" / "broken.png").write_bytes(b"no film")
    (tmp_path / "labels.csv").write_text("\n".join([*rows, "films/broken.png,1"]))
    model = write_model_folder(tmp_path / "model")
    summary = calibrate_model(tmp_path / "labels.csv", CalibrateOptions(model))
    assert summary.description.films + len(summary.gathered.unscored) == 25
    assert summary.description.films >= 20
    assert "films/broken.png" in [film.file for film in summary.gathered.unscored]
    assert open_model(model).is_calibrated
    reference = read_reference(model / "calibration.json")
    assert reference.brightness is not None
    assert reference.films is None


def test_another_models_scan_is_refused(tmp_path: Path) -> None:
    films, model = drawn_films(100), write_model_folder(tmp_path / "model")
    scan = write_scan(tmp_path / "scan", drawn_scores(films))
    before = (model / "calibration.json").read_text()
    with pytest.raises(CalibrationError, match="made with another model"):
        calibrate_model(_labels(tmp_path, films), CalibrateOptions(model, scan))
    assert (model / "calibration.json").read_text() == before


def test_a_folder_without_a_scan_is_refused(tmp_path: Path) -> None:
    model = write_model_folder(tmp_path / "model")
    with pytest.raises(StoreError, match=r"holds no triage\.sqlite"):
        calibrate_model(_labels(tmp_path, drawn_films(10)), CalibrateOptions(model, tmp_path))


def test_labels_of_one_kind_are_refused(tmp_path: Path) -> None:
    films, model = drawn_films(50, prevalence=0.0), write_model_folder(tmp_path / "model")
    with pytest.raises(CalibrationError, match="0 are labelled abnormal and 50 normal"):
        calibrate_model(
            _labels(tmp_path, films), CalibrateOptions(model, _scan(tmp_path / "s", films, model))
        )


def test_labels_without_any_film_are_refused(tmp_path: Path) -> None:
    model = write_model_folder(tmp_path / "model")
    with pytest.raises(CalibrationError, match="none of 12 labelled films is there"):
        calibrate_model(_labels(tmp_path, drawn_films(10)), CalibrateOptions(model))
