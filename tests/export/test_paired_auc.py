"""Two precisions on the same films."""

import numpy as np
import pytest

from cxr_calibration.statistics.roc import compare_aucs
from cxr_export.paired_auc import paired_auc


def test_the_difference_and_its_interval_are_those_of_the_calibration_package() -> None:
    rng = np.random.default_rng(3)
    labels = (np.arange(90) % 3 == 0).astype(np.intp)
    whole = rng.normal(labels, 1.0)
    lower = np.round(whole + rng.normal(0, 0.3, 90), 1)
    expected, found = compare_aucs(lower, whole, labels), paired_auc(lower, whole, labels)
    assert found.auc == pytest.approx(expected.first.value)
    assert found.change == pytest.approx(expected.difference.value)
    assert (found.low, found.high) == pytest.approx((expected.difference.low, expected.difference.high))


def test_equal_scores_change_nothing() -> None:
    scores, labels = np.arange(20.0), (np.arange(20) > 7).astype(np.intp)
    found = paired_auc(scores, scores, labels)
    assert (found.auc, found.change, found.low, found.high) == (1.0, 0.0, 0.0, 0.0)
