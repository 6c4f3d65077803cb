"""Folds for cross-validation: a patient is wholly in one fold, every fold is as like the whole as can be."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

FOLDS = 10  # a threshold set on nine tenths of the films is close to the one set on all of them


def grouped_folds(
    patients: NDArray[Any], strata: NDArray[Any], folds: int = FOLDS, seed: int = 0
) -> NDArray[np.intp]:
    """Assign films to folds.

    Patients are shuffled, the ones with most films first, and each goes to the fold that lacks its kind of
    films the most.

    Args:
        patients: (N,) any type, one value a patient.
        strata: (N,) any type; each fold gets about the same share of each value (say, label and view).
        folds: how many.
        seed: the same seed gives the same folds.

    Returns:
        (N,) fold of each film, 0..folds-1.

    Raises:
        ValueError: fewer patients than folds.
    """
    _, patient = np.unique(patients, return_inverse=True)
    _, stratum = np.unique(strata, return_inverse=True)
    number = int(patient.max(initial=-1)) + 1
    if folds < 2 or number < folds:
        raise ValueError(f"{number} patients cannot be split into {folds} folds; expected at least 2 folds")
    has = np.zeros((number, int(stratum.max()) + 1))
    np.add.at(has, (patient, stratum), 1)
    shuffled = np.random.default_rng(seed).permutation(number)
    order = shuffled[np.argsort(-has[shuffled].sum(axis=1), kind="stable")]
    fold_of, filled = np.empty(number, np.intp), np.zeros((folds, has.shape[1]))
    for one in order:
        crowding = filled @ (has[one] / has.sum(axis=0))
        fold = int(np.lexsort((filled.sum(axis=1), crowding))[0])
        fold_of[one], filled[fold] = fold, filled[fold] + has[one]
    return fold_of[patient]
