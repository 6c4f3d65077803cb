import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxr_calibration.fit.conformal import ReviewBand, lowest_margin, measure_band
from cxr_calibration.fit.operating_points import measure_point
from cxr_calibration.fit.probability_maps import choose_map
from cxr_calibration.fit.rules import RULE_OUT, Balanced, Rule
from cxr_calibration.labels.choosing import choose
from cxr_calibration.labels.labelled_films import LabelledFilms
from cxr_calibration.statistics.folds import grouped_folds
from drawn_films import drawn_films


def _band(films: LabelledFilms, error_rate: float, rule: Rule | None = None) -> tuple[ReviewBand, float]:
    folds = grouped_folds(films.patients, films.truth)
    choice = choose_map(films.margins, films.truth, folds)
    point = measure_point(rule or Balanced(), films, choice, folds, films.margins)
    return measure_band(point, films, choice, folds, films.margins, error_rate), point.threshold


@pytest.mark.parametrize("films_a_patient", [1, 3])
def test_fresh_films_are_called_wrongly_no_more_often_than_stated(films_a_patient: int) -> None:
    wrong = []
    for seed in range(60):
        films = drawn_films(300, films_a_patient=films_a_patient, seed=seed)
        fresh = drawn_films(2000, seed=10_000 + seed)
        low = lowest_margin(films.margins[films.truth], films.patients[films.truth], 0.1)
        wrong.append(np.mean(fresh.margins[fresh.truth] < low))
    assert 0.08 <= np.mean(wrong) <= 0.105


def test_chosen_films_with_weights_keep_the_error_rate_even_where_abnormal_films_score_low() -> None:
    """A tenth of the abnormal films scores low, where each film that is read stands for many."""
    random, missed, flagged = np.random.default_rng(0), [], []

    def drawn(films: int) -> LabelledFilms:
        truth, is_odd = random.random(films) < 0.3, random.random(films) < 0.1
        middle = np.where(truth, np.where(is_odd, -2.5, 2.0), -1.5)
        return LabelledFilms(random.normal(middle), truth, np.arange(films).astype(np.str_))

    fresh = drawn(20_000)
    for seed in range(100):
        scanned = drawn(1000)
        chosen = choose(scanned.margins, 500, seed)
        times = np.rint(chosen.weights).astype(np.intp)
        rows = np.repeat(chosen.rows, times)
        margins, truth, heaviest = scanned.margins[rows], scanned.truth[rows], int(times.max())
        low, high = (
            lowest_margin(side * margins[kind], scanned.patients[rows][kind], 0.1, rows[kind], heaviest)
            for side, kind in ((1, truth), (-1, ~truth))
        )
        missed.append(np.mean(fresh.margins[fresh.truth] < low))
        flagged.append(np.mean(-fresh.margins[~fresh.truth] < high))
    assert 0.05 <= np.mean(missed) <= 0.1
    assert 0.05 <= np.mean(flagged) <= 0.1


def test_weights_that_are_all_alike_change_nothing() -> None:
    margins, patients = np.arange(40.0), np.arange(40).astype(np.str_)
    twice = np.repeat(np.arange(40), 2)
    assert lowest_margin(margins[twice], patients[twice], 0.1, twice, 2) == lowest_margin(
        margins, patients, 0.1
    )


def test_a_film_that_stands_for_many_sends_all_to_review_that_few_labels_cannot_clear() -> None:
    times = np.array([30] + 40 * [1])
    rows = np.repeat(np.arange(41), times)
    assert lowest_margin(np.arange(41.0)[rows], rows.astype(np.str_), 0.05, rows, 30) == -np.inf


@given(st.integers(1, 200), st.floats(0.01, 0.4))
def test_the_limit_is_the_rank_that_the_theory_asks_for(films: int, error_rate: float) -> None:
    margins = np.random.default_rng(films).permutation(films).astype(np.float64)
    found = lowest_margin(margins, np.arange(films).astype(np.str_), error_rate)
    rank = int(np.floor(error_rate * (films + 1) + 1e-9))
    assert found == (-np.inf if rank == 0 else rank - 1)


def test_the_band_holds_the_threshold_and_its_errors_stay_as_stated() -> None:
    films = drawn_films(1500)
    for rule in (Balanced(), RULE_OUT):
        band, threshold = _band(films, 0.05, rule)
        assert band.low <= threshold <= band.high
        assert band.missed.value <= 0.06
        assert band.false_alarms.value <= 0.06


def test_a_smaller_error_rate_sends_more_films_to_review() -> None:
    films = drawn_films(1500)
    assert _band(films, 0.02)[0].review_share.value > _band(films, 0.1)[0].review_share.value > 0


def test_scores_good_enough_for_the_error_rate_send_next_to_nothing_to_review() -> None:
    band, _ = _band(drawn_films(600, apart=8), 0.05)
    assert band.review_share.value < 0.01


def test_too_few_films_for_the_error_rate_send_everything_to_review_that_is_not_sure() -> None:
    band, threshold = _band(drawn_films(60), 0.01)
    assert (band.low, band.high) == (0, 1)
    assert 0 < threshold < 1
    assert band.review_share.value == 1
