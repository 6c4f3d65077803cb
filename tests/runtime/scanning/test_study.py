"""A scan with patients in it: where their names lie afterwards, and when DICOM results are made again."""

import logging
import re
import shutil
import sqlite3
import subprocess
import warnings
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import pytest
from pydicom import dcmread

from cxr_runtime.errors import InstallationError
from cxr_runtime.files import DICOM_FOLDER, STORE_FILE, parse_formats
from cxr_runtime.folders import DATA_VARIABLE
from cxr_runtime.identity import IdentityKind
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.progress import Progress, Silence
from cxr_runtime.reports.again import merge
from cxr_runtime.reports.dicom import structured_report
from cxr_runtime.scanning import study
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.scanning.scan import ScanSummary, scan
from cxr_runtime.store.store import Store
from model_folders import write_model_folder
from study_films import (
    ACCESSION,
    NAME,
    PATIENT,
    SECRETS,
    STUDY,
    errors_of,
    needs_dicom3tools,
    study_film,
)  # fmt: skip

Scan = Callable[..., ScanSummary]
EVERYTHING = "csv,html,pdf,png,npz,dicom"


class Heard(Silence):
    """Keeps what a user is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """A scored film, one rejected by its tags, one that is damaged, and one without a study."""
    folder = tmp_path / "night"
    folder.mkdir()
    (folder / "a.dcm").write_bytes(study_film(0))
    (folder / "hand.dcm").write_bytes(study_film(1, BodyPartExamined="HAND"))
    (folder / "torn.dcm").write_bytes(study_film(2)[:-20_000])
    cv2.imwrite(str(folder / "plain.png"), draw_phantom(3, hw=(256, 256)))
    return folder


@pytest.fixture
def again(films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scan:
    """Scans the films into tmp_path/out."""
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "data"))
    model = write_model_folder(tmp_path / "model", threshold=0.3)
    options = ScanOptions(
        tmp_path / "out", model, "onnxruntime", workers=1, formats=parse_formats(EVERYTHING)
    )

    def run(progress: Progress | None = None, **changes: Any) -> ScanSummary:
        return scan([films], replace(options, **changes), progress)

    return run


def printed_text(out: Path) -> bytes:
    """The words of report.pdf, which a grep does not find."""
    if shutil.which("pdftotext") is None:
        pytest.skip("poppler-utils are not installed: no pdftotext")
    return subprocess.run(["pdftotext", out / "report.pdf", "-"], check=True, capture_output=True).stdout


def holding(out: Path, *, outside: str = "") -> dict[str, list[bytes]]:
    """Files of a folder that hold a secret, with the secrets; those in the folder `outside` are left out."""
    files = [path for path in out.rglob("*") if path.is_file() and path.parent.name != outside]
    assert files
    found = {path.name: [secret for secret in SECRETS if secret in path.read_bytes()] for path in files}
    assert not any(secret in str(path).encode() for path in files for secret in SECRETS)
    return {name: secrets for name, secrets in found.items() if secrets}


def objects(out: Path) -> dict[str, Any]:
    return {path.name[-6:-4]: dcmread(path) for path in sorted((out / DICOM_FOLDER).iterdir())}


@pytest.mark.parametrize("kind", [IdentityKind.NONE, IdentityKind.PSEUDONYM])
def test_nothing_names_the_patient_but_the_films_own_results(
    kind: IdentityKind, again: Scan, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: Any
) -> None:
    heard = Heard()
    with caplog.at_level(logging.DEBUG), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        again(heard, identity=kind)
    assert holding(tmp_path / "out", outside=DICOM_FOLDER) == {}
    assert len(holding(tmp_path / "out")) == 3
    assert not [secret for secret in SECRETS if secret in printed_text(tmp_path / "out")]
    printed = capfd.readouterr()
    said = "\n".join([*heard.lines, caplog.text, printed.out, printed.err, *map(str, caught)])
    assert not [secret for secret in SECRETS if secret.decode() in said]


def test_without_dicom_results_nothing_at_all_names_the_patient(again: Scan, tmp_path: Path) -> None:
    again(formats=parse_formats("csv,html,pdf,png"))
    assert holding(tmp_path / "out") == {}
    assert not (tmp_path / "out" / DICOM_FOLDER).exists()


def test_a_clinic_that_wants_to_finds_the_patient_in_worklist_and_store_and_in_no_table(
    again: Scan, tmp_path: Path
) -> None:
    again(identity=IdentityKind.FULL)
    out = tmp_path / "out"
    page = (out / "worklist.html").read_text(encoding="utf-8")
    page = page.replace("<bdi>", "").replace("</bdi>", "")  # around each fact
    whole = f"Zyxwvut, Quorra · ID {PATIENT} · born 1961-02-03 · study of 2026-03-04 · accession {ACCESSION}"
    assert page.count(whole) == 2  # the scored film and the rejected one
    assert {"results.csv", "heatmaps"}.isdisjoint(holding(out))
    assert "triage.sqlite" in holding(out)
    assert whole.encode() in printed_text(out)
    assert not any(path.suffix == ".png" for path in out.rglob("*") if path.name in holding(out))


def test_results_that_nobody_is_sent_are_not_made_until_somebody_wants_them(
    again: Scan, tmp_path: Path
) -> None:
    picture = ScanOptions(formats=parse_formats("csv")).with_results(frozenset({"sc"}))
    asked = {"formats": picture.formats, "result_kinds": picture.result_kinds}
    again(**asked)
    first = objects(tmp_path / "out")
    assert list(first) == ["sc"]
    assert again(**asked).finished_before > 0
    again()
    assert sorted(objects(tmp_path / "out")) == ["df", "sc", "sr"]
    assert objects(tmp_path / "out")["sc"] == first["sc"]


def test_a_film_whose_results_cannot_be_made_keeps_its_score_and_says_so(
    again: Scan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("1.2.3")

    with monkeypatch.context() as broken:
        broken.setattr(structured_report, "structured_report", fail)
        (film,) = [each for each in again().outcomes() if each.file.endswith("a.dcm")]
    assert film.score is not None
    told = "its DICOM results could not be made (KeyError); the next scan tries again"
    assert (film.code, film.message) == ("no-dicom-results", told)
    again()
    assert sorted(objects(tmp_path / "out")) == ["df", "sc", "sr"]


def test_stores_that_become_one_keep_whose_films_they_hold(again: Scan, tmp_path: Path) -> None:
    again(identity=IdentityKind.FULL)
    merge([tmp_path / "out"], tmp_path / "all")
    assert "Zyxwvut, Quorra" in (tmp_path / "all" / "worklist.html").read_text(encoding="utf-8")


def test_pseudonyms_tell_patients_apart_and_stay_the_same(again: Scan, films: Path, tmp_path: Path) -> None:
    (films / "b.dcm").write_bytes(study_film(4, SOPInstanceUID="2.25.4711.4"))
    (films / "c.dcm").write_bytes(study_film(5, PatientID="PID-2", SOPInstanceUID="2.25.4711.5"))
    again(identity=IdentityKind.PSEUDONYM)
    with closing(sqlite3.connect(tmp_path / "out" / STORE_FILE)) as db:
        rows = db.execute("SELECT patient, accession, name, born, studied FROM identities").fetchall()
    assert len({patient for patient, *_ in rows if patient}) == 2
    assert len({accession for _, accession, *_ in rows if accession}) == 1
    assert {rest for _, _, *rest in map(tuple, rows) for rest in rest} == {""}


def test_a_worklist_joins_no_two_patients_whose_ids_come_from_two_hospitals(
    again: Scan, films: Path, tmp_path: Path
) -> None:
    for number, issuer in enumerate(("NORTH", "SOUTH"), start=6):
        content = study_film(number, IssuerOfPatientID=issuer, SOPInstanceUID=f"2.25.4711.{number}")
        (films / f"{issuer}.dcm").write_bytes(content)
    again(identity=IdentityKind.FULL)
    merge([tmp_path / "out"], tmp_path / "all")
    for out in ("out", "all"):
        page = (tmp_path / out / "worklist.html").read_text(encoding="utf-8")
        assert len(set(re.findall('data-patient="([^"]+)"', page))) == 3
        assert f"ID {PATIENT} (SOUTH)" in page


def test_the_last_word_counts_what_was_kept_of_patients_is_forgotten(again: Scan, tmp_path: Path) -> None:
    csv = {"formats": parse_formats("csv,html,pdf")}
    again(identity=IdentityKind.FULL, **csv)
    assert holding(tmp_path / "out") != {}
    again(**csv)
    assert holding(tmp_path / "out") == {}


def test_a_finished_film_is_asked_again_for_what_was_not_wanted_before(again: Scan, tmp_path: Path) -> None:
    plain = {"formats": parse_formats("csv")}
    assert again(**plain).finished_before == 0
    assert again(**plain).finished_before == 4
    assert again().finished_before == 2  # the rejected and the damaged film have no results
    assert again().finished_before == 4
    assert again(identity=IdentityKind.FULL).finished_before == 1  # the damaged film names nobody
    assert again(identity=IdentityKind.FULL).finished_before == 4


def test_a_film_without_a_study_gets_no_results_and_the_summary_says_so(again: Scan, tmp_path: Path) -> None:
    assert again().without_study == 1
    assert len(list((tmp_path / "out" / DICOM_FOLDER).iterdir())) == 3
    assert again().without_study == 1
    assert again(formats=parse_formats("csv")).without_study == 0


def test_results_that_were_lost_are_made_again_the_same_to_the_byte(again: Scan, tmp_path: Path) -> None:
    again()
    folder = tmp_path / "out" / DICOM_FOLDER
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    next(folder.glob("*-sr.dcm")).unlink()
    next(folder.glob("*-pdf.dcm")).write_bytes(b"not what was written")
    assert again().finished_before == 3
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_another_operating_point_makes_other_results_and_the_first_one_the_first_again(
    again: Scan, tmp_path: Path
) -> None:
    again()
    first = objects(tmp_path / "out")
    again(operating_point="strict")
    second = objects(tmp_path / "out")
    assert all(first[kind].SOPInstanceUID != second[kind].SOPInstanceUID for kind in first)
    again()
    third = objects(tmp_path / "out")
    assert all(first[kind] == third[kind] for kind in first)


@needs_dicom3tools
def test_results_of_a_scan_are_sound_and_stand_in_the_films_study(
    again: Scan, films: Path, tmp_path: Path
) -> None:
    again()
    assert errors_of(*sorted((tmp_path / "out" / DICOM_FOLDER).iterdir())) == []
    assert {ds.StudyInstanceUID for ds in objects(tmp_path / "out").values()} == {STUDY}
    assert {str(ds.PatientName) for ds in objects(tmp_path / "out").values()} == {NAME}


def test_a_picture_that_we_made_is_never_scored(again: Scan, films: Path, tmp_path: Path) -> None:
    again()
    sc = next((tmp_path / "out" / DICOM_FOLDER).glob("*-sc.dcm"))
    (films / "from-the-pacs.dcm").write_bytes(sc.read_bytes())
    codes = {Path(row.file).name: row.code for row in again().outcomes()}
    assert codes["from-the-pacs.dcm"] == "own-result"


def test_a_missing_extra_is_one_line_before_anything_is_written(
    again: Scan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study, "find_spec", lambda _: None)
    with pytest.raises(InstallationError, match=r'needs highdicom and PIL.*"\.\[dicom\]"'):
        again()
    assert not (tmp_path / "out").exists()


def test_an_identity_that_was_forged_in_the_store_is_not_shown(again: Scan, tmp_path: Path) -> None:
    again(identity=IdentityKind.FULL)
    with closing(sqlite3.connect(tmp_path / "out" / STORE_FILE)) as db:
        db.execute("UPDATE identities SET name = 'Mallory'")
        db.commit()
    with Store.open(tmp_path / "out") as store:
        row = next(row for row in store.outcomes(store.last_run()) if row.file.endswith("a.dcm"))
        assert store.identities.of(row.sha256, "full") is None
