import numpy as np
import pytest
import statsmodels.api as sm

from cxr_train.heat_scale import odds_of_boxes


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
