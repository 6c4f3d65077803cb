"""Received films become de-identified copies once they have their row; nothing is lost on the way."""

import os
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from cxr_runtime.arrivals.receiver import copies, copy_making
from cxr_runtime.arrivals.receiver.copies import Copies, copies_beside
from cxr_runtime.arrivals.receiver.copy_making import COPY_SUFFIX, FilmToCopy
from cxr_runtime.arrivals.receiver.inbox import Inbox, Limits
from cxr_runtime.atomic import file_stamp, sync_folder
from cxr_runtime.files import RECEIVED_FOLDER, STORE_FILE, WHOLE_FOLDER
from cxr_runtime.folders import DATA_VARIABLE
from cxr_runtime.identity import IdentityKind
from cxr_runtime.journal import Journal
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pseudonyms import Keeping, Stranger
from cxr_runtime.reading import read_film
from dicom_files import JPEG_2000_LOSSLESS, JPEG_LOSSLESS_SV1, JPEG_LS, RLE, dicom_file
from drawn_stores import Drawn, write_store
from study_films import ACCESSION, PATIENT, SECRETS, STUDY, errors_of, needs_dicom3tools, study_film

SYNTAXES = (ImplicitVRLittleEndian, ExplicitVRBigEndian, RLE, JPEG_LOSSLESS_SV1, JPEG_LS, JPEG_2000_LOSSLESS)


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "data"))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out" / RECEIVED_FOLDER).mkdir(parents=True)
    return tmp_path / "out"


def receive(out: Path, *films: bytes, have_rows: bool = True) -> list[str]:
    """Have films lie in the folder, as a receiver stores them; their digests."""
    digests = [sha256(film).hexdigest() for film in films]
    for digest, film in zip(digests, films, strict=True):
        (out / RECEIVED_FOLDER / f"{digest}.dcm").write_bytes(film)
    if have_rows:
        give_rows(out, digests)
    return digests


def give_rows(out: Path, digests: list[str], received: Path | None = None) -> None:
    folder = (received or out) / RECEIVED_FOLDER
    rows = [Drawn(f"{each}.dcm", sha256=each, stamp=file_stamp(folder / f"{each}.dcm")) for each in digests]
    write_store(out, rows)


def tend(out: Path, kind: IdentityKind = IdentityKind.NONE, *, keeps_whole: bool = True) -> None:
    stranger = Stranger.of(kind)
    assert stranger is not None
    Copies(out, stranger, Journal(), keeps_whole).tend()


def names(out: Path) -> list[str]:
    return sorted(path.name for path in (out / RECEIVED_FOLDER).iterdir())


def copy_of(out: Path, digest: str) -> Path:
    return out / RECEIVED_FOLDER / f"{digest}{COPY_SUFFIX}"


def test_a_film_is_replaced_once_it_has_its_row_and_not_before(out: Path) -> None:
    (done,) = receive(out, study_film(1))
    (waits,) = receive(out, study_film(2), have_rows=False)
    tend(out)
    assert names(out) == sorted([f"{done}{COPY_SUFFIX}", f"{waits}.dcm"])
    content = copy_of(out, done).read_bytes()
    assert [secret for secret in SECRETS if secret in content] == []
    assert (copy_of(out, done).stat().st_mode & 0o777) == 0o600


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: UID(syntax).name)
def test_a_copy_shows_the_same_picture(out: Path, syntax: UID) -> None:
    film = dicom_file(
        draw_phantom(1, hw=(96, 81)), syntax=syntax, WindowCenter="100", WindowWidth="150",
        SpecificCharacterSet="ISO_IR 100",
    )  # fmt: skip
    (digest,) = receive(out, film)
    tend(out)
    copy = copy_of(out, digest).read_bytes()
    before, after = read_film(film), read_film(copy)
    assert np.array_equal(before.pixels, after.pixels)
    assert before.facts == after.facts
    assert b"Phantom" not in copy


