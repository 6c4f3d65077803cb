"""A score is put into words that hold at the clinic's own share of abnormal films."""

from dataclasses import replace

import pytest

from cxr_runtime.model.likeness import FOREIGN
from cxr_runtime.presentation import Presentation
from cxr_runtime.reports.meaning import at_prevalence, explanation, films_like_this, finds
from cxr_runtime.store.rows import RunFacts
from cxr_runtime.view_shares import ViewShares
from drawn_exhibits import RUN, scored

CALIBRATED = replace(RUN, calibration_films=697, calibration_abnormal=53)


def at(share: float | None, run: RunFacts = CALIBRATED) -> RunFacts:
    return replace(run, presentation=Presentation(prevalence=share))


@pytest.mark.parametrize("probability", [0.0, 0.0607, 0.5, 0.99, 1.0])
def test_at_the_calibrations_own_share_a_probability_stays_as_it_is(probability: float) -> None:
    assert at_prevalence(probability, 0.076, 0.076) == pytest.approx(probability)


def test_the_odds_change_as_those_of_the_shares_do() -> None:
    moved = at_prevalence(0.2, 0.1, 0.3)
    before, after = 0.2 / 0.8, moved / (1 - moved)
    assert after / before == pytest.approx((0.3 / 0.7) / (0.1 / 0.9))


def test_films_drawn_at_another_share_are_as_often_abnormal_as_it_says() -> None:
    """Of films with this score, counted over two clinics with the same films and other shares."""
    of_abnormal, of_normal = 0.3, 0.02  # share of abnormal, and of normal, films that have the score
    for share in (0.01, 0.05, 0.4):
        abnormal, normal = share * of_abnormal, (1 - share) * of_normal
        there = 0.08 * of_abnormal / (0.08 * of_abnormal + 0.92 * of_normal)
        assert at_prevalence(there, 0.08, share) == pytest.approx(abnormal / (abnormal + normal))


def test_a_film_says_how_many_like_it_are_abnormal() -> None:
    told = films_like_this(scored("a.png", 0.9).outcome, at(0.05))
    assert told == "Of 100 films with a score like this, about 85 are abnormal where 5 of 100 films are."


def test_hardly_any_and_nearly_all_are_said_so() -> None:
    assert "fewer than 1 are" in films_like_this(scored("a.png", 0.0001).outcome, at(0.05))
    assert "more than 99 are" in films_like_this(scored("a.png", 0.9999).outcome, at(0.5))


def test_without_a_stated_share_the_example_is_called_one() -> None:
    assert "where 5 of 100 films are" in films_like_this(scored("a.png", 0.9).outcome, at(None))
    assert "as an example" in " ".join(explanation(at(None)))
    assert "as an example" not in " ".join(explanation(at(0.02)))
    assert "2 abnormal films in 100, as stated for this clinic" in " ".join(explanation(at(0.02)))


def test_nothing_is_said_where_it_would_not_hold() -> None:
    outcome = scored("a.png", 0.9).outcome
    assert films_like_this(outcome, replace(CALIBRATED, is_calibrated=False)) == ""
    assert films_like_this(outcome, replace(CALIBRATED, foreign=FOREIGN)) == ""
    assert films_like_this(outcome, RUN) == ""
    assert films_like_this(outcome, replace(CALIBRATED, calibration_abnormal=697)) == ""
    assert "use their order alone" in " ".join(explanation(replace(CALIBRATED, foreign=FOREIGN)))


def test_the_threshold_is_explained_where_few_films_are_abnormal() -> None:
    told = " ".join(explanation(replace(CALIBRATED, threshold=0.0607)))
    assert "8 of 100 were abnormal there" in told
    assert "compare it with the threshold, 6.07, not with 50" in told


def test_the_operating_point_is_one_sentence() -> None:
    assert finds(CALIBRATED) == (
        "Flagged from a score of 47.00. It finds 87 of 100 abnormal films and flags 19 of 100 normal ones, "
        "measured on 697 films."
    )
    of_views = (ViewShares("PA", 0.84, 0.87), ViewShares("AP", 0.83, 0.76))
    assert finds(replace(CALIBRATED, by_view=of_views)).endswith(
        " By view: PA 84 found and 13 flagged, AP 83 found and 24 flagged."
    )
    assert "By view" not in finds(replace(CALIBRATED, by_view=of_views, foreign=FOREIGN))
    assert "was not measured" in finds(replace(CALIBRATED, sensitivity=None))
    assert "does not hold for these films" in finds(replace(CALIBRATED, foreign=FOREIGN))
