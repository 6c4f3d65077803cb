import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from cxr_calibration.calibrate import CalibrateOptions, calibrate_model
from cxr_calibration.fit.calibration_json import FittedOn, calibration_json, write_calibration
from cxr_calibration.fit.description import fit_and_describe
from cxr_calibration.labels.labelled_films import LabelledFilms
from cxr_calibration.monitor import MonitorOptions, compare_scans, read_promised
from cxr_calibration.statistics.intervals import films_worth
from cxr_runtime.errors import CalibrationError, StoreError
from cxr_runtime.model.folder import DEFAULT_MODEL, open_model
from drawn_films import drawn_films
from model_folders import write_model_folder
from scored_scans import drawn_scores, rejected, write_scan


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model calibrated on a scan of 500 drawn films."""
    folder = tmp_path_factory.mktemp("calibrated")
    made, films = write_model_folder(folder / "model"), drawn_films(500, seed=77)
    scan = _night(folder / "reference", made, films)
    labels = folder / "labels.csv"
    rows = [f"{number}.png,{int(truth)}" for number, truth in enumerate(films.truth.tolist())]
    labels.write_text("\n".join(["file,label", *rows]))
    calibrate_model(labels, CalibrateOptions(made, scan))
    return made


def _night(folder: Path, model: Path, films: LabelledFilms, seed: int = 0, time: str = "T03") -> Path:
    sha256 = open_model(model, allow_uncalibrated=True).manifest.model_sha256
    rows = drawn_scores(films, model_sha256=sha256, seed=seed)
    return write_scan(folder, [replace(row, finished=f"2026-01-02{time}:00:00+00:00") for row in rows])


def _shifted(films: LabelledFilms, by: float) -> LabelledFilms:
    return replace(films, margins=films.margins + by)


def test_a_fresh_night_of_the_same_is_in_order(tmp_path: Path, model: Path) -> None:
    night = _night(tmp_path / "monday", model, drawn_films(80, seed=3), seed=3)
    report, out = compare_scans([night], MonitorOptions(model))
    assert report.alarms == ()
    assert report.sentence.startswith("in order: 6 checks of 80 films")
    assert report.remark == ""
    assert out == night


def test_a_folder_whose_name_is_no_text_is_compared(tmp_path: Path, model: Path) -> None:
    night = _night(tmp_path / os.fsdecode(b"mi\xe9rcoles"), model, drawn_films(80, seed=3), seed=3)
    compare_scans([night], MonitorOptions(model))
    assert "mi\\xe9rcoles" in json.loads((night / "monitor.json").read_text())["nights"][0]["name"]


def test_a_night_that_another_machine_scanned_is_compared_and_said_to_be_so(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nights = [_night(tmp_path / "monday", model, drawn_films(80, seed=3), seed=3)]
    monkeypatch.setenv("CXR_TRIAGE_DATA", str(tmp_path / "another machine"))
    nights.append(_night(tmp_path / "tuesday", model, drawn_films(80, seed=4), seed=4))
    report, _ = compare_scans(nights, MonitorOptions(model))
    assert report.remark == "Rows of monday were made on another machine, or changed since they were made."


def test_a_night_whose_scores_moved_alarms(tmp_path: Path, model: Path) -> None:
    night = _night(tmp_path / "monday", model, _shifted(drawn_films(80, seed=3), 2.5), seed=3)
    report, _ = compare_scans([night], MonitorOptions(model))
    assert report.sentence.startswith("ALARM: ")
    assert any(alarm.startswith("monday: flagged share is") for alarm in report.alarms)


def test_a_small_shift_is_found_by_all_nights_together(tmp_path: Path, model: Path) -> None:
    nights = [
        _night(tmp_path / f"night{n}", model, _shifted(drawn_films(40, seed=n), 1.0), seed=n, time=f"T0{n}")
        for n in range(8)
    ]
    report, _ = compare_scans(nights, MonitorOptions(model))
    assert report.reports[-1].name == "all nights together"
    assert report.reports[-1].films == 320
    assert any("all nights together" in alarm for alarm in report.alarms)
    assert sum(bool(night.alarms) for night in report.reports[:-1]) <= 2


def test_nights_are_shown_in_the_order_they_were_made(tmp_path: Path, model: Path) -> None:
    late = _night(tmp_path / "a", model, drawn_films(30, seed=1), time="T05")
    early = _night(tmp_path / "b", model, drawn_films(30, seed=2), time="T01")
    report, out = compare_scans([late, early], MonitorOptions(model))
    assert [night.name for night in report.reports] == ["b", "a", "all nights together"]
    assert out == late


def test_the_page_and_the_json_tell_the_same(tmp_path: Path, model: Path) -> None:
    night = _night(tmp_path / "monday", model, _shifted(drawn_films(80, seed=3), 2.5))
    report, out = compare_scans([night], MonitorOptions(model, out=tmp_path / "out"))
    stated = json.loads((out / "monitor.json").read_text())
    assert stated["alarm"] is True
    assert stated["alarms"] == list(report.alarms)
    assert len(stated["nights"][0]["checks"]) == len(report.reports[0].checks)
    page = (out / "monitor.html").read_text()
    assert page.count("<svg") == 2
    assert report.alarms[0] in page


def test_nights_in_order_can_be_the_reference(tmp_path: Path, model: Path) -> None:
    """A clinic with fewer sick people than the calibration: its own nights say what is usual."""
    usual = [
        _night(tmp_path / f"u{n}", model, drawn_films(150, prevalence=0.1, seed=n), seed=n) for n in range(3)
    ]
    night = _night(tmp_path / "monday", model, drawn_films(80, prevalence=0.1, seed=9), seed=9)
    assert compare_scans([night], MonitorOptions(model))[0].alarms
    assert not compare_scans([night], MonitorOptions(model, baseline=tuple(usual)))[0].alarms


def test_readers_who_find_much_that_was_not_flagged_raise_an_alarm(tmp_path: Path, model: Path) -> None:
    films = drawn_films(120, seed=3)
    night = _night(tmp_path / "monday", model, films, seed=3)
    verdicts = tmp_path / "verdicts.csv"
    agreeing = [f"{number}.png,{int(truth)}" for number, truth in enumerate(films.truth.tolist())]
    verdicts.write_text("\n".join(["file,label", *agreeing, "gone.png,1"]))
    report, _ = compare_scans([night], MonitorOptions(model, verdicts=verdicts))
    assert report.agreement is not None
    assert report.agreement.counts.films == 120
    assert report.agreement.kappa > 0.5
    assert [film.file for film in report.agreement.unscored] == ["gone.png"]
    assert report.alarms == ()
    disagreeing = [f"{number}.png,{int(number % 2)}" for number in range(120)]
    verdicts.write_text("\n".join(["file,label", *disagreeing]))
    report, _ = compare_scans([night], MonitorOptions(model, verdicts=verdicts))
    assert [alarm.split(" is ")[0] for alarm in report.alarms] == [
        "monday: sensitivity by readers",
        "monday: specificity by readers",
    ]


def test_verdicts_with_weights_count_as_the_films_that_were_read(tmp_path: Path, model: Path) -> None:
    films = drawn_films(60, seed=3)
    night = _night(tmp_path / "monday", model, films, seed=3)
    verdicts = tmp_path / "verdicts.csv"
    rows = [f"{number}.png,{int(truth)},10" for number, truth in enumerate(films.truth.tolist())]
    verdicts.write_text("\n".join(["file,label,weight", *rows]))
    agreement = compare_scans([night], MonitorOptions(model, verdicts=verdicts))[0].agreement
    assert agreement is not None
    assert (agreement.counts.films, agreement.weighted.films) == (60, 600)
    assert sum(check.films for check in agreement.checks) == pytest.approx(60, abs=3)


def test_verdicts_are_compared_with_what_the_calibration_states(model: Path) -> None:
    own = open_model(model)
    stated = json.loads(own.calibration_file.read_text())["operating_points"]["balanced"]
    counted = stated["true_positives"] + stated["false_negatives"]
    promised = read_promised(own.calibration_file, "balanced")
    assert films_worth(promised.sensitivity) == pytest.approx(counted, abs=0.1)
    shipped = read_promised(open_model(DEFAULT_MODEL).calibration_file, "balanced")
    assert shipped.sensitivity.value == 0.8089


def test_an_empty_night_is_nothing_to_compare(tmp_path: Path, model: Path) -> None:
    report, _ = compare_scans([write_scan(tmp_path / "sunday", [])], MonitorOptions(model))
    assert report.sentence == "nothing to compare: 0 films in 1 scan"


def test_a_night_of_rejected_films_is_compared_by_its_rejections(tmp_path: Path, model: Path) -> None:
    night = write_scan(tmp_path / "monday", [rejected(f"{n}.png", "lateral") for n in range(30)])
    report, out = compare_scans([night], MonitorOptions(model))
    assert report.alarms[0] == "monday: films without a score is 100 % (30 of 30), expected 0 %"
    assert (out / "monitor.html").is_file()


def test_a_calibration_of_chosen_films_says_so(tmp_path: Path) -> None:
    made, films = write_model_folder(tmp_path / "model"), drawn_films(300, seed=7)
    sha256 = open_model(made).manifest.model_sha256
    fitted_on = FittedOn(sha256, "1", "fp32")
    write_calibration(made, calibration_json(fit_and_describe(films), fitted_on))
    report, out = compare_scans(
        [_night(tmp_path / "monday", made, drawn_films(60, seed=8))], MonitorOptions(made)
    )
    assert "--baseline" in report.remark
    assert report.remark in (out / "monitor.html").read_text()
    assert [check.name for check in report.reports[0].checks] == [
        "flagged share",
        "scores (KS)",
        "scores (PSI)",
    ]


def test_another_models_night_is_refused(tmp_path: Path, model: Path) -> None:
    night = write_scan(tmp_path / "monday", drawn_scores(drawn_films(10)))
    with pytest.raises(CalibrationError, match="another model"):
        compare_scans([night], MonitorOptions(model))


def test_a_folder_without_a_scan_is_refused(tmp_path: Path, model: Path) -> None:
    with pytest.raises(StoreError, match="holds no"):
        compare_scans([tmp_path], MonitorOptions(model))


def test_a_calibration_that_keeps_no_reference_asks_for_a_baseline(tmp_path: Path) -> None:
    bare = write_model_folder(tmp_path / "model")
    night = _night(tmp_path / "monday", bare, drawn_films(30))
    with pytest.raises(CalibrationError, match="--baseline"):
        compare_scans([night], MonitorOptions(bare))
    assert compare_scans([night], MonitorOptions(bare, baseline=(night,)))[0].alarms == ()
