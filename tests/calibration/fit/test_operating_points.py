import numpy as np
import pytest

from cxr_calibration.fit.operating_points import MeasuredPoint, measure_point
from cxr_calibration.fit.probability_maps import MapChoice, choose_map
from cxr_calibration.fit.rules import RULE_OUT, WHO_TRIAGE, Balanced, Capacity, Fixed, Rule
from cxr_calibration.labels.labelled_films import LabelledFilms
from cxr_calibration.statistics.folds import grouped_folds
from cxr_runtime.model.calibration import ProbabilityMap
from drawn_films import drawn_films

IDENTITY = ProbabilityMap(method="temperature")


def _measured(rule: Rule, films: LabelledFilms) -> MeasuredPoint:
    folds = grouped_folds(films.patients, films.truth)
    return measure_point(rule, films, choose_map(films.margins, films.truth, folds), folds, films.margins)


def test_who_triage_is_met_where_scores_are_good_enough() -> None:
    point = _measured(WHO_TRIAGE, drawn_films(600, apart=3))
    assert point.met
    assert point.sensitivity.low >= 0.9
    assert point.specificity.low >= 0.7


def test_a_met_point_always_has_its_lower_bound_at_the_target() -> None:
    met = missed = 0
    for seed in range(25):
        films = drawn_films(300, apart=2.5, seed=seed)
        for rule in (WHO_TRIAGE, RULE_OUT):
            point = _measured(rule, films)
            if point.met:
                met += 1
                assert point.sensitivity.low >= rule.sensitivity
                assert point.specificity.low >= rule.specificity
            else:
                missed += 1
                assert point.shortfall
    assert met > 0
    assert missed > 0


def test_scores_that_cannot_buy_it_are_not_called_met() -> None:
    point = _measured(WHO_TRIAGE, drawn_films(600, apart=1))
    assert not point.met
    assert "lower bound is below 70%" in point.shortfall


def test_too_few_positives_are_said_with_how_many_are_needed() -> None:
    point = _measured(RULE_OUT, drawn_films(400, apart=6, prevalence=0.1))
    assert not point.met
    assert "too few abnormal films" in point.shortfall
    assert "at least 73 are needed" in point.shortfall


def test_a_fresh_clinic_finds_the_sensitivity_that_was_promised() -> None:
    kept = 0
    for seed in range(40):
        point = _measured(WHO_TRIAGE, drawn_films(400, apart=2, seed=seed))
        fresh = drawn_films(4000, apart=2, seed=1000 + seed)
        calibrated = choose_map(
            drawn_films(400, apart=2, seed=seed).margins,
            drawn_films(400, apart=2, seed=seed).truth,
            grouped_folds(np.arange(400), np.zeros(400)),
        ).chosen
        found = (calibrated.probability(fresh.margins) >= point.threshold)[fresh.truth].mean()
        kept += found >= 0.9
    assert kept >= 38


def test_balanced_is_where_two_bell_curves_cross() -> None:
    point = _measured(Balanced(), drawn_films(4000))
    assert point.threshold == pytest.approx(0.5, abs=0.12)
    assert point.sensitivity.value == pytest.approx(0.841, abs=0.03)  # of a normal distribution beyond -1
    assert point.specificity.value == pytest.approx(0.841, abs=0.03)
    assert point.met


def test_balanced_is_not_met_by_scores_of_chance() -> None:
    films = drawn_films(300, apart=2)
    shuffled = np.random.default_rng(1).permutation(films.truth)
    folds = grouped_folds(films.patients, shuffled)
    chance = LabelledFilms(films.margins, shuffled, films.patients)
    choice = MapChoice(IDENTITY, (IDENTITY,) * 10, IDENTITY.probability(films.margins), {})
    assert not measure_point(Balanced(), chance, choice, folds, chance.margins).met


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_capacity_flags_no_more_than_the_share_and_next_to_all_of_it(share: float) -> None:
    point = _measured(Capacity("capacity", share), drawn_films(500))
    assert share - 0.005 <= point.flagged_share.value <= share
    assert point.met


def test_capacity_is_about_films_as_they_come() -> None:
    films, everyday = drawn_films(500), drawn_films(3000, prevalence=0.05, seed=9)
    folds = grouped_folds(films.patients, films.truth)
    choice = choose_map(films.margins, films.truth, folds)
    point = measure_point(Capacity("capacity:20%", 0.2), films, choice, folds, everyday.margins)
    assert np.mean(choice.chosen.probability(everyday.margins) >= point.threshold) == pytest.approx(0.2)
    assert point.counts.flagged_share > 0.4  # the labelled films are enriched


def test_films_that_all_score_alike_cannot_be_cut_to_a_capacity() -> None:
    films = drawn_films(200)
    coarse = LabelledFilms(np.sign(films.margins), films.truth, films.patients)
    point = _measured(Capacity("capacity:20%", 0.2), coarse)
    assert point.flagged_share.value == 0
    assert not point.met


def test_a_fixed_threshold_stays_what_was_given() -> None:
    point = _measured(Fixed("fixed:0.5", 0.5), drawn_films(300))
    assert point.threshold == 0.5
    assert point.counts.films == 300


def test_predictive_values_fall_and_rise_with_prevalence() -> None:
    point = _measured(Balanced(), drawn_films(400))
    assert [at.prevalence for at in point.at_prevalence] == [0.01, 0.05, 0.2]
    assert (
        point.at_prevalence[0].ppv.value < point.at_prevalence[1].ppv.value < point.at_prevalence[2].ppv.value
    )
    assert (
        point.at_prevalence[0].npv.value > point.at_prevalence[1].npv.value > point.at_prevalence[2].npv.value
    )


def test_patients_with_many_films_widen_the_interval() -> None:
    once, often = drawn_films(400), drawn_films(400, films_a_patient=4)
    widths = [
        point.sensitivity.high - point.sensitivity.low
        for point in (_measured(Fixed("fixed:0.5", 0.5), once), _measured(Fixed("fixed:0.5", 0.5), often))
    ]
    assert widths[1] > 1.3 * widths[0]
