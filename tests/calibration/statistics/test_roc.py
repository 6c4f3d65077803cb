from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics

from cxr_calibration.statistics.intervals import bootstrap
from cxr_calibration.statistics.roc import (
    auc,
    compare_aucs,
    delong_auc,
    roc_curve,
    specificity_at_sensitivity,
)

Films = tuple[NDArray[np.float64], NDArray[np.int64]]


@st.composite
def films(draw: st.DrawFn) -> Films:
    """Scores with ties, both classes present."""
    size = draw(st.integers(2, 40))
    scores = draw(st.lists(st.integers(-6, 6), min_size=size, max_size=size))
    labels = draw(st.lists(st.integers(0, 1), min_size=size - 2, max_size=size - 2))
    return np.array(scores, np.float64) / 4, np.array([0, 1, *labels])


@given(films())
def test_the_area_is_scikit_learns(drawn: Films) -> None:
    scores, labels = drawn
    assert auc(scores, labels) == pytest.approx(metrics.roc_auc_score(labels, scores), abs=1e-12)


@given(films())
def test_the_curve_is_scikit_learns(drawn: Films) -> None:
    scores, labels = drawn
    false_alarms, found, thresholds = metrics.roc_curve(labels, scores, drop_intermediate=False)
    curve = roc_curve(scores, labels)
    np.testing.assert_allclose(curve.sensitivity, found)
    np.testing.assert_allclose(1 - curve.specificity, false_alarms, atol=1e-12)
    np.testing.assert_array_equal(curve.thresholds, thresholds)


@given(films())
def test_raising_the_threshold_never_raises_sensitivity(drawn: Films) -> None:
    curve = roc_curve(*drawn)
    assert (np.diff(curve.thresholds) < 0).all()
    assert (np.diff(curve.sensitivity) >= 0).all()
    assert (np.diff(curve.specificity) <= 0).all()


@given(films(), st.sampled_from([np.exp, np.arctan, lambda scores: 3 * scores - 7]))
def test_the_area_does_not_change_under_a_rising_map(drawn: Films, rising: np.ufunc) -> None:
    scores, labels = drawn
    assert auc(rising(scores), labels) == auc(scores, labels)


@given(films())
def test_turning_scores_around_turns_the_area_around(drawn: Films) -> None:
    scores, labels = drawn
    assert auc(-scores, labels) == pytest.approx(1 - auc(scores, labels), abs=1e-12)


@given(films(), st.floats(0, 1))
def test_specificity_at_sensitivity_is_the_best_that_any_threshold_reaches(
    drawn: Films, wanted: float
) -> None:
    scores, labels = drawn
    reached = []
    for threshold in [*scores, np.inf]:
        flagged = scores >= threshold
        if flagged[labels == 1].mean() >= wanted:
            reached.append(float((~flagged[labels == 0]).mean()))
    assert specificity_at_sensitivity(scores, labels, wanted) == pytest.approx(max(reached), abs=1e-12)


def test_the_area_of_hanley_and_mcneils_example_is_as_published() -> None:
    """Radiology 1982; 143: 29-36: 58 normal and 51 abnormal CT images rated from 1 to 5, area 0.893."""
    scores = np.repeat([1.0, 2, 3, 4, 5, 1, 2, 3, 4, 5], [33, 6, 6, 11, 2, 3, 2, 2, 11, 33])
    labels = np.repeat([0, 1], [58, 51])
    assert auc(scores, labels) == pytest.approx(0.893, abs=5e-4)


@pytest.mark.parametrize(
    ("scores", "labels"),
    [([0.1, 0.2], [1, 1]), ([0.1, np.nan], [0, 1]), ([0.1], [0, 1]), ([0.1, 0.2, 0.3], [0, 1, 2])],
)
def test_what_cannot_be_ranked_is_refused(scores: list[float], labels: list[int]) -> None:
    with pytest.raises(ValueError, match=r"expected|must be"):
        auc(np.array(scores), np.array(labels))


