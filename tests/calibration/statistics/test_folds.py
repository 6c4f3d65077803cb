from hashlib import sha256

import numpy as np
import pytest

from cxr_calibration.statistics.folds import folds_in_turn, grouped_folds, shared_parts


def _films() -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    random = np.random.default_rng(6)
    patients = np.repeat(np.arange(120), random.integers(1, 5, size=120))
    return patients, (random.random(patients.size) < 0.25).astype(np.int64)


def test_a_patient_is_wholly_in_one_fold() -> None:
    patients, labels = _films()
    folds = grouped_folds(patients, labels)
    assert all(np.unique(folds[patients == patient]).size == 1 for patient in np.unique(patients))


def test_folds_are_of_a_size_and_of_one_mixture() -> None:
    patients, labels = _films()
    folds = grouped_folds(patients, labels, folds=5)
    for label in (0, 1):
        counts = np.bincount(folds[labels == label], minlength=5)
        assert counts.max() - counts.min() <= 4


def test_the_same_seed_gives_the_same_folds_and_another_seed_others() -> None:
    patients, labels = _films()
    np.testing.assert_array_equal(grouped_folds(patients, labels), grouped_folds(patients, labels))
    assert (grouped_folds(patients, labels, seed=1) != grouped_folds(patients, labels)).any()


def test_fewer_patients_than_folds_are_refused() -> None:
    with pytest.raises(ValueError, match="3 patients"):
        grouped_folds(np.array(["a", "b", "c", "c"]), np.array([0, 1, 0, 1]), folds=4)


def test_the_folds_of_the_published_calibration_stay_as_they_are() -> None:
    folds = grouped_folds(*_films()).astype(np.int64)
    assert sha256(folds.tobytes()).hexdigest().startswith("6d23db87d1a3b57a")


def test_parts_get_their_shares_and_whole_patients() -> None:
    patients, labels = _films()
    parts = shared_parts(patients, labels, (0.7, 0.2, 0.1))
    assert all(np.unique(parts[patients == patient]).size == 1 for patient in np.unique(patients))
    for label in (0, 1):
        counts = np.bincount(parts[labels == label], minlength=3)
        np.testing.assert_allclose(counts, np.array([0.7, 0.2, 0.1]) * counts.sum(), atol=3)


def test_folds_in_turn_are_of_a_size_and_keep_groups_whole() -> None:
    assert folds_in_turn(np.array(["b", "a", "b", "c"]), 2).tolist() == [1, 0, 1, 0]
    assert folds_in_turn(np.arange(7), 3, seed=1).tolist() == [2, 0, 1, 1, 2, 0, 0]
