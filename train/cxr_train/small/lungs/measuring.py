"""How good lung fields are: measured on films that they were not made from, as a table."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_calibration.statistics.folds import folds_in_turn
from cxr_runtime.lungs import LungField
from cxr_runtime.lungs.mask import INSIDE
from cxr_runtime.markdown import markdown_table
from cxr_train.small.lungs.sampling import OutlinedFilm

BoolMask = NDArray[np.bool_]  # (h, w)
SEED = 1
Maker = Callable[[list[OutlinedFilm], Path], LungField]  # films to learn from, folder for its file
HEAD = (
    "lung field", "films", "Dice", "Jaccard", "boundary, pixels", "worst Dice", "films below 0.95",
    "ms a film",
)  # fmt: skip
POOR = 0.95  # Dice


@dataclass(frozen=True)
class Agreement:
    """Two masks of one film, compared."""

    dice: float  # twice the overlap over the sum of areas, 0..1
    jaccard: float  # overlap over union, 0..1
    boundary_pixels: float  # mean distance of the two outlines, both ways, in pixels of the masks


def compare(found: BoolMask, drawn: BoolMask) -> Agreement:
    """Compare a found mask with the drawn one, both (h, w) bool; an empty mask is the whole diagonal off."""
    overlap, total = int((found & drawn).sum()), int(found.sum()) + int(drawn.sum())
    if total == 0:
        return Agreement(1.0, 1.0, 0.0)
    return Agreement(2 * overlap / total, overlap / (total - overlap), _boundary_distance(found, drawn))


def _boundary_distance(one: BoolMask, other: BoolMask) -> float:
    edges = [_edge(mask) for mask in (one, other)]
    if not all(edge.any() for edge in edges):
        return float(np.hypot(*one.shape))
    away = [cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, 5) for edge in edges]
    return float((away[1][edges[0]].mean() + away[0][edges[1]].mean()) / 2)


def _edge(mask: BoolMask) -> BoolMask:
    """The mask's outermost pixels; the film's own edge is none."""
    padded = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    inner = cv2.erode(padded, np.ones((3, 3), np.uint8))[1:-1, 1:-1]
    return np.asarray(mask & ~inner.astype(bool), np.bool_)


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
    fold_of = folds_in_turn(np.arange(len(films)), folds, SEED)
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


def markdown(measured: dict[str, list[Measured]]) -> str:
    """One row a lung field: means over films, the worst film, the median time on one core.

    Args:
        measured: by the name of the lung field.
    """
    return markdown_table(HEAD, [_row(name, films) for name, films in measured.items()]) + "\n"


def _row(name: str, films: list[Measured]) -> tuple[str, ...]:
    dice, jaccard, boundary = (
        np.array(values)
        for values in zip(
            *((f.agreement.dice, f.agreement.jaccard, f.agreement.boundary_pixels) for f in films),
            strict=True,
        )
    )
    milliseconds = 1000 * float(np.median([film.seconds for film in films]))
    return (
        name, f"{len(films)}", f"{dice.mean():.4f}", f"{jaccard.mean():.4f}", f"{boundary.mean():.2f}",
        f"{dice.min():.3f}", f"{int((dice < POOR).sum())}", f"{milliseconds:.1f}",
    )  # fmt: skip
