import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from cxr_calibration.statistics.confusion import (
    Confusion,
    confusion_at,
    flagged_share_at,
    npv_at,
    npv_interval,
    ppv_at,
    ppv_interval,
)
from cxr_calibration.statistics.intervals import wilson

SHARES = st.floats(0.01, 0.99)


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=40), st.floats(0, 1))
def test_the_counts_and_ratios_are_scikit_learns(drawn: list[tuple[float, int]], threshold: float) -> None:
    scores, labels = np.array([s for s, _ in drawn]), np.array([label for _, label in drawn])
    found, said = confusion_at(scores, labels, threshold), (scores >= threshold).astype(int)
    tn, fp, fn, tp = metrics.confusion_matrix(labels, said, labels=[0, 1]).ravel()
    assert found == Confusion(tp, fp, tn, fn)
    assert found.films == len(drawn)
    assert found.accuracy == pytest.approx(metrics.accuracy_score(labels, said))
    if min(tp + fp, tp + fn, tn + fp, tn + fn):
        assert found.mcc == pytest.approx(metrics.matthews_corrcoef(labels, said), abs=1e-9)
    if tp + fp + fn:
        assert found.f1 == pytest.approx(metrics.f1_score(labels, said))
    if tp + fp:
        assert found.ppv == pytest.approx(metrics.precision_score(labels, said))
    if tp + fn:
        assert found.sensitivity == pytest.approx(metrics.recall_score(labels, said))


def test_a_ratio_without_films_is_not_a_number() -> None:
    empty = Confusion(0, 0, 5, 0)
    assert np.isnan([empty.sensitivity, empty.ppv, empty.f1]).all()
    assert (empty.specificity, empty.npv, empty.mcc) == (1, 1, 0)


@given(SHARES, SHARES, SHARES)
def test_predictive_values_follow_from_a_clinic_counted_film_by_film(
    sensitivity: float, specificity: float, prevalence: float
) -> None:
    found, missed = 1e6 * prevalence * sensitivity, 1e6 * prevalence * (1 - sensitivity)
    alarms, cleared = 1e6 * (1 - prevalence) * (1 - specificity), 1e6 * (1 - prevalence) * specificity
    assert ppv_at(sensitivity, specificity, prevalence) == pytest.approx(found / (found + alarms))
    assert npv_at(sensitivity, specificity, prevalence) == pytest.approx(cleared / (cleared + missed))
    assert flagged_share_at(sensitivity, specificity, prevalence) == pytest.approx((found + alarms) / 1e6)


def test_gigerenzers_mammography_example_comes_out_as_published() -> None:
    """Gigerenzer et al., Psychol Sci Public Interest 2007: 1 %, 90 % and 9 % false alarms give 1 in 10."""
    assert ppv_at(0.90, 0.91, 0.01) == pytest.approx(0.092, abs=5e-4)


@pytest.mark.parametrize("prevalence", [0.01, 0.05, 0.2])
def test_intervals_of_predictive_values_cover_the_truth_as_often_as_they_say(prevalence: float) -> None:
    random, covered = np.random.default_rng(9), np.zeros(2)
    for _ in range(500):
        sensitivity = wilson(random.binomial(80, 0.9), 80)
        specificity = wilson(random.binomial(150, 0.8), 150)
        ppv = ppv_interval(sensitivity, specificity, prevalence)
        npv = npv_interval(sensitivity, specificity, prevalence)
        covered[0] += ppv.low <= ppv_at(0.9, 0.8, prevalence) <= ppv.high
        covered[1] += npv.low <= npv_at(0.9, 0.8, prevalence) <= npv.high
    assert (covered / 500 >= 0.93).all()
    assert (covered / 500 <= 0.985).all()


@given(st.integers(0, 30), st.integers(0, 30), SHARES)
def test_intervals_of_predictive_values_hold_their_value_even_at_the_ends(
    found: int, cleared: int, prevalence: float
) -> None:
    sensitivity, specificity = wilson(found, 30), wilson(cleared, 30)
    for interval in (ppv_interval, npv_interval):
        result = interval(sensitivity, specificity, prevalence)
        assert 0 <= result.low <= result.high <= 1
        if not np.isnan(result.value):
            assert result.low - 1e-9 <= result.value <= result.high + 1e-9
