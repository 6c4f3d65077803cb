import numpy as np
import pytest
import statsmodels.api as sm

from cxr_runtime.placement import Box
from cxr_train.heat.prior import LEAST, SIDE, BoxedLungs, fit_prior, odds_of_boxes


def in_lungs(lungs: Box, x0: float, y0: float, x1: float, y1: float) -> BoxedLungs:
    """A film whose box is given as shares of the box around the lungs."""
    left, top, width, height = lungs[0], lungs[1], lungs[2] - lungs[0], lungs[3] - lungs[1]
    box = (left + x0 * width, top + y0 * height, left + x1 * width, top + y1 * height)
    return BoxedLungs(lungs, (box,))


def test_boxes_at_the_same_place_of_the_lungs_fall_on_each_other() -> None:
    near, far = (0.1, 0.1, 0.9, 0.9), (0.4, 0.3, 0.7, 0.6)
    alone = fit_prior([in_lungs(near, 0.5, 0.5, 0.75, 0.75)])
    both = fit_prior([in_lungs(lungs, 0.5, 0.5, 0.75, 0.75) for lungs in (near, far)])
    np.testing.assert_allclose(both.shares, alone.shares, atol=1e-3)
    row, column = np.unravel_index(int(np.argmax(both.shares)), (SIDE, SIDE))
    assert (np.array([row, column]) + 0.5) / SIDE * 1.2 - 0.1 == pytest.approx(0.625, abs=0.03)


def test_it_is_1_where_boxes_are_most_often_and_nowhere_0() -> None:
    lungs = (0.1, 0.1, 0.9, 0.9)
    often, once = (0.6, 0.5, 0.8, 0.8), (0.1, 0.1, 0.3, 0.4)
    shares = np.array(fit_prior([in_lungs(lungs, *box) for box in (often, often, often, once)]).shares)
    assert shares.max() == 1
    assert shares.min() == LEAST
    assert shares[:, : SIDE // 2].max() == pytest.approx(1 / 3, abs=0.05)


def test_lungs_are_usually_where_they_are_on_average() -> None:
    films = [in_lungs(lungs, 0.5, 0.5, 0.7, 0.7) for lungs in ((0.1, 0.2, 0.9, 0.8), (0.2, 0.1, 0.8, 0.9))]
    assert fit_prior(films).usual_lungs_share_xyxy == pytest.approx((0.15, 0.15, 0.85, 0.85))


def test_it_is_the_logistic_regression_of_statsmodels() -> None:
    random = np.random.default_rng(0)
    evidence = random.normal(1, 2, (30, 7, 7)).astype(np.float32)
    inside = (random.random(evidence.shape) < 1 / (1 + np.exp(-0.7 * (evidence - 2)))).astype(np.float32)
    inside[:, 0] = np.nan
    gain, shift = odds_of_boxes(evidence, inside)
    known = np.isfinite(inside)
    design = sm.add_constant(evidence[known].astype(np.float64))
    offset, slope = sm.GLM(inside[known], design, family=sm.families.Binomial()).fit().params
    assert gain == pytest.approx(slope, rel=0.02)
    assert shift == pytest.approx(offset / slope, rel=0.02)


def test_it_stays_finite_where_evidence_and_boxes_agree_perfectly() -> None:
    evidence = np.linspace(-1, 1, 200, dtype=np.float32).reshape(2, 10, 10)
    gain, shift = odds_of_boxes(evidence, (evidence > 0).astype(np.float32))
    assert np.isfinite([gain, shift]).all()
    assert gain > 0
