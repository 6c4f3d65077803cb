"""Films dealt to folds or to the sides of a split: a group (a patient) is wholly in one part.

Two rules pick a part for each group, and both stay: the published calibration hangs on the folds of one, the
published networks on the splits of the other. They differ in ties, and in the rounding of nearly equal needs.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

FOLDS = 10  # a threshold set on nine tenths of the films is close to the one set on all of them

Counts = NDArray[np.float64]  # (S,) films of a group, or of all, by stratum
Parts = NDArray[np.intp]  # (N,) part of each film, from 0


class _Dealer(Protocol):
    def take(self, group: Counts) -> int:
        """The part that a group goes to, which is remembered."""
        ...


class _EvenFolds:
    """To the fold that lacks the group's kinds of films the most; of equal ones to the smallest."""

    def __init__(self, folds: int, total: Counts) -> None:
        self._total, self._filled = total, np.zeros((folds, total.size))

    def take(self, group: Counts) -> int:
        crowding = self._filled @ (group / self._total)
        fold = int(np.lexsort((self._filled.sum(axis=1), crowding))[0])
        self._filled[fold] += group
        return fold


class _Shares:
    """To the part that misses its share of the group's kinds of films the most; of equals the first."""

    def __init__(self, shares: Sequence[float], total: Counts) -> None:
        self._missing = np.outer(shares, total)
        self._scale = np.maximum(self._missing, 1e-9)

    def take(self, group: Counts) -> int:
        part = int(np.argmax(((self._missing * group) / self._scale).sum(axis=1)))
        self._missing[part] -= group
        return part


def grouped_folds(patients: NDArray[Any], strata: NDArray[Any], folds: int = FOLDS, seed: int = 0) -> Parts:
    """Deal films to folds of one size and mixture.

    Args:
        patients: (N,) any type, one value a patient.
        strata: (N,) any type; each fold gets about the same share of each value (say, label and view).
        folds: how many.
        seed: the same seed gives the same folds.

    Raises:
        ValueError: fewer patients than folds.
    """
    _, stratum = np.unique(strata, return_inverse=True)
    number = np.unique(patients).size
    if folds < 2 or number < folds:
        raise ValueError(f"{number} patients cannot be split into {folds} folds; expected at least 2 folds")
    return _deal(patients, stratum, _EvenFolds(folds, _total(stratum)), seed)


def shared_parts(
    patients: NDArray[Any], strata: NDArray[np.intp], shares: Sequence[float], seed: int = 0
) -> Parts:
    """Deal films to parts so that each gets its share of every stratum.

    Args:
        patients: (N,) any type, one value a patient.
        strata: (N,) number of each film's stratum, from 0.
        shares: of each part; together 1.
        seed: the same seed gives the same parts.
    """
    return _deal(patients, strata, _Shares(shares, _total(strata)), seed)


def folds_in_turn(groups: NDArray[Any], folds: int, seed: int | None = None) -> Parts:
    """Deal groups to folds one after the other, whatever is in them.

    Args:
        groups: (N,) any type, one value a group; they go by their rank.
        folds: how many.
        seed: shuffles the ranks; None leaves them.
    """
    names, which = np.unique(groups, return_inverse=True)
    ranks = np.arange(names.size) if seed is None else np.random.default_rng(seed).permutation(names.size)
    return np.asarray(ranks[which] % folds, np.intp)


def _deal(groups: NDArray[Any], stratum: NDArray[np.intp], dealer: _Dealer, seed: int) -> Parts:
    """Groups are shuffled, those with most films go first, and the dealer says where each goes."""
    _, group = np.unique(groups, return_inverse=True)
    number = int(group.max(initial=-1)) + 1
    has = np.zeros((number, int(stratum.max(initial=-1)) + 1))
    np.add.at(has, (group, stratum), 1)
    shuffled = np.random.default_rng(seed).permutation(number)
    order = shuffled[np.argsort(-has[shuffled].sum(axis=1), kind="stable")]
    part_of = np.empty(number, np.intp)
    for one in order:
        part_of[one] = dealer.take(has[one])
    return part_of[group]


def _total(stratum: NDArray[np.intp]) -> Counts:
    return np.bincount(stratum).astype(np.float64)
