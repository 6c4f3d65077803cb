import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from cxr_calibration.statistics.regression import fit_logistic, pool_adjacent_violators, smoothed_targets


def test_logistic_coefficients_are_scikit_learns() -> None:
    random = np.random.default_rng(4)
    x = random.normal(size=400)
    truth = random.random(400) < 1 / (1 + np.exp(-(1.5 * x - 0.5)))
    design = np.stack([x, np.ones_like(x)], axis=1)
    theirs = LogisticRegression(C=np.inf, tol=1e-9).fit(x[:, None], truth)
    ours = fit_logistic(design, truth.astype(np.float64))
    np.testing.assert_allclose(ours, [theirs.coef_[0, 0], theirs.intercept_[0]], rtol=1e-4)


def test_columns_that_say_the_same_still_give_a_fit_of_least_loss() -> None:
    x = np.linspace(-1, 1, 50)
    truth = x > 0.2
    single = fit_logistic(x[:, None], smoothed_targets(truth))
    doubled = fit_logistic(np.stack([x, x], axis=1), smoothed_targets(truth))
    assert doubled.sum() == pytest.approx(single[0], rel=1e-3)


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 9)), min_size=1, max_size=30))
def test_isotonic_steps_are_scikit_learns(drawn: list[tuple[float, int]]) -> None:
    values, weights = np.array([v for v, _ in drawn]), np.array([w for _, w in drawn], np.float64)
    steps = pool_adjacent_violators(values, weights)
    theirs = IsotonicRegression().fit_transform(np.arange(values.size), values, sample_weight=weights)
    ours = np.repeat([value for value, _, _ in steps], [number for _, _, number in steps])
    np.testing.assert_allclose(ours, theirs, atol=1e-9)