def _two_models(films: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    random = np.random.default_rng(seed)
    labels = (random.random(films) < 0.4).astype(np.int64)
    shared = random.normal(size=films)
    first = 1.2 * labels + shared + 0.5 * random.normal(size=films)
    return first, 0.8 * labels + shared + 0.5 * random.normal(size=films), labels


def _covariance_by_pairs(
    first: NDArray[np.float64], second: NDArray[np.float64], labels: NDArray[np.int64]
) -> float:
    """DeLong 1988, equations 4 to 6, pair by pair."""
    kernels = []
    for scores in (first, second):
        difference = scores[labels == 1][:, None] - scores[labels == 0][None]
        kernels.append(np.where(difference > 0, 1.0, np.where(difference == 0, 0.5, 0.0)))
    total = 0.0
    for axis in (1, 0):
        one, other = kernels[0].mean(axis=axis), kernels[1].mean(axis=axis)
        total += float(np.cov(one, other)[0, 1]) / one.size
    return total


def test_the_variance_is_that_of_the_paper_with_ties_too() -> None:
    first, second, labels = _two_models(60, seed=3)
    first, second = first.round(1), second.round(1)
    found = compare_aucs(first, second, labels)
    variance = _covariance_by_pairs(first, first, labels) + _covariance_by_pairs(second, second, labels)
    variance -= 2 * _covariance_by_pairs(first, second, labels)
    half = 1.9599639845 * sqrt(variance)  # 95 % of a normal distribution
    assert found.difference.high - found.difference.value == pytest.approx(half, rel=1e-6)
    assert found.difference.value == pytest.approx(auc(first, labels) - auc(second, labels))


def test_the_standard_error_of_hanley_and_mcneils_example_is_about_theirs() -> None:
    """Radiology 1982; 143: 29-36: area 0.893, standard error 0.032."""
    scores = np.repeat([1.0, 2, 3, 4, 5, 1, 2, 3, 4, 5], [33, 6, 6, 11, 2, 3, 2, 2, 11, 33])
    found = delong_auc(scores, np.repeat([0, 1], [58, 51]))
    assert found.value == pytest.approx(0.893, abs=5e-4)
    assert (found.value - found.low) / 1.96 == pytest.approx(0.032, abs=2e-3)


def test_the_interval_of_the_difference_agrees_with_the_bootstrap() -> None:
    first, second, labels = _two_models(300, seed=7)
    found = compare_aucs(first, second, labels).difference
    drawn = bootstrap(
        lambda rows: auc(first[rows], labels[rows]) - auc(second[rows], labels[rows]),
        np.arange(300),
        replicates=800,
    )
    assert (found.low, found.high) == pytest.approx((drawn.low, drawn.high), abs=0.015)


def test_a_model_does_not_differ_from_itself() -> None:
    first, _, labels = _two_models(50, seed=1)
    found = compare_aucs(first, 2 * first + 1, labels)
    assert (found.difference.value, found.p_value) == (0, 1)


def test_false_alarms_of_the_comparison_are_as_many_as_it_says() -> None:
    alarms = 0
    for seed in range(300):
        random = np.random.default_rng(seed)
        labels = np.arange(120) % 2
        shared = labels + random.normal(size=120)
        models = [shared + 0.7 * random.normal(size=120) for _ in range(2)]
        alarms += compare_aucs(models[0], models[1], labels).p_value < 0.05
    assert 0.02 <= alarms / 300 <= 0.085


def test_one_film_of_a_class_is_too_few() -> None:
    with pytest.raises(ValueError, match="at least two films"):
        delong_auc(np.array([0.1, 0.5, 0.9]), np.array([0, 0, 1]))


def test_with_one_film_a_patient_the_patients_change_nothing() -> None:
    first, second, labels = _two_models(60, seed=3)
    alone, named = compare_aucs(first, second, labels), compare_aucs(first, second, labels, np.arange(60))
    assert named.difference.low == pytest.approx(alone.difference.low, rel=1e-12)
    assert named.p_value == pytest.approx(alone.p_value, rel=1e-9)


def test_a_film_that_is_there_six_times_says_no_more_than_once() -> None:
    first, second, labels = _two_models(60, seed=4)
    once = compare_aucs(first, second, labels)
    often = compare_aucs(
        np.repeat(first, 6), np.repeat(second, 6), np.repeat(labels, 6), np.repeat(np.arange(60), 6)
    )
    assert (often.difference.low, often.difference.high) == pytest.approx(
        (once.difference.low, once.difference.high)
    )
    assert often.p_value == pytest.approx(once.p_value)


def test_patients_with_films_of_both_classes_narrow_the_interval_by_what_they_share() -> None:
    """As the variance of areas over patients drawn anew."""
    random, found, said = np.random.default_rng(8), [], []
    patients, labels = np.repeat(np.arange(40), 4), np.tile([0, 0, 1, 1], 40)
    for _ in range(300):
        scores = labels + np.repeat(random.normal(size=40), 4) + 0.5 * random.normal(size=160)
        estimate = delong_auc(scores, labels, patients)
        found.append(estimate.value)
        said.append((estimate.high - estimate.low) / (2 * 1.96))
    assert float(np.mean(said)) == pytest.approx(float(np.std(found)), rel=0.15)


def test_false_alarms_stay_rare_where_patients_have_several_films() -> None:
    alarms, patients = 0, np.repeat(np.arange(60), 6)
    labels = patients % 2
    for seed in range(300):
        random = np.random.default_rng(seed)
        alike = [np.repeat(random.normal(size=60), 6) for _ in range(2)]
        models = [labels + own + 0.3 * random.normal(size=360) for own in alike]
        alarms += compare_aucs(models[0], models[1], labels, patients).p_value < 0.05
    assert alarms / 300 <= 0.1


def test_one_patient_of_a_class_is_too_few() -> None:
    with pytest.raises(ValueError, match="of different patients"):
        delong_auc(np.array([0.1, 0.5, 0.9, 0.8]), np.array([0, 0, 1, 1]), np.array(["a", "b", "c", "c"]))
