"""Ages and dates as archives write them; the youngest reading counts."""

from datetime import date
from typing import Any

import pytest
from pydicom import Dataset

import dicom_files as dicom
import film_files as files
from cxr_runtime.errors import RejectedFilmError
from cxr_runtime.gate.reasons import check_tags
from cxr_runtime.reading import read_film
from cxr_runtime.reading.dicom.age import age_years, possible_days, stated_age, years_between

TODAY = date(2026, 6, 1)


def header(**elements: str) -> Dataset:
    """Elements as text, whatever the standard says about their form."""
    ds = Dataset()
    for keyword, value in elements.items():
        ds.add_new(keyword, "LO", value)
    return ds


@pytest.mark.parametrize(
    ("written", "years"),
    [
        ("045Y", 45),
        ("06YR", 6),
        ("6 YEARS", 6),
        ("6 years old", 6),
        ("6 Yrs.", 6),
        ("6-YR", 6),
        ("6 y/o", 6),
        ("6yo", 6),
        ("6", 6),
        ("006", 6),
        ("6.5 Y", 6.5),
        ("6,5Y", 6.5),
        ("Age: 6", 6),
        ("~6Y", 6),
        ("P6Y", 6),
        ("90+", 90),
        ("6 Jahre", 6),
        ("6 ans", 6),
        ("6 años", 6),
        ("1Y6M", 1.5),
        ("6 years 3 months", 6.25),
        ("018M", 1.5),
        ("180 months", 15),
        ("18 mo", 1.5),
        ("104W", 1.99),
        ("3 weeks", 0.06),
        ("1000D", 2.74),
        ("10 days", 0.03),
        ("12 hours", 0.001),
        ("30 jours", 0.08),
        ("000Y", 0),
    ],
)
def test_an_age_is_understood_however_it_is_written(written: str, years: float) -> None:
    assert stated_age(written) == pytest.approx(years, abs=0.01)


@pytest.mark.parametrize("written", ["", "old", "N/A", "unknown", "999Y", "1990", "Y", "anonymised"])
def test_what_is_no_age_is_none(written: str) -> None:
    assert stated_age(written) is None


@pytest.mark.parametrize(
    "written",
    [
        "20150301",
        " 20150301 ",
        "2015.03.01",
        "2015-03-01",
        "2015/3/1",
        "2015:03:01",
        "1 Mar 2015",
        "01-MAR-2015",
        "March 1, 2015",
        "20150301120000",
        "20150301120000.000000+0100",
        "2015-03-01T12:00:00",
        "2015-03-01 12:00",
        "2015年3月1日",
    ],
)
def test_a_date_is_understood_however_it_is_written(written: str) -> None:
    assert list(possible_days(written)) == [(date(2015, 3, 1), date(2015, 3, 1))]


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        ("31/12/2015", date(2015, 12, 31), date(2015, 12, 31)),
        ("12/31/2015", date(2015, 12, 31), date(2015, 12, 31)),
        ("31122015", date(2015, 12, 31), date(2015, 12, 31)),
        ("201502", date(2015, 2, 1), date(2015, 2, 28)),
        ("20150200", date(2015, 2, 1), date(2015, 2, 28)),
        ("02-2015", date(2015, 2, 1), date(2015, 2, 28)),
        ("Feb 2015", date(2015, 2, 1), date(2015, 2, 28)),
        ("2015", date(2015, 1, 1), date(2015, 12, 31)),
        ("20150000", date(2015, 1, 1), date(2015, 12, 31)),
    ],
)
def test_order_and_precision_of_a_date_are_told_from_its_parts(written: str, first: date, last: date) -> None:
    assert set(possible_days(written)) == {(first, last)}


def test_a_date_that_can_mean_several_days_means_all_of_them() -> None:
    assert {first for first, _ in possible_days("03/04/2015")} == {date(2015, 3, 4), date(2015, 4, 3)}
    assert {first for first, _ in possible_days("151331")} == set()
    assert {first for first, _ in possible_days("501231")} == {date(1950, 12, 31), date(2050, 12, 31)}


