"""Verdicts in a store are labels: a calibration and a monitoring run from them as from a file."""

from pathlib import Path

import pytest

from cxr_calibration.calibrate import CalibrateOptions, calibrate_model
from cxr_calibration.labels.verdict_labels import labels_in, labels_of_store
from cxr_runtime.errors import UsageError
from cxr_runtime.identity import Identity
from cxr_runtime.model.folder import open_model
from cxr_runtime.store.audit import Act
from cxr_runtime.store.desk import Desk
from cxr_runtime.store.verdicts import Said, Source, Verdict
from drawn_films import drawn_films
from drawn_stores import Drawn, change, write_store
from model_folders import write_model_folder
from scored_scans import drawn_scores, write_scan

NORMAL, ABNORMAL, UNSURE = Verdict.NORMAL, Verdict.ABNORMAL, Verdict.CANNOT_TELL


def say(
    folder: Path,
    film: str,
    verdict: Verdict,
    reader: str = "ann",
    *,
    source: Source = Source.READING,
    is_blinded: bool = True,
) -> None:
    with Desk.open(folder) as desk, desk.acting(reader, Act.SAID) as now:
        desk.verdicts.add(Said(film, reader, now, verdict, (), "", source, is_blinded))


def digests(folder: Path) -> list[str]:
    with Desk.open(folder, writes=False) as desk:
        return [row.sha256 for row in desk.outcomes(None)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_store(tmp_path / "out", [Drawn(f"{number}.png", number / 10) for number in range(10)])


def test_the_last_word_of_readers_who_agree_is_the_label(folder: Path) -> None:
    films = digests(folder)
    for verdict in (NORMAL, ABNORMAL):
        say(folder, films[9], verdict)
    say(folder, films[9], ABNORMAL, "ben")
    say(folder, films[0], NORMAL)
    found = labels_of_store(folder)
    assert {(label.file, label.abnormal) for label in found.labels} == {("9.png", True), ("0.png", False)}
    assert found.remarks == ()


def test_what_a_reader_must_know_of_the_labels_is_said(folder: Path) -> None:
    films = digests(folder)
    say(folder, films[9], ABNORMAL, is_blinded=False)
    say(folder, films[8], ABNORMAL)
    say(folder, films[8], NORMAL, "ben")
    say(folder, films[7], UNSURE)
    say(folder, films[0], NORMAL)
    change(folder, "UPDATE verdicts SET seal = '' WHERE verdict = 'normal' AND reader = 'ann'")
    said = " ".join(labels_of_store(folder).remarks)
    assert "Films left out because readers disagree about them: 1." in said
    assert "Films left out because nobody could tell: 1." in said
    assert "Labels of readers who had the score before them: 1 of 2." in said
    assert "Labels that rest on verdicts of another machine, or changed since they were given: 1." in said


def test_a_film_whose_verdict_was_withdrawn_gives_no_label_and_no_remark(folder: Path) -> None:
    films = digests(folder)
    for film in films[8:]:
        say(folder, film, ABNORMAL)
    say(folder, films[0], NORMAL)
    say(folder, films[9], Verdict.WITHDRAWN)
    found = labels_of_store(folder)
    assert {(label.file, label.abnormal) for label in found.labels} == {("8.png", True), ("0.png", False)}
    assert found.remarks == ()


def test_reading_the_flagged_films_alone_is_said(folder: Path) -> None:
    for film in digests(folder)[5:]:
        say(folder, film, ABNORMAL)
    assert "Of the flagged films 100% were read, of the others 0%" in " ".join(labels_in(folder).remarks)


def keep(folder: Path, film: str, patient: str, issuer: str = "") -> None:
    with Desk.open(folder) as desk, desk.acting("ann", Act.OPENED):
        desk.identities.put(film, "full", Identity(patient=patient, issuer=issuer))


def test_a_laboratory_decides_and_patients_are_kept_together(folder: Path) -> None:
    films = digests(folder)
    for film in films[:2]:
        say(folder, film, NORMAL)
        say(folder, film, ABNORMAL, "lab", source=Source.SPUTUM)
        keep(folder, film, "P1")
    labels = labels_of_store(folder).labels
    assert [label.abnormal for label in labels] == [True, True]
    assert [label.patient for label in labels] == ["P1", "P1"]


def test_one_number_of_two_issuers_is_two_patients(folder: Path) -> None:
    films = digests(folder)[:4]
    for film, issuer in zip(films, ("HOSPITAL A", "HOSPITAL B", "HOSPITAL A", ""), strict=True):
        say(folder, film, NORMAL)
        keep(folder, film, "4711", issuer)
    first, other, again, unstated = (
        {label.sha256: label.patient for label in labels_of_store(folder).labels}[film] for film in films
    )
    assert first == again
    assert len({first, other, unstated}) == 3


def test_a_folder_without_a_verdict_is_refused_in_one_line(folder: Path) -> None:
    with pytest.raises(UsageError, match="holds no verdict that says what a film is"):
        labels_in(folder)
    say(folder, digests(folder)[0], UNSURE)
    with pytest.raises(UsageError, match="holds no verdict"):
        labels_in(folder)


def test_a_calibration_is_made_from_the_verdicts_in_the_store_of_its_scores(tmp_path: Path) -> None:
    films, model = drawn_films(200), write_model_folder(tmp_path / "model")
    sha256 = open_model(model).manifest.model_sha256
    scan = write_scan(tmp_path / "scan", drawn_scores(films, model_sha256=sha256))
    with Desk.open(scan) as desk:
        for score, is_abnormal in zip(desk.scores(None), films.truth.tolist(), strict=True):
            with desk.acting("ann", Act.SAID) as now:
                verdict = ABNORMAL if is_abnormal else NORMAL
                desk.verdicts.add(Said(score.outcome.sha256, "ann", now, verdict, is_blinded=True))
    summary = calibrate_model(scan, CalibrateOptions(model))
    assert (summary.description.films, summary.out.name) == (200, "scan-calibration")
    assert open_model(model).is_calibrated
