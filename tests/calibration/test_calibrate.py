import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from cxr_calibration import calibrate
from cxr_calibration.calibrate import CalibrateOptions, calibrate_model
from cxr_calibration.fit.description import FitOptions
from cxr_calibration.fit.rules import Balanced, parse_rule
from cxr_calibration.labels.choosing import choose
from cxr_calibration.labels.labelled_films import LabelledFilms
from cxr_calibration.monitoring.reference import read_reference
from cxr_runtime.errors import CalibrationError, StoreError
from cxr_runtime.model.calibration import read_calibration
from cxr_runtime.model.folder import open_model
from cxr_runtime.model.known_films import write_known_films
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
    for number in range(40):
        opacity = OpacitySpot(0.32, 0.5, radius=0.25, density=1.5) if number % 2 else None
        cv2.imwrite(
            str(tmp_path / "films" / f"{number}.png"), draw_phantom(number, hw=(256, 256), opacity=opacity)
        )
        rows.append(f"films/{number}.png,{number % 2},p{number // 2 if number < 4 else number}")
    (tmp_path / "films" / "broken.png").write_bytes(b"no film")
    (tmp_path / "labels.csv").write_text("\n".join([*rows, "films/broken.png,1"]))
    model = write_model_folder(tmp_path / "model")
    summary = calibrate_model(tmp_path / "labels.csv", CalibrateOptions(model))
    assert summary.description.films + len(summary.gathered.unscored) == 41
    assert summary.description.films >= 30
    assert "films/broken.png" in [film.file for film in summary.gathered.unscored]
    assert open_model(model).is_calibrated
    reference = read_reference(model / "calibration.json")
    assert reference.brightness is not None
    assert reference.films is None


def test_weights_say_how_films_come_where_no_scan_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    films, model = drawn_films(2000, prevalence=0.15), write_model_folder(tmp_path / "model")
    chosen, scores = choose(films.margins, 200), drawn_scores(films)
    read = [scores[row] for row in chosen.rows]
    rows = [
        f"{score.outcome.file},{score.outcome.sha256},{int(films.truth[row])},{weight:.4f}"
        for score, row, weight in zip(read, chosen.rows, chosen.weights, strict=True)
    ]
    (tmp_path / "labels.csv").write_text("\n".join(["file,sha256,label,weight", *rows]))
    (tmp_path / read[0].outcome.file).touch()
    monkeypatch.setattr(calibrate, "score_films", lambda *_: read)
    fit = FitOptions(rules=(Balanced(), parse_rule("capacity:20%")))
    description = calibrate_model(tmp_path / "labels.csv", CalibrateOptions(model, fit=fit)).description
    capacity = description.points[1]
    flagged = description.choice.chosen.probability(films.margins) >= capacity.threshold
    assert flagged.mean() == pytest.approx(0.2, abs=0.04)
    assert capacity.flagged_share.high - capacity.flagged_share.low > 0.05
    reference = read_reference(model / "calibration.json")
    assert reference.kinds is not None
    assert reference.independent_films < 150
    for kept, true in (
        (reference.margins, films.margins),
        (reference.kinds.normal, films.margins[~films.truth]),
        (reference.kinds.abnormal, films.margins[films.truth]),
    ):
        assert kept.films <= 200
        assert np.median(kept.quantiles) == pytest.approx(np.median(true), abs=0.5)


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


def test_the_calibration_of_a_model_of_the_program_goes_into_the_clinics_own_folder(
    bundled: Path, tmp_path: Path
) -> None:
    films, before = drawn_films(200), {path: path.read_bytes() for path in bundled.iterdir()}
    scan = _scan(tmp_path / "scan", films, bundled)
    summary = calibrate_model(_labels(tmp_path, films), CalibrateOptions(scan=scan))
    sha256 = open_model().manifest.model_sha256
    assert summary.folder == tmp_path / "data" / "calibrations" / sha256
    assert summary.is_found
    assert {path: path.read_bytes() for path in bundled.iterdir()} == before
    assert open_model().calibration.operating_point().threshold == summary.description.default_point.threshold
    assert open_model().calibration_origin.startswith("this clinic's own, made on")


