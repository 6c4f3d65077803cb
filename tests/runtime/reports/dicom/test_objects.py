"""Each DICOM result is a sound object of the film's own study, and says what it is made of and for."""

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from cxr_runtime.access import PRIVATE
from cxr_runtime.files import DICOM_FOLDER
from cxr_runtime.film import FilmFacts
from cxr_runtime.heat.overlay import overlay
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.reports.dicom.caption import LEAST_WIDTH, TOP_BAND
from cxr_runtime.reports.dicom.results import ResultFiles, ScoredFilm, file_name
from cxr_runtime.reports.dicom.settings import Settings
from dicom_results import CALIBRATION, HW, MADE, POINT, film, settings, written
from drawn_exhibits import HEAT_THRESHOLD, RUN
from study_films import ACCESSION, FILM, NAME, PATIENT, STUDY, errors_of, needs_dicom3tools, study_film


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Dataset]:
    return written(tmp_path_factory.mktemp("objects"))


NO_PATIENT = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime")
LOSSY: dict[str, Any] = {
    "LossyImageCompression": "01",
    "LossyImageCompressionRatio": "10",
    "LossyImageCompressionMethod": "ISO_10918_1",
}
HEADERS: dict[str, dict[str, Any]] = {  # as archives have them
    "usual": {},
    "nothing but its study": dict.fromkeys(NO_PATIENT),
    "values that are none": {
        "PatientBirthDate": ("LO", "1961.02.03"),
        "StudyDate": ("LO", "Monday"),
        "AccessionNumber": ("LO", "x" * 56),
        "PatientAge": ("LO", "65"),
        "PatientOrientation": ("LO", "left"),
    },
    "another character set": {"SpecificCharacterSet": "ISO_IR 192", "PatientName": "Μαρία^Ελένη"},
    "two character sets": {
        "SpecificCharacterSet": ["", "ISO 2022 IR 87"],
        "PatientName": "Yamada^Tarou=山田^太郎",
    },
    "de-identified": {"PatientIdentityRemoved": "YES", "PatientName": "A^B"},
    "lossy": LOSSY,
    "no device": {"Manufacturer": None, "BodyPartExamined": None},
}


@needs_dicom3tools
@pytest.mark.parametrize("header", list(HEADERS))
@pytest.mark.parametrize("warm", [True, False], ids=["heat", "no heat"])
def test_dciodvfy_and_dcentvfy_find_no_error(header: str, warm: bool, tmp_path: Path) -> None:
    what = film(study_film(hw=HW, **HEADERS[header]), warm)
    written(tmp_path, what)
    files = sorted((tmp_path / DICOM_FOLDER).iterdir())
    assert [path.name.rpartition("-")[2] for path in files] == ["pdf.dcm", "sc.dcm", "sr.dcm"]
    assert errors_of(*files) == []


def test_every_object_stands_in_the_films_study_with_its_patient(objects: dict[str, Dataset]) -> None:
    for ds in objects.values():
        assert (ds.StudyInstanceUID, ds.PatientID, ds.AccessionNumber) == (STUDY, PATIENT, ACCESSION)
        assert ds.PatientName == NAME
        assert len({each.SeriesInstanceUID for each in objects.values()}) == len(objects)


def test_the_issuer_of_the_patients_id_goes_back_with_every_object(tmp_path: Path) -> None:
    written(tmp_path, film(study_film(hw=HW, IssuerOfPatientID="NORTH"), warm=True))
    results = [dcmread(path) for path in (tmp_path / DICOM_FOLDER).iterdir()]
    assert [(ds.PatientID, ds.IssuerOfPatientID) for ds in results] == [(PATIENT, "NORTH")] * 3


def test_every_object_names_what_made_it_and_the_device_of_the_film(objects: dict[str, Dataset]) -> None:
    for ds in objects.values():
        assert ds.Manufacturer == "cxr-triage"
        assert list(ds.SoftwareVersions) == [RUN.product, f"model {RUN.model_sha256[:12]}"]
        (device,) = ds.ContributingEquipmentSequence
        assert (device.Manufacturer, device.StationName) == ("Roentgen Works", "ROOM3")
        assert device.PurposeOfReferenceCodeSequence[0].CodeValue == "109101"


def test_every_object_says_that_it_is_for_research(objects: dict[str, Dataset]) -> None:
    for ds in objects.values():
        assert "research use only, not for diagnosis" in ds.SeriesDescription
    assert "not for diagnosis" in objects["sc"].ImageComments
    assert "not for diagnosis" in objects["sc"].DerivationDescription
    assert "not for diagnosis" in objects["pdf"].DocumentTitle
    assert "Research use only, not for diagnosis" in str(objects["sr"])


def test_the_secondary_capture_shows_the_overlay_pixel_for_pixel(objects: dict[str, Dataset]) -> None:
    ds, what = objects["sc"], film()
    top, left = round(TOP_BAND * LEAST_WIDTH), (LEAST_WIDTH - HW[1]) // 2
    shown = ds.pixel_array[top : top + HW[0], left : left + HW[1]]
    np.testing.assert_array_equal(shown, overlay(what.preview, what.heat, HEAT_THRESHOLD))
    assert ds.pixel_array[:top].max() > 200  # text is burned in above it
    assert list(ds.ImageType) == ["DERIVED", "SECONDARY"]
    (source,) = ds.SourceImageSequence
    assert source.ReferencedSOPInstanceUID == FILM
    assert source.PurposeOfReferenceCodeSequence[0].CodeValue == "121322"


