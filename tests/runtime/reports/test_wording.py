from dataclasses import replace

import pytest
from fpdf.bidi import BidiParagraph

from cxr_runtime.identity import Identity
from cxr_runtime.language import language, speaking
from cxr_runtime.reports.wording import MOST_FOLDERS, model, operating_point, owner, passed_over
from drawn_exhibits import RUN


def test_an_operating_point_says_what_was_measured_of_it() -> None:
    told = operating_point(RUN)
    assert "sensitivity 87%" in told
    assert "NOT MET" not in told


def test_an_operating_point_that_its_films_did_not_support_is_marked() -> None:
    assert "NOT MET" in operating_point(replace(RUN, is_met=False))


def test_what_was_not_measured_is_said_to_be_so() -> None:
    assert "were not measured" in operating_point(replace(RUN, sensitivity=None, specificity=None))


def test_a_model_that_came_from_elsewhere_says_so() -> None:
    assert model(RUN) == RUN.model
    assert model(replace(RUN, model_remarks=("not made here",))) == f"{RUN.model}; not made here"


def test_what_was_not_searched_is_counted_and_folders_of_results_are_named() -> None:
    assert passed_over(replace(RUN, passed_over=0)) == ""
    assert passed_over(replace(RUN, passed_over=1)).startswith("1 file passed over")
    said = passed_over(replace(RUN, passed_over=2, results=("night/old",)))
    assert said.endswith("; 1 folder of results passed over: night/old")
    many = tuple(f"night/{number}" for number in range(MOST_FOLDERS + 2))
    assert passed_over(replace(RUN, passed_over=0, results=many)).endswith("night/4 and 2 more")


@pytest.mark.parametrize(("name", "written"), [("ar", "02/05/2026"), ("fr", "02/05/2026")])
def test_a_number_of_a_patient_is_shown_as_it_is_in_every_language(name: str, written: str) -> None:
    known = Identity(patient="20101-7", issuer="NORTH 2", accession="9RG-1", studied="2026-05-02")
    with speaking(language(name)):
        shown = [BidiParagraph(fact).get_reordered_string() for fact in owner(known)]
    for number, fact in zip(("20101-7 (NORTH 2)", written, "9RG-1"), shown, strict=True):
        assert number in fact
