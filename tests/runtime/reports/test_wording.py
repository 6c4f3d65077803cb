from dataclasses import replace

from cxr_runtime.reports.wording import operating_point
from drawn_exhibits import RUN


def test_an_operating_point_says_what_was_measured_of_it() -> None:
    told = operating_point(RUN)
    assert "sensitivity 87%" in told
    assert "NOT MET" not in told


def test_an_operating_point_that_its_films_did_not_support_is_marked() -> None:
    assert "NOT MET" in operating_point(replace(RUN, is_met=False))


def test_what_was_not_measured_is_said_to_be_so() -> None:
    assert "were not measured" in operating_point(replace(RUN, sensitivity=None, specificity=None))