def test_out_takes_the_calibration_of_a_model_of_the_program(bundled: Path, tmp_path: Path) -> None:
    films = drawn_films(200)
    options = CalibrateOptions(scan=_scan(tmp_path / "scan", films, bundled), out=tmp_path / "mine")
    summary = calibrate_model(_labels(tmp_path, films), options)
    assert not summary.is_found
    assert {path.name for path in (tmp_path / "mine").iterdir()} == {
        "calibration.html", "thresholds.csv", "calibration.json",
    }  # fmt: skip
    assert not (tmp_path / "data" / "calibrations").exists()
    found = open_model(calibration=tmp_path / "mine").calibration.operating_point()
    assert found.threshold == summary.description.default_point.threshold


def test_a_second_calibration_keeps_the_first(bundled: Path, tmp_path: Path) -> None:
    films = drawn_films(200)
    options = CalibrateOptions(scan=_scan(tmp_path / "scan", films, bundled))
    first = calibrate_model(_labels(tmp_path, films), options)
    written = (first.folder / "calibration.json").read_bytes()
    second = calibrate_model(_labels(tmp_path, films), options)
    assert second.kept is not None
    assert second.kept.read_bytes() == written


def test_films_that_the_model_has_learned_from_are_left_out_and_counted(tmp_path: Path) -> None:
    films, model = drawn_films(200), write_model_folder(tmp_path / "model")
    scan, sha256 = _scan(tmp_path / "scan", films, model), open_model(model).manifest.model_sha256
    learned = [score.outcome.sha256 for score in drawn_scores(films, model_sha256=sha256)[:30]]
    write_known_films(model, sha256, learned)
    summary = calibrate_model(_labels(tmp_path, films), CalibrateOptions(model, scan))
    assert summary.description.films == 170
    assert summary.gathered.unscored_by_code["learned-from"] == 30
    assert any("30 films were left out: the model has learned from them" in said for said in summary.remarks)
    assert read_reference(model / "calibration.json").margins.films == 170


def test_only_films_that_the_model_has_learned_from_are_no_calibration(tmp_path: Path) -> None:
    films, model = drawn_films(50), write_model_folder(tmp_path / "model")
    scan, sha256 = _scan(tmp_path / "scan", films, model), open_model(model).manifest.model_sha256
    write_known_films(model, sha256, [s.outcome.sha256 for s in drawn_scores(films, model_sha256=sha256)])
    with pytest.raises(
        CalibrationError, match=r"has learned from this film.*give films that it has not learned"
    ):
        calibrate_model(_labels(tmp_path, films), CalibrateOptions(model, scan))


def test_a_model_that_does_not_say_what_it_learned_from_is_remarked(tmp_path: Path) -> None:
    films, model = drawn_films(100), write_model_folder(tmp_path / "model")
    options = CalibrateOptions(model, _scan(tmp_path / "s", films, model))
    remarks = calibrate_model(_labels(tmp_path, films), options).remarks
    assert any("does not say which films it has learned from" in remark for remark in remarks)


def test_a_default_that_is_not_met_gives_way_to_the_next_that_is(tmp_path: Path) -> None:
    films, model = drawn_films(200, apart=1.0), write_model_folder(tmp_path / "model")
    rules = (Balanced(), parse_rule("who-triage"), parse_rule("rule-out"))
    options = CalibrateOptions(
        model, _scan(tmp_path / "s", films, model), fit=FitOptions(rules=rules, default="who-triage")
    )
    summary = calibrate_model(_labels(tmp_path, films), options)
    met = {point.name: point.met for point in summary.description.points}
    assert not met["who-triage"]
    assert open_model(model).calibration.operating_point().name == summary.description.default
    assert met[summary.description.default]
    assert any("who-triage is not met" in remark for remark in summary.remarks)


def test_films_that_support_no_operating_point_leave_the_calibration_as_it_was(tmp_path: Path) -> None:
    films, model = drawn_films(12), write_model_folder(tmp_path / "model")
    before = (model / "calibration.json").read_bytes()
    scan = _scan(tmp_path / "s", films, model)
    fit = FitOptions(rules=(Balanced(), parse_rule("who-triage")))
    with pytest.raises(CalibrationError, match="no operating point is met by these 12 films"):
        calibrate_model(_labels(tmp_path, films), CalibrateOptions(model, scan, fit=fit))
    assert (model / "calibration.json").read_bytes() == before
    assert (tmp_path / "labels-calibration" / "calibration.html").is_file()