def test_pseudonyms_stand_in_copies_as_in_the_store(out: Path) -> None:
    film = study_film(1)
    (digest,) = receive(out, film)
    tend(out, IdentityKind.PSEUDONYM)
    kept = Keeping.of(IdentityKind.PSEUDONYM)
    ds, stranger = dcmread(copy_of(out, digest)), Stranger.of(IdentityKind.PSEUDONYM)
    assert stranger is not None
    assert ds.PatientID == stranger.text("patient", PATIENT)
    assert ds.AccessionNumber == stranger.text("accession", ACCESSION)
    assert f"{int(ds.StudyInstanceUID.removeprefix('2.25.')):032x}"[:16] == stranger.text("study", STUDY)
    assert (len(ds.PatientID), ds.PatientName, ds.StudyDate) == (16, "", "")
    assert kept.key == stranger.key


def test_patients_of_two_hospitals_with_one_id_are_two_in_copies(out: Path) -> None:
    north, south = (
        study_film(seed, IssuerOfPatientID=issuer, SOPInstanceUID=f"2.25.4711.{seed}")
        for seed, issuer in ((6, "NORTH"), (7, "SOUTH"))
    )
    digests = receive(out, north, south)
    tend(out, IdentityKind.PSEUDONYM)
    first, second = (dcmread(copy_of(out, digest)) for digest in digests)
    assert first.PatientID != second.PatientID
    assert "IssuerOfPatientID" not in first


def test_films_of_one_study_stay_in_one_and_nobody_is_named_in_it(out: Path) -> None:
    first, second = receive(out, study_film(1), study_film(2, SOPInstanceUID="2.25.4711.4"))
    tend(out)
    one, other = dcmread(copy_of(out, first)), dcmread(copy_of(out, second))
    assert one.StudyInstanceUID == other.StudyInstanceUID
    assert one.SeriesInstanceUID == other.SeriesInstanceUID
    assert one.SOPInstanceUID != other.SOPInstanceUID
    assert one.SOPInstanceUID == one.file_meta.MediaStorageSOPInstanceUID
    assert (one.PatientID, one.AccessionNumber, one.PatientIdentityRemoved) == ("", "", "YES")
    assert one.DeidentificationMethodCodeSequence[0].CodeValue == "113100"


def test_where_the_patient_is_written_into_the_pixels_the_copy_does_not_say_that_he_is_removed(
    out: Path,
) -> None:
    (digest,) = receive(out, study_film(1, BurnedInAnnotation="YES"))
    tend(out)
    ds = dcmread(copy_of(out, digest))
    assert (ds.BurnedInAnnotation, ds.PatientIdentityRemoved) == ("YES", "NO")


