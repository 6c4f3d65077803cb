import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.calibration import _SigmoidCalibration

from cxr_calibration.fit.probability_maps import (
    FITTERS,
    HOTTEST,
    choose_map,
    fit_isotonic,
    fit_platt,
    fit_temperature,
)
from cxr_calibration.statistics.folds import grouped_folds
from cxr_calibration.statistics.probability_scores import calibration_error
from cxr_calibration.statistics.roc import auc
from cxr_runtime.errors import CalibrationError


def _films(films: int, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Margins twice too sure of themselves, and shifted: P(abnormal) = sigmoid(margin / 2 + 0.7)."""
    random = np.random.default_rng(seed)
    margins = random.normal(0, 3, size=films)
    return margins, (random.random(films) < 1 / (1 + np.exp(-margins / 2 - 0.7))).astype(np.int64)


def test_platts_line_is_scikit_learns() -> None:
    margins, labels = _films(400)
    found, theirs = fit_platt(margins, labels), _SigmoidCalibration().fit(margins, labels)
    assert (found.slope, found.intercept) == pytest.approx((-theirs.a_, -theirs.b_), rel=1e-4)


def test_platts_line_finds_the_slope_and_intercept_that_films_were_drawn_with() -> None:
    found = fit_platt(*_films(60_000))
    assert (found.slope, found.intercept) == pytest.approx((0.5, 0.7), abs=0.02)


def test_the_temperature_is_where_the_log_loss_is_least() -> None:
    margins, labels = _films(500)
    targets = np.where(labels == 1, (labels.sum() + 1) / (labels.sum() + 2), 1 / ((1 - labels).sum() + 2))

    def loss(temperature: float) -> float:
        scaled = margins / temperature
        return float(np.mean(np.logaddexp(0, scaled) - targets * scaled))

    found = fit_temperature(margins, labels).temperature
    assert loss(found) <= min(loss(found * 0.999), loss(found * 1.001))


@pytest.mark.parametrize("method", FITTERS)
def test_no_method_changes_how_films_are_ranked(method: str) -> None:
    margins, labels = _films(300)
    probability = FITTERS[method](margins, labels).probability(margins)
    assert auc(probability, labels) == pytest.approx(auc(margins, labels), abs=0.01)


@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_probabilities_of_fresh_films_are_right(method: str) -> None:
    fitted = FITTERS[method](*_films(5000, seed=1))
    margins, labels = _films(5000, seed=2)
    raw = 1 / (1 + np.exp(-margins))
    assert calibration_error(raw, labels) > 0.1
    assert calibration_error(fitted.probability(margins), labels) < 0.03


@pytest.mark.parametrize("method", FITTERS)
def test_classes_that_do_not_overlap_get_probabilities_short_of_certainty(method: str) -> None:
    margins = np.concatenate([np.linspace(-9, -3, 40), np.linspace(3, 9, 40)])
    probability = FITTERS[method](margins, np.arange(80) // 40).probability(margins)
    assert probability[:40].max() < 0.3
    assert probability[40:].min() > 0.7
    assert 0 < probability.min() <= probability.max() < 1


def test_scores_that_run_the_wrong_way_are_refused() -> None:
    margins, labels = _films(300)
    with pytest.raises(CalibrationError, match="calibration is not possible"):
        fit_platt(-margins, labels)


def test_margins_far_from_even_fit_no_temperature_but_a_line() -> None:
    margins, labels = _films(600)
    labels[:] = np.where(np.arange(600) < 500, 0, 1)
    shifted = 30 + np.where(labels == 1, 1.0, -1.0) + 0.1 * margins
    assert fit_temperature(shifted, labels).temperature == HOTTEST
    assert fit_platt(shifted, labels).slope > 0


def test_isotonic_keeps_films_apart_that_plain_steps_would_tie() -> None:
    margins, labels = _films(300)
    probability = fit_isotonic(margins, labels).probability(np.sort(margins))
    assert np.unique(probability).size > 250


def test_films_that_only_a_shift_sets_right_get_platts_line() -> None:
    random = np.random.default_rng(0)
    margins = random.normal(0, 2, size=800)
    labels = random.random(800) < 1 / (1 + np.exp(-margins - 1.5))
    choice = choose_map(margins, labels, grouped_folds(np.arange(800), labels))
    assert choice.chosen.method == "platt"
    assert choice.log_losses["platt"] == min(choice.log_losses.values())


def test_films_that_a_line_cannot_set_right_get_isotonic_knots() -> None:
    random = np.random.default_rng(0)
    margins = random.uniform(-4, 4, size=3000)
    labels = random.random(3000) < np.where(margins < 1, 0.1, np.where(margins < 2, 0.5, 0.55))
    choice = choose_map(margins, labels, grouped_folds(np.arange(3000), labels))
    assert choice.chosen.method == "isotonic"


def test_a_films_probability_comes_from_a_map_that_never_saw_its_patient() -> None:
    random = np.random.default_rng(3)
    patients = np.repeat(np.arange(300), 3)
    margins = random.normal(size=900)
    labels = random.random(900) < 1 / (1 + np.exp(-2 * margins))
    folds = grouped_folds(patients, labels)
    changed = np.where(patients == 7, ~labels, labels)
    before, after = choose_map(margins, labels, folds), choose_map(margins, changed, folds)
    own = folds == folds[patients == 7][0]
    assert before.chosen.method == after.chosen.method
    np.testing.assert_array_equal(before.probabilities[own], after.probabilities[own])
    assert (before.probabilities[~own] != after.probabilities[~own]).all()


def test_a_method_that_is_better_by_chance_alone_is_not_taken() -> None:
    methods = []
    for seed in range(20):
        random = np.random.default_rng(seed)
        margins = random.normal(0, 2, size=200)
        labels = random.random(200) < 1 / (1 + np.exp(-0.5 * margins))
        methods.append(choose_map(margins, labels, grouped_folds(np.arange(200), labels)).chosen.method)
    assert methods.count("temperature") >= 15


def test_too_few_films_of_a_class_are_refused() -> None:
    labels = np.array([0, 0, 0, 0, 1])
    with pytest.raises(CalibrationError, match="1 abnormal and 4 normal"):
        choose_map(np.arange(5.0), labels, np.array([0, 1, 2, 3, 4]))


def test_rows_of_weighted_films_do_not_make_a_difference_sure() -> None:
    random, methods = np.random.default_rng(2), []
    for _ in range(12):
        margins = random.normal(size=80) * 2
        labels = random.random(80) < 1 / (1 + np.exp(-margins))
        films = np.repeat(np.arange(80), 20)
        folds = grouped_folds(films, labels[films])
        methods.append(choose_map(margins[films], labels[films], folds, films).chosen.method)
    assert methods.count("temperature") >= 9
