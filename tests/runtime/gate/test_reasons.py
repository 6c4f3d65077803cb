import pytest

from cxr_runtime.errors import RejectedFilmError
from cxr_runtime.film import FilmFacts, View
from cxr_runtime.gate.reasons import check_tags


def _facts(
    modality: str = "CR", body_part: str = "CHEST", view: View = View.PA, age_years: float | None = None
) -> FilmFacts:
    return FilmFacts("dicom", modality=modality, body_part=body_part, view=view, age_years=age_years)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (_facts(modality="CT"), "not-a-chest-film"),
        (_facts(modality="MR"), "not-a-chest-film"),
        (_facts(modality="XC"), "photographed-or-screenshot"),
        (_facts(body_part="HIP"), "not-a-chest-film"),
        (_facts(body_part="LOWER LEG"), "not-a-chest-film"),
        (_facts(body_part="Upper_Arm"), "not-a-chest-film"),
        (_facts(view=View.LATERAL), "lateral"),
        (_facts(age_years=14.9), "child"),
        (_facts(age_years=0.1), "child"),
    ],
)
def test_tags_of_films_that_must_not_be_scored_are_refused(facts: FilmFacts, code: str) -> None:
    with pytest.raises(RejectedFilmError) as rejection:
        check_tags(facts)
    assert rejection.value.code == code
    assert "\n" not in rejection.value.sentence


@pytest.mark.parametrize(
    "facts",
    [
        FilmFacts("png"),
        _facts(),
        _facts(modality="DX", body_part="THORAX", view=View.AP),
        _facts(modality="SC", body_part="", view=View.UNKNOWN),
        _facts(body_part="PORTABLE ROOM 3"),
        _facts(age_years=15.0),
        _facts(age_years=90.0),
    ],
)
def test_tags_that_are_missing_strange_or_right_decide_nothing(facts: FilmFacts) -> None:
    check_tags(facts)


@pytest.mark.parametrize(
    ("years", "stated"),
    [
        (14.99, "14 years old"),
        (2.0, "2 years old"),
        (1.99, "23 months old"),
        (1 / 12, "1 month old"),
        (0.01, "less than a month old"),
    ],
)
def test_an_age_is_stated_in_units_that_have_passed(years: float, stated: str) -> None:
    with pytest.raises(RejectedFilmError, match=stated):
        check_tags(_facts(age_years=years))


def test_raw_values_of_the_detector_are_refused_with_a_code_of_their_own() -> None:
    with pytest.raises(RejectedFilmError, match="FOR PRESENTATION") as rejection:
        check_tags(FilmFacts("dicom", modality="DX", is_for_processing=True))
    assert rejection.value.code == "for-processing"


def test_a_result_of_ours_is_refused() -> None:
    with pytest.raises(RejectedFilmError, match="of another film") as rejection:
        check_tags(FilmFacts("dicom", modality="OT", is_own_result=True))
    assert rejection.value.code == "own-result"


def test_a_child_s_sentence_names_the_age_and_the_bound() -> None:
    with pytest.raises(RejectedFilmError, match=r"4 years old .* 15 years"):
        check_tags(_facts(age_years=4.0))