def test_a_kill_between_copy_and_film_leaves_both_and_the_next_run_ends_it(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (digest,) = receive(out, study_film(1))

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(copy_making, "drop_film", killed)
        with pytest.raises(KeyboardInterrupt):
            tend(out)
    assert names(out) == sorted([f"{digest}.dcm", f"{digest}{COPY_SUFFIX}"])
    first = copy_of(out, digest).read_bytes()
    tend(out)
    assert names(out) == [f"{digest}{COPY_SUFFIX}"]
    assert copy_of(out, digest).read_bytes() == first


def test_on_a_disk_that_fails_the_film_stays_as_it_was(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (digest,) = receive(out, study_film(1))
    assert Keeping.of(IdentityKind.PSEUDONYM).key  # it is drawn while the disk is well

    def fails(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("cxr_runtime.arrivals.receiver.copy_making.os.fsync", fails)
        with pytest.raises(OSError, match="No space"):
            tend(out)
    assert names(out) == [f"{digest}.dcm"]


def test_a_receiver_gives_no_copy_to_the_scoring(out: Path) -> None:
    (digest,) = receive(out, study_film(1))
    (waits,) = receive(out, study_film(2), have_rows=False)
    tend(out)
    assert copy_of(out, digest).exists()
    assert Inbox(out, Limits(), lambda _: None).open() == [f"{waits}.dcm"]


def test_a_film_that_is_sent_again_is_not_replaced_before_it_is_read_again(out: Path) -> None:
    (digest,) = receive(out, study_film(1))
    tend(out)
    receive(out, study_film(1), have_rows=False)
    tend(out)
    assert (out / RECEIVED_FOLDER / f"{digest}.dcm").exists()
    give_rows(out, [digest])
    tend(out)
    assert names(out) == [f"{digest}{COPY_SUFFIX}"]


def test_a_film_that_is_sent_again_on_another_day_is_replaced_at_once_for_nobody_reads_it(out: Path) -> None:
    (digest,) = receive(out, study_film(1), have_rows=False)
    write_store(out / "2026-11-01", [Drawn("a.dcm", sha256=digest)])
    write_store(out / "2026-11-02", [Drawn("b.dcm")])
    tend(out)
    assert names(out) == [f"{digest}{COPY_SUFFIX}"]


def test_a_film_that_is_sent_again_while_its_copy_is_made_stays(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (digest,) = receive(out, study_film(1))
    film = out / RECEIVED_FOLDER / f"{digest}.dcm"

    def come_again(*given: Any) -> None:
        again = out / "again"
        again.write_bytes(film.read_bytes())
        again.replace(film)
        sync_folder(*given)

    monkeypatch.setattr(copy_making, "sync_folder", come_again)
    tend(out)
    assert names(out) == sorted([f"{digest}.dcm", f"{digest}{COPY_SUFFIX}"])


def test_a_store_that_is_damaged_keeps_no_film_of_another_day_back(out: Path) -> None:
    (digest,) = receive(out, study_film(1), have_rows=False)
    give_rows(out / "2026-11-02", [digest], received=out)
    (out / "2026-11-01").mkdir()
    (out / "2026-11-01" / STORE_FILE).write_bytes(b"no store" * 1000)
    tend(out)
    assert names(out) == [f"{digest}{COPY_SUFFIX}"]


def test_what_the_disk_has_failed_is_never_deleted(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (digest,) = receive(out, study_film(1))

    def unreadable(films: list[Path]) -> Iterator[FilmToCopy]:
        for film in films:
            yield FilmToCopy(film, file_stamp(film), os.open("/proc/self/mem", os.O_RDONLY))  # EIO at 0

    with monkeypatch.context() as failing:
        failing.setattr(copies, "_opened", unreadable)
        tend(out, keeps_whole=False)
    assert names(out) == [f"{digest}.dcm"]
    tend(out, keeps_whole=False)
    assert names(out) == [f"{digest}{COPY_SUFFIX}"]


@pytest.mark.parametrize("what", ["no DICOM", "no pixels", "deflated"])
def test_what_cannot_be_copied_is_kept_as_it_came_or_goes_where_that_is_asked_for(
    out: Path, what: str
) -> None:
    film = study_film(1)
    films = {
        "no DICOM": b"Zyxwvut^Quorra" * 100,
        "no pixels": film[: film.index(b"\xe0\x7f\x10\x00")],
        "deflated": dicom_file(draw_phantom(1, hw=(64, 64)), syntax=DeflatedExplicitVRLittleEndian),
    }
    (digest,) = receive(out, films[what])
    tend(out)
    whole = out / RECEIVED_FOLDER / WHOLE_FOLDER / f"{digest}.dcm"
    assert (names(out), whole.read_bytes()) == ([WHOLE_FOLDER], films[what])
    assert whole.parent.stat().st_mode & 0o777 == 0o700
    receive(out, films[what])  # it is sent again
    tend(out, keeps_whole=False)
    assert names(out) == [WHOLE_FOLDER]


def test_with_full_identity_films_stay_as_they_came(out: Path) -> None:
    (digest,) = receive(out, study_film(1))
    with copies_beside(IdentityKind.FULL, out, Journal()):
        pass
    assert names(out) == [f"{digest}.dcm"]
    with copies_beside(IdentityKind.NONE, out, Journal()):
        pass
    assert names(out) == [f"{digest}{COPY_SUFFIX}"]


@needs_dicom3tools
@pytest.mark.parametrize("modality", ["DX", "CR"])
def test_dciodvfy_finds_no_error_in_a_copy_that_the_film_has_not(out: Path, modality: str) -> None:
    classes = {"CR": "1.2.840.10008.5.1.4.1.1.1", "DX": "1.2.840.10008.5.1.4.1.1.1.1"}
    film = out.parent / "film.dcm"
    film.write_bytes(study_film(1, Modality=modality, SOPClassUID=classes[modality], SeriesNumber="1"))
    (digest,) = receive(out, film.read_bytes())
    tend(out)
    assert set(errors_of(copy_of(out, digest))) <= set(errors_of(film))
    shutil.rmtree(out)
