"""A header says whose film it is, in whatever character set, and never more than is copied."""

from typing import Any

import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from cxr_runtime.identity import COPIED, Identity, StudyHeader
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.reading.dicom.study import study_header
from dicom_files import dicom_file, without_meta, without_preamble
from study_films import ACCESSION, FILM, PATIENT, SERIES, STUDY, study_film


def test_patient_study_and_film_are_read() -> None:
    shown = study_header(study_film()).shown
    assert (shown.name, shown.patient, shown.accession) == ("Zyxwvut, Quorra", PATIENT, ACCESSION)
    assert (shown.born, shown.studied) == ("1961-02-03", "2026-03-04")
    assert (shown.study, shown.series, shown.instance) == (STUDY, SERIES, FILM)


@pytest.mark.parametrize(
    ("character_set", "raw", "shown"),
    [
        ("ISO_IR 100", "Müller^Jörg".encode("latin-1"), "Müller, Jörg"),
        ("ISO_IR 192", "Μαρία^Ελένη".encode(), "Μαρία, Ελένη"),
        ("ISO_IR 144", "Люкceмбypг".encode("iso8859-5"), "Люкceмбypг"),
        ("GB18030", "Wang^XiaoDong=王^小东".encode("gb18030"), "Wang, XiaoDong (王, 小东)"),
        (
            "\\ISO 2022 IR 87",  # PS3.5 H.3.1
            b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
            "Yamada, Tarou (山田, 太郎) (やまだ, たろう)",
        ),
        ("", "Müller^Jörg".encode("latin-1"), "Müller, Jörg"),
        ("ISO_IR 100", b"M\xfcller\xa0Lang^J\xf6rg", "Müller\xa0Lang, Jörg"),  # a space that does not break
        ("ISO_IR 192", "山田\u3000太郎".encode(), "山田\u3000太郎"),  # the space of Japanese
        ("ISO_IR 192", "علی\u200cرضا".encode(), "علی\u200cرضا"),  # Persian: letters that do not join
        ("ISO_IR 192", "\ue000田^\u200f".encode(), "\ue000田, \u200f"),  # a letter of one hospital's own
        ("ISO_IR 192", "Eve\u202e^Mallory".encode(), "Eve\\u202e, Mallory"),
    ],
)
def test_a_name_is_shown_as_people_write_it_and_kept_byte_for_byte(
    character_set: str, raw: bytes, shown: str
) -> None:
    header = study_header(study_film(SpecificCharacterSet=("CS", character_set), PatientName=("LO", "XXX")))
    assert header.shown.name == "XXX"
    content = study_film(SpecificCharacterSet=("CS", character_set), PatientName="P" * len(raw))
    header = study_header(content.replace(b"P" * len(raw), raw))
    assert header.shown.name == shown
    assert header.value("PatientName").encode("latin-1") == raw
    assert header.value("SpecificCharacterSet") == character_set


@pytest.mark.parametrize(
    ("keyword", "vr", "wrong"),
    [
        ("PatientBirthDate", "LO", "1961.02.03"),
        ("PatientBirthDate", "LO", "00000000"),
        ("StudyDate", "LO", "20261301"),
        ("StudyTime", "LO", "250000"),
        ("PatientID", "LT", "12\\34"),
        ("AccessionNumber", "LT", "x\\y"),
        ("PatientBirthDate", "LO", "d14a028c2a3a2bc9476102bb288234c4"),
        ("AccessionNumber", "LO", "d14a028c2a3a2bc9476102bb288234c4"),
        ("PatientSex", "LO", "female"),
        ("PatientAge", "LO", "65"),
        ("StudyID", "LO", "line\nbreak"),
        ("PatientID", "LT", "x" * 65),
        ("PatientName", "LT", "x" * 65),
        ("StudyInstanceUID", "LO", "1.2.three"),
        ("StudyTime", "LO", "quarter past"),
    ],
)
def test_a_value_that_its_element_does_not_allow_counts_as_missing(keyword: str, vr: str, wrong: str) -> None:
    changed: dict[str, Any] = {keyword: (vr, wrong)}
    content = study_film(**changed)
    assert study_header(content).value(keyword) == ""


def test_half_a_letter_that_looks_like_a_backslash_parts_no_value() -> None:
    """The second byte of 慭 in GBK is that of a backslash."""
    content = study_film(SpecificCharacterSet="GBK", StudyDescription=("LO", "慭"))
    assert study_header(content).value("StudyDescription") == "慭".encode("gbk").decode("latin-1")


def test_an_issuer_that_is_too_long_still_tells_two_patients_with_one_id_apart() -> None:
    issuers = ("", "N" * 65, "S" * 65)
    headers = [study_header(study_film(IssuerOfPatientID=("LT", issuer))) for issuer in issuers]
    assert [header.value("IssuerOfPatientID") for header in headers] == ["", "", ""]
    assert len({header.shown.person for header in headers}) == 3
    assert headers[0].shown.issuer == ""


def test_a_patient_id_with_a_blank_is_never_taken_for_a_shorter_one_with_more_behind_it() -> None:
    alike = Identity("7 ann"), Identity("7", name="Ann"), Identity("7", issuer="ann")
    assert [person.person == alike[0].person for person in alike] == [True, False, False]


def test_a_character_set_that_nobody_knows_counts_as_missing() -> None:
    content = study_film(SpecificCharacterSet="ISO_IR 100").replace(b"ISO_IR 100", b"KLINGON   ")
    header = study_header(content)
    assert header.value("SpecificCharacterSet") == ""
    assert header.shown.patient == PATIENT


@pytest.mark.parametrize("uid", [STUDY, SERIES, FILM])
def test_a_film_that_does_not_name_its_study_has_none(uid: str) -> None:
    assert study_header(study_film()).has_study
    assert not study_header(study_film().replace(uid.encode(), b"x" * len(uid))).has_study


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_every_encoding_gives_the_same_header(syntax: Any) -> None:
    pixels = draw_phantom(0, hw=(64, 64))
    plain = study_header(dicom_file(pixels, PatientID="P1"))
    assert study_header(dicom_file(pixels, syntax=syntax, PatientID="P1")) == plain
    assert plain.shown.patient == "P1"


def test_a_file_without_preamble_or_meta_information_gives_the_same_header() -> None:
    whole = study_header(study_film())
    assert study_header(without_preamble(study_film())) == whole
    assert study_header(without_meta(study_film())) == whole


@pytest.mark.parametrize(
    "elements",
    [
        (("PixelData", "00"),),
        (("PatientID", "a\nb"),),
        (("PatientID", "x" * 601),),
        (("StudyInstanceUID", "1.2.x"),),
        (("PatientID", "a"), ("PatientID", "b")),
    ],
)
def test_a_header_that_no_film_has_is_refused(elements: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(ValueError, match="element"):
        StudyHeader(elements, study_header(study_film()).shown)


def test_what_may_be_copied_says_nothing_of_illness() -> None:
    illness = {"PatientComments", "AdditionalPatientHistory", "AdmittingDiagnosesDescription"}
    assert illness.isdisjoint(COPIED)
