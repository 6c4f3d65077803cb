"""Lung fields measured on films that they were not made from."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cxr_runtime.lungs import LungField
from cxr_train.segmentation.agreement import Agreement, compare
from cxr_train.segmentation.films import OutlinedFilm

INSIDE = 128  # a drawn mask's soft values from here on are lung
SEED = 1

Maker = Callable[[list[OutlinedFilm], Path], LungField]  # films to learn from, folder for its file


@dataclass(frozen=True)
class Measured:
    """One film, found by a lung field that had not seen it."""

    name: str = field(repr=False)
    agreement: Agreement
    seconds: float  # processor time


def cross_validate(films: list[OutlinedFilm], folds: int, make: Maker, folder: Path) -> list[Measured]:
    """Make a lung field from all folds but one, measure it on that one, in turn.

    Args:
        films: every film of one patient of its own.
        folds: at least 2.
        make: makes the lung field.
        folder: takes the files of the folds' lung fields.
    """
    fold_of = np.random.default_rng(SEED).permutation(len(films)) % folds
    measured: list[Measured] = []
    for fold in range(folds):
        known = [film for film, at in zip(films, fold_of, strict=True) if at != fold]
        unseen = [film for film, at in zip(films, fold_of, strict=True) if at == fold]
        lung_field = make(known, folder / f"fold-{fold + 1}")
        measured += [_measure(lung_field, film) for film in unseen]
    return measured


def _measure(lung_field: LungField, film: OutlinedFilm) -> Measured:
    lung_field.find(film.pixels)  # the first one opens files
    started = time.process_time()
    found = lung_field.find(film.pixels)
    seconds = time.process_time() - started
    return Measured(film.name, compare(found.over_film(film.mask.shape), film.mask >= INSIDE), seconds)