def test_a_large_film_is_as_wide_as_its_picture(tmp_path: Path) -> None:
    what = replace(film(), preview=draw_phantom(0, hw=(1024, 800)))
    assert written(tmp_path, what)["sc"].Columns == 800


def test_what_is_burned_into_the_film_is_said_of_its_picture(tmp_path: Path) -> None:
    objects = written(tmp_path, film(study_film(hw=HW, BurnedInAnnotation="YES")))
    assert (objects["sc"].BurnedInAnnotation, objects["pdf"].BurnedInAnnotation) == ("YES", "YES")
    objects = written(tmp_path, film())
    assert (objects["sc"].BurnedInAnnotation, objects["pdf"].BurnedInAnnotation) == ("NO", "NO")


def test_once_lossy_a_film_has_lossy_pictures(tmp_path: Path) -> None:
    ds = written(tmp_path, film(study_film(hw=HW, **LOSSY)))["sc"]
    assert (ds.LossyImageCompression, ds.LossyImageCompressionMethod) == ("01", "ISO_10918_1")


def test_the_picture_of_a_film_that_was_turned_back_says_so_and_states_no_sides(tmp_path: Path) -> None:
    what = film()
    turned = replace(what.source, facts=replace(what.source.facts, turned_back=180))
    ds = written(tmp_path, replace(what, source=turned))["sc"]
    assert "turned by 180 degrees clockwise in its file and was turned back" in ds.DerivationDescription
    assert not ds.PatientOrientation
    assert list(written(tmp_path, what)["sc"].PatientOrientation) == ["L", "F"]


def test_of_several_frames_the_first_is_referred_to(tmp_path: Path) -> None:
    what = film()
    source = replace(what.source, facts=FilmFacts("dicom", frames=3, stored_hw=HW))
    objects = written(tmp_path, replace(what, source=source))
    assert objects["sc"].SourceImageSequence[0].ReferencedFrameNumber == 1


def test_a_film_of_a_class_that_no_library_knows_has_its_results(tmp_path: Path) -> None:
    private = "1.3.46.670589.2.5.1.1"
    report = written(tmp_path, film(study_film(hw=HW, SOPClassUID=private)))["sr"]
    (study,) = report.CurrentRequestedProcedureEvidenceSequence
    (image,) = study.ReferencedSeriesSequence[0].ReferencedSOPSequence
    assert image.ReferencedSOPClassUID == private


def test_the_encapsulated_pdf_is_the_page(objects: dict[str, Dataset]) -> None:
    ds = objects["pdf"]
    page = ds.EncapsulatedDocument[: ds.EncapsulatedDocumentLength]
    assert page.startswith(b"%PDF")
    assert page.rstrip().endswith(b"%%EOF")
    assert ds.SourceInstanceSequence[0].ReferencedSOPInstanceUID == FILM


def test_no_object_names_the_films_file(tmp_path: Path) -> None:
    written(tmp_path, film(file="/ward/Zyxwvut/film.dcm"))
    assert all(b"ward" not in path.read_bytes() for path in (tmp_path / DICOM_FOLDER).iterdir())


def uids(how: Settings, what: ScoredFilm) -> set[str]:
    return set(ResultFiles(Path(), how, PRIVATE).uids(what.source).values())


def changed() -> Iterator[Any]:
    yield pytest.param(settings(replace(RUN, product="cxr-triage 9.9")), {}, id="version")
    yield pytest.param(settings(fingerprint="g"), {}, id="model")
    yield pytest.param(settings(calibration=replace(CALIBRATION, temperature=2.0)), {}, id="calibration")
    yield pytest.param(settings(point=replace(POINT, threshold=0.3)), {}, id="operating point")
    yield pytest.param(settings(replace(RUN, identity="full")), {}, id="identity")
    yield pytest.param(settings(), {"probability": 0.82}, id="score")
    yield pytest.param(settings(), {"sha256": "12" * 32}, id="film")


@pytest.mark.parametrize(("how", "row"), list(changed()))
def test_another_result_has_other_uids(how: Settings, row: dict[str, Any]) -> None:
    assert uids(how, film(**row)).isdisjoint(uids(settings(), film()))


def test_the_same_result_has_the_same_uids_wherever_and_whenever_it_is_made() -> None:
    later = settings(replace(RUN, finished=MADE, inputs=("elsewhere",), backend="other"))
    moved = film(file="elsewhere.dcm", seconds=9.0, backend="other", probability=0.81251)
    assert uids(later, moved) == uids(settings(), film())
    assert all(len(uid) <= 64 and uid.startswith("2.25.") for uid in uids(settings(), film()))


def test_objects_made_again_are_the_same_to_the_byte(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for out in (first, second):
        out.mkdir()
        written(out)
    for path in (first / DICOM_FOLDER).iterdir():
        assert path.read_bytes() == (second / DICOM_FOLDER / path.name).read_bytes(), path.name


def test_dates_are_those_of_the_first_time(objects: dict[str, Dataset]) -> None:
    for ds in objects.values():
        assert (ds.ContentDate, ds.ContentTime, ds.SeriesDate) == ("20260304", "220102", "20260304")


def test_files_are_named_by_the_films_digest_alone() -> None:
    assert file_name("0123456789abcdef" * 4, "sc") == "0123456789abcdef01234567-sc.dcm"


def test_an_object_is_a_whole_file(tmp_path: Path) -> None:
    written(tmp_path)
    for path in (tmp_path / DICOM_FOLDER).iterdir():
        ds = dcmread(BytesIO(path.read_bytes()))
        assert ds.file_meta.MediaStorageSOPInstanceUID == ds.SOPInstanceUID
        assert ds.file_meta.ImplementationVersionName == "CXR-TRIAGE"
