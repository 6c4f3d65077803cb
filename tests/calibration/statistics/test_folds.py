import numpy as np
import pytest

from cxr_calibration.statistics.folds import grouped_folds


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
