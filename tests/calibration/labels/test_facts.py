import re
from pathlib import Path

import pytest

from cxr_calibration.labels.facts import (
    UNKNOWN_WORDS,
    abnormal_of,
    age_group,
    age_of,
    number_of,
    sex_of,
    stated_abnormal_of,
    view_of,
)
from cxr_runtime.film import View

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("text", "abnormal"),
    [
        ("0", False),
        ("1", True),
        ("1.0", True),
        ("Normal", False),
        ("ABNORMAL", True),
        ("healthy", False),
        ("Negative", False),
        ("positive", True),
        ("No  finding", False),
        ("", None),
        ("n/a", None),
    ],
)
def test_a_label_is_a_number_or_a_word(text: str, abnormal: bool | None) -> None:
    assert abnormal_of(text) is abnormal


@pytest.mark.parametrize("text", ["2", "0.5", "maybe", "-1"])
def test_a_label_that_is_neither_normal_nor_abnormal_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected 0 or normal, 1 or abnormal"):
        abnormal_of(text)


def test_a_film_that_must_have_a_label_cannot_be_unknown() -> None:
    assert stated_abnormal_of("1") is True
    with pytest.raises(ValueError, match="expected 0"):
        stated_abnormal_of("unknown")


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("62", 62.0),
        ("062Y", 62.0),
        ("62 years", 62.0),
        ("45yrs", 45.0),
        ("6 months", 0.5),
        ("18M", 1.5),
        ("3,5", 3.5),
        ("5 years old", 5.0),
        ("", None),
        ("unknown", None),
        ("414", None),
    ],
)
def test_an_age_is_in_years_or_names_its_unit(text: str, years: float | None) -> None:
    assert age_of(text) == years


@pytest.mark.parametrize("text", ["old", "-3", "62abc", "1e2"])
def test_an_age_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected years, e\.g\. 62"):
        age_of(text)


@pytest.mark.parametrize(
    ("years", "name"),
    [
        (0, "under 18"),
        (17.9, "under 18"),
        (18, "18-39"),
        (39.9, "18-39"),
        (40, "40-64"),
        (62, "40-64"),
        (65, "65 and over"),
        (110, "65 and over"),
        (None, ""),
        (-1, ""),
        (float("nan"), ""),
    ],
)
def test_every_age_is_in_one_group(years: float | None, name: str) -> None:
    assert age_group(years) == name


@pytest.mark.parametrize(("text", "sex"), [("f", "F"), ("Male", "M"), ("other", "O"), ("", ""), ("U", "")])
def test_a_sex_is_a_letter_or_a_word(text: str, sex: str) -> None:
    assert sex_of(text) == sex


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("pa", View.PA),
        ("P.A.", View.PA),
        ("Postero-anterior", View.PA),
        ("ap supine", View.AP),
        ("LL", View.LATERAL),
        ("lateral", View.LATERAL),
        ("", View.UNKNOWN),
        ("n/a", View.UNKNOWN),
    ],
)
def test_a_view_is_written_in_many_ways(text: str, view: View) -> None:
    assert view_of(text) is view


def test_a_word_that_is_no_sex_or_view_or_number_is_refused() -> None:
    with pytest.raises(ValueError, match="expected F, M or O"):
        sex_of("x")
    with pytest.raises(ValueError, match="expected PA, AP or lateral"):
        view_of("front")
    for text in ("inf", "one"):
        with pytest.raises(ValueError, match="expected a number"):
            number_of(text)
    assert number_of(" ") is None


def test_the_page_of_the_labels_file_lists_every_word_for_what_is_not_known() -> None:
    page = " ".join((ROOT / "docs/calibration.md").read_text(encoding="utf-8").split())
    _, _, listed = page.partition("In these four columns an empty cell, ")
    words = re.findall("`([^`]+)`", listed.partition(" say that nothing is known")[0])
    assert {word.upper() for word in words} | {""} == UNKNOWN_WORDS
