"""Which film stands on which side: always by patient, even in label and view, and checked for leaks."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.labels.film_csv import csv_bytes
from cxr_calibration.statistics.folds import shared_parts
from cxr_runtime.errors import UsageError
from cxr_train.data.film import TrainingFilm, Truth, column

SPLIT_FILE = "split.csv"  # in a run folder
SHARES = (0.7, 0.2, 0.1)  # training, validation, test (paper, II.A)
SIDES = ("training", "validation", "test")
LEAST_FOLDS = 3  # one to train on, one to choose by, one to test on
STRATA = ("label", "truth", "view", "site")  # columns that every side gets its share of

Rows = NDArray[np.intp]  # (n,) row numbers of a film table


@dataclass(frozen=True)
class SplitPlan:
    """How films are dealt to the sides."""

    shares: tuple[float, ...] = SHARES  # without folds: training, validation, test
    folds: int = 0  # of a cross-validation; 0: none
    fold: int = 0  # the one whose part is the test, 0 <= fold < folds
    seed: int = 0  # the same for all folds of one cross-validation
    validated: bool = True  # False: no film is kept back to choose an epoch by
    unread: bool = False  # take only patients of whom nobody has read a film: for pretraining


@dataclass(frozen=True)
class Split:
    """Row numbers of a film table, by side."""

    training: Rows
    validation: Rows
    test: Rows

    def side(self, name: str) -> Rows:
        """The rows of `training`, `validation`, `test`, or `all` of them.

        Raises:
            UsageError: there is no such side.
        """
        if name not in (*SIDES, "all"):
            raise UsageError(f"there is no side {name!r}; expected {', '.join(SIDES)} or all")
        sides: dict[str, Rows] = {side: getattr(self, side) for side in SIDES}
        return np.sort(np.concatenate(list(sides.values()))) if name == "all" else sides[name]


def split_films(films: Sequence[TrainingFilm], plan: SplitPlan) -> Split:
    """Split by shares, or into folds: then one part is the test, and the next one the validation.

    Raises:
        UsageError: the plan cannot be carried out, or leaves nothing to train or to validate on.
    """
    if plan.unread:
        films_of = unread_rows(films)
        inner = split_films([films[row] for row in films_of], replace(plan, unread=False))
        return Split(*(films_of[inner.side(side)] for side in SIDES))
    if not plan.folds and not plan.validated:
        return Split(np.arange(len(films)), np.zeros(0, np.intp), np.zeros(0, np.intp))
    if not plan.folds:
        if len(plan.shares) != len(SIDES) or min(plan.shares) < 0 or abs(sum(plan.shares) - 1) > 1e-6:
            raise UsageError(f"shares {plan.shares} cannot be split; expected three numbers that make 1")
        training, validation, test = _deal(films, plan.shares, plan.seed)
        return _checked(films, Split(training, validation, test))
    if plan.folds < LEAST_FOLDS:
        raise UsageError(f"films cannot be split into {plan.folds} folds; expected {LEAST_FOLDS} or more")
    if not 0 <= plan.fold < plan.folds:
        raise UsageError(f"there is no fold {plan.fold} of {plan.folds}; the first is 0")
    parts = _deal(films, [1 / plan.folds] * plan.folds, plan.seed)
    _refuse_empty_folds(films, parts)
    if not plan.validated:
        rest = [part for number, part in enumerate(parts) if number != plan.fold]
        return Split(np.sort(np.concatenate(rest)), np.zeros(0, np.intp), parts[plan.fold])
    after = (plan.fold + 1) % plan.folds
    rest = [part for number, part in enumerate(parts) if number not in (plan.fold, after)]
    return _checked(films, Split(np.sort(np.concatenate(rest)), parts[after], parts[plan.fold]))


def unread_rows(films: Sequence[TrainingFilm]) -> Rows:
    """Films of patients known by reports alone: no label of another kind, no box by a radiologist."""
    read = {
        film.patient
        for film in films
        if film.truth is not Truth.REPORT or any(box.by_radiologist for box in film.boxes)
    }
    return np.array([row for row, film in enumerate(films) if film.patient not in read], np.intp)


def refuse_leaks(films: Sequence[TrainingFilm], split: Split, sha256s: Sequence[str] | None = None) -> None:
    """Refuse a split with one patient, or one film, on two sides.

    Args:
        films: the film table.
        split: row numbers by side.
        sha256s: of each film's file; with them, copies under another patient's name are found too.

    Raises:
        UsageError: a patient or a film stands on two sides.
    """
    _refuse_shared("patient", [film.patient for film in films], split)
    if sha256s is not None:
        _refuse_shared("film", sha256s, split)


def split_csv(films: Sequence[TrainingFilm], split: Split, sha256s: Sequence[str]) -> bytes:
    """The content of split.csv: name, patient, side and sha256 of every film."""
    side_of = {int(row): side for side in SIDES for row in split.side(side)}
    rows = ((films[row].name, films[row].patient, side_of[row], sha256s[row]) for row in sorted(side_of))
    return csv_bytes([("name", "patient", "side", "sha256"), *rows])


def _deal(films: Sequence[TrainingFilm], shares: Sequence[float], seed: int) -> list[Rows]:
    """The rows of each part: patients whole, each part with its share of every stratum."""
    patients = np.array([film.patient for film in films])
    part_of = shared_parts(patients, _strata(films), shares, seed)
    return [np.flatnonzero(part_of == part) for part in range(len(shares))]


def _strata(films: Sequence[TrainingFilm]) -> NDArray[np.intp]:
    """(N,) the number of each film's stratum."""
    keys = list(zip(*(column(films, name) for name in STRATA), strict=True))
    number = {key: count for count, key in enumerate(Counter(keys))}
    return np.array([number[key] for key in keys], np.intp)


def _refuse_empty_folds(films: Sequence[TrainingFilm], parts: Sequence[Rows]) -> None:
    """Each part is the test of a fold, which is found out before the first one is trained."""
    empty = [number for number, part in enumerate(parts) if not len(part)]
    if empty:
        patients = len({film.patient for film in films})
        raise UsageError(
            f"films of {patients} patients cannot be dealt to --folds {len(parts)}: none is left to test "
            f"fold {empty[0]} on; give a smaller --folds, or films of more patients"
        )


def _checked(films: Sequence[TrainingFilm], split: Split) -> Split:
    refuse_leaks(films, split)
    for side in ("training", "validation"):
        if not len(split.side(side)):
            raise UsageError(f"no film is left for {side} of {len(films)}; give more films or other shares")
    return split


def _refuse_shared(kind: str, values: Sequence[str], split: Split) -> None:
    seen: dict[str, str] = {}
    for side in SIDES:
        for value in {values[row] for row in split.side(side)}:
            if seen.setdefault(value, side) != side:
                raise UsageError(
                    f"{kind} {value} stands in {seen[value]} and in {side}; the result would be worthless: "
                    "split by patient and take copies away"
                )