@pytest.mark.parametrize(
    "written", ["", "0", "20151332", "18000101", "d14a028c2a3a2bc9476102", "unknown", "50"]
)
def test_what_is_no_date_of_a_patient_is_none(written: str) -> None:
    assert list(possible_days(written)) == []


@pytest.mark.parametrize(
    ("birth", "day", "whole"),
    [
        (date(2005, 1, 1), date(2020, 1, 1), 15),
        (date(2005, 1, 2), date(2020, 1, 1), 14),
        (date(2004, 2, 29), date(2019, 2, 28), 14),
        (date(2004, 2, 29), date(2019, 3, 1), 15),
        (date(2020, 1, 1), date(2020, 1, 1), 0),
    ],
)
def test_years_are_counted_by_the_calendar(birth: date, day: date, whole: int) -> None:
    assert int(years_between(birth, day)) == whole


@pytest.mark.parametrize(
    ("elements", "years"),
    [
        ({"PatientBirthDate": "2015.01.01", "StudyDate": "20200101"}, 5),
        ({"PatientBirthDate": "20050101", "StudyDate": "20200101"}, 15),
        ({"PatientBirthDate": "20050102", "StudyDate": "20200101"}, 14),
        ({"PatientBirthDate": "20200101", "StudyDate": "20200101"}, 0),
        ({"PatientBirthDate": "150101", "StudyDate": "20200101"}, 5),
        ({"PatientBirthDate": "01021950", "StudyDate": "20200301"}, 70),
        ({"PatientBirthDate": "03/04/2005", "StudyDate": "20200320"}, 14),
        ({"PatientBirthDate": "2005", "StudyDate": "20200601"}, 14),
        ({"PatientBirthDate": "19000101", "StudyDate": "20200101"}, None),
        ({"PatientBirthDate": "20150101", "StudyDate": ""}, 11),
        ({"PatientBirthDate": "20150101", "StudyDate": "19010101"}, 11),
        ({"PatientBirthDate": "20150101", "StudyDate": "20991231", "SeriesDate": "20200101"}, 5),
        ({"PatientAge": "045Y", "PatientBirthDate": "20150101", "StudyDate": "20200101"}, 5),
        ({"PatientAge": "005Y", "PatientBirthDate": "19600101", "StudyDate": "20200101"}, 5),
        ({"PatientAge": "old", "PatientBirthDate": "20150101", "StudyDate": "20200101"}, 5),
        ({"PatientAge": "999Y", "PatientBirthDate": "20150101", "StudyDate": "20200101"}, 5),
        ({"PatientAge": "045Y", "PatientBirthDate": "19000101", "StudyDate": "20200101"}, 45),
        ({"PatientAge": "old"}, None),
        ({}, None),
    ],
)
def test_the_youngest_age_that_a_header_allows_counts(elements: dict[str, str], years: int | None) -> None:
    found = age_years(header(**elements), TODAY)
    assert found is None if years is None else found is not None and int(found) == years


@pytest.mark.parametrize(
    "date_of_film",
    [
        "AcquisitionDate",
        "AcquisitionDateTime",
        "SeriesDate",
        "ContentDate",
        "PerformedProcedureStepStartDate",
        "InstanceCreationDate",
        "DateOfSecondaryCapture",
    ],
)
def test_another_date_of_the_film_serves_where_the_study_has_none(date_of_film: str) -> None:
    elements = {"PatientBirthDate": "20050101", date_of_film: "20100101"}
    assert age_years(header(**elements), TODAY) == 5


@pytest.mark.filterwarnings("ignore:Invalid value")
@pytest.mark.parametrize("age", [("AS", "06YR"), ("LO", "6 YEARS"), ("UN", b"006Y"), ("IS", "6")])
def test_a_child_in_a_file_is_rejected_whatever_the_vr_of_its_age(age: tuple[str, Any]) -> None:
    facts = read_film(dicom.dicom_file(files.phantom(), PatientAge=age)).facts
    with pytest.raises(RejectedFilmError, match="6 years old") as rejection:
        check_tags(facts)
    assert rejection.value.code == "child"
