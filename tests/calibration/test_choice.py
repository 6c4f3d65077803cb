import numpy as np
import pytest

from cxr_calibration.choice import choose_map
from cxr_calibration.folds import grouped_folds
from cxr_runtime.errors import CalibrationError


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
