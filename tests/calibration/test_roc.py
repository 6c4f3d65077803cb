import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics

from cxr_calibration.roc import auc, roc_curve, sensitivity_at_specificity, specificity_at_sensitivity

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


@given(films(), st.floats(0, 1))
def test_sensitivity_at_specificity_mirrors_it(drawn: Films, wanted: float) -> None:
    scores, labels = drawn
    mirrored = specificity_at_sensitivity(-scores, 1 - labels, wanted)
    assert sensitivity_at_specificity(scores, labels, wanted) >= mirrored - 1e-12


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
