import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics
from sklearn.calibration import calibration_curve

from cxr_calibration.statistics.probability_scores import (
    Binning,
    brier,
    calibration_error,
    log_loss,
    reliability,
)

FILMS = st.lists(st.tuples(st.floats(0.001, 0.999), st.integers(0, 1)), min_size=2, max_size=60)


@given(FILMS)
def test_brier_score_and_log_loss_are_scikit_learns(drawn: list[tuple[float, int]]) -> None:
    said, labels = np.array([p for p, _ in drawn]), np.array([label for _, label in drawn])
    assert brier(said, labels) == pytest.approx(metrics.brier_score_loss(labels, said, pos_label=1))
    assert log_loss(said, labels) == pytest.approx(metrics.log_loss(labels, said, labels=[0, 1]))


def test_the_reliability_curve_is_scikit_learns() -> None:
    random = np.random.default_rng(4)
    said = random.random(500)
    labels = (random.random(500) < said**2).astype(int)
    found = reliability(said, labels, bins=8, binning=Binning.WIDTH)
    shares, means = calibration_curve(labels, said, n_bins=8, strategy="uniform")
    np.testing.assert_allclose([part.abnormal.value for part in found], shares)
    np.testing.assert_allclose([part.probability for part in found], means)


def test_bins_of_one_count_hold_about_as_many_films_each() -> None:
    said = np.random.default_rng(4).beta(1, 9, size=503)
    sizes = [part.films for part in reliability(said, np.arange(503) % 2, bins=10)]
    assert len(sizes) == 10
    assert max(sizes) - min(sizes) <= 1


def test_bars_of_films_that_stand_for_others_are_as_wide_as_without_the_others() -> None:
    said, labels, films = np.full(60, 0.3), np.arange(60) % 3 == 0, np.arange(60)
    (once,) = reliability(said, labels)
    eight = np.repeat(films, 8)
    (weighted,) = reliability(said[eight], labels[eight], sources=eight)
    assert weighted.abnormal.value == pytest.approx(once.abnormal.value)
    width = once.abnormal.high - once.abnormal.low
    assert weighted.abnormal.high - weighted.abnormal.low == pytest.approx(width, rel=0.02)


def test_the_calibration_error_of_a_worked_example() -> None:
    said = np.array([0.15, 0.15, 0.85, 0.85, 0.85])
    labels = np.array([0, 1, 1, 1, 0])
    expected = 2 / 5 * abs(0.15 - 1 / 2) + 3 / 5 * abs(0.85 - 2 / 3)
    assert calibration_error(said, labels) == pytest.approx(expected)


def test_true_probabilities_have_next_to_no_calibration_error() -> None:
    random = np.random.default_rng(8)
    said = random.random(100_000)
    assert calibration_error(said, (random.random(100_000) < said).astype(int)) < 0.01


@pytest.mark.parametrize("said", [[], [0.2, 1.2], [-0.1, 0.5]])
def test_what_is_no_probability_is_refused(said: list[float]) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        brier(np.array(said), np.ones(len(said), np.int64))
