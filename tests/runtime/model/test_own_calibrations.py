import json
import shutil
from pathlib import Path

import pytest

from cxr_runtime.errors import CalibrationError, UsageError
from cxr_runtime.model.folder import open_model
from cxr_runtime.model.own_calibrations import folder_to_keep_it_in, own_calibration_folder
from model_folders import write_model_folder


def _keep(source: Path, sha256: str, threshold: float, made: str = "2026-11-29", films: int = 312) -> Path:
    stated = json.loads((source / "calibration.json").read_text())
    stated["operating_points"]["balanced"]["threshold"] = threshold
    kept = folder_to_keep_it_in(sha256)
    kept.mkdir(parents=True)
    (kept / "calibration.json").write_text(json.dumps(stated | {"made": made, "films": films}))
    return kept


def test_the_calibration_that_came_with_the_program_says_so(bundled: Path) -> None:
    model = open_model()
    assert model.calibration_file == bundled / "calibration.json"
    assert model.calibration_origin == "the one that came with the program"


def test_a_clinics_own_calibration_is_found_by_the_model_and_named(bundled: Path) -> None:
    sha256 = open_model().manifest.model_sha256
    kept = _keep(bundled, sha256, 0.123)
    model = open_model()
    assert model.calibration.operating_point().threshold == 0.123
    assert model.calibration_file == kept / "calibration.json"
    assert model.calibration_origin == "this clinic's own, made on 2026-11-29 from 312 films"


def test_installing_the_program_anew_keeps_the_clinics_calibration(bundled: Path, tmp_path: Path) -> None:
    _keep(bundled, open_model().manifest.model_sha256, 0.123)
    shutil.rmtree(bundled)
    write_model_folder(bundled)
    assert open_model().calibration.operating_point().threshold == 0.123


def test_a_new_model_does_not_get_the_calibration_of_the_old_one_and_says_so(bundled: Path) -> None:
    _keep(bundled, "ab" * 32, 0.123)
    model = open_model()
    assert model.calibration.operating_point().threshold == 0.5
    assert "this clinic's own is for another model, so calibrate again" in model.calibration_origin


def test_a_damaged_calibration_of_the_clinic_is_refused_and_not_passed_over(bundled: Path) -> None:
    kept = _keep(bundled, open_model().manifest.model_sha256, 0.123)
    (kept / "calibration.json").write_text("{")
    with pytest.raises(CalibrationError, match="cannot be used"):
        open_model()


def test_a_calibration_from_another_machine_is_remarked(bundled: Path) -> None:
    _keep(bundled, open_model().manifest.model_sha256, 0.123)
    assert "calibration.json not made on this machine" in open_model().remarks


def test_a_model_folder_of_ones_own_has_its_calibration_beside_it(bundled: Path, tmp_path: Path) -> None:
    own = write_model_folder(tmp_path / "own", threshold=0.25)
    _keep(bundled, open_model().manifest.model_sha256, 0.123)
    model = open_model(own)
    assert model.calibration.operating_point().threshold == 0.25
    assert model.calibration_origin.startswith("that of the model's folder, made on a day")


def test_a_calibration_can_be_named(bundled: Path, tmp_path: Path) -> None:
    named = write_model_folder(tmp_path / "named", threshold=0.25)
    for path in (named, named / "calibration.json"):
        model = open_model(calibration=path)
        assert model.calibration.operating_point().threshold == 0.25
        assert str(named / "calibration.json") in model.calibration_origin
    with pytest.raises(UsageError, match="no calibration at"):
        open_model(calibration=tmp_path)


def test_a_user_without_a_home_has_no_calibration_and_cannot_keep_one(
    bundled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cxr_runtime.model.own_calibrations.data_root", lambda: None)
    assert own_calibration_folder("ab" * 32) is None
    assert open_model().calibration_file == bundled / "calibration.json"
    with pytest.raises(UsageError, match="name a folder with --out"):
        folder_to_keep_it_in("ab" * 32)
