"""Makes lung fields, and measures them on films that they were not made from."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_calibration.statistics.folds import folds_in_turn
from cxr_runtime.lungs import LungField
from cxr_runtime.lungs.atlas import ATLAS_FILE, AtlasLungField
from cxr_runtime.lungs.field import INPUT_SIDE, LUNG_FIELD_FILE, UnetLungField
from cxr_runtime.lungs.mask import INSIDE
from cxr_runtime.markdown import markdown_table
from cxr_runtime.progress import Progress
from cxr_train.small.int8 import write_int8
from cxr_train.small.lungs.atlases import make_atlases, write_atlases
from cxr_train.small.lungs.network import train_lung_net
from cxr_train.small.lungs.sampling import MILD, OutlinedFilm, draw_batch, read_outlined_films
from cxr_train.small.training import Schedule, write_onnx

BoolMask = NDArray[np.bool_]  # (h, w)
SEED = 1
Maker = Callable[[list[OutlinedFilm], Path], LungField]  # films to learn from, folder for its file
HEAD = (
    "lung field", "films", "Dice", "Jaccard", "boundary, pixels", "worst Dice", "films below 0.95",
    "ms a film",
)  # fmt: skip
POOR = 0.95  # Dice
TABLE_FILE = "lung-field.md"
FOLDS_FOLDER = "folds"
WHOLE_FILE = "lung-field-float32.onnx"  # the U-Net as it was trained, of which INT8 is made
SCALES, SCALES_SEED = 256, 3  # films that the scales of INT8 are taken from
COVERED = 99.99  # percent of a tensor's activations; of 99.999 % masks are no better, and boxes move further


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


@dataclass(frozen=True)
class Making:
    """What is made, and how it is measured."""

    table: Path  # CSV with the columns `file` and `lung_mask`
    out: Path  # folder for the files
    fields: tuple[str, ...]  # any of unet, atlas
    folds: int  # of the cross-validation; 0 measures nothing
    schedule: Schedule
    network: Path | None = None  # a U-Net of float32, trained before, instead of one from all films


def make_lung_fields(making: Making, progress: Progress) -> str:
    """Cross-validate, then make each lung field from all films, into `out`.

    Returns:
        The table of the cross-validation, markdown; empty without folds.

    Raises:
        UsageError: the table or its films cannot be used.
        CxrTriageError: training failed.
    """
    films = read_outlined_films(making.table)
    measured = {}
    for name in making.fields if making.folds else ():
        progress.say(f"{name}: cross-validation in {making.folds} folds over {len(films)} films")
        make = MAKERS[name](making.schedule, None, progress)
        measured[name] = cross_validate(films, making.folds, make, making.out / FOLDS_FOLDER)
        progress.say(markdown({name: measured[name]}).splitlines()[-1])
    for name in making.fields:
        progress.say(f"{name}: from all {len(films)} films")
        MAKERS[name](making.schedule, making.network, progress)(films, making.out)
    if not measured:
        return ""
    table = markdown(measured)
    (making.out / TABLE_FILE).write_text(table, encoding="utf-8")
    return table


def _unet(schedule: Schedule, trained: Path | None, progress: Progress) -> Maker:
    def make(films: list[OutlinedFilm], folder: Path) -> LungField:
        folder.mkdir(parents=True, exist_ok=True)
        path, whole = folder / LUNG_FIELD_FILE.name, trained or folder / WHOLE_FILE
        if trained is None:
            write_onnx(train_lung_net(films, schedule, progress), whole, INPUT_SIDE, "lungs")
        drawn, _ = draw_batch(np.random.default_rng(SCALES_SEED), films, SCALES, MILD)
        write_int8(whole, drawn.numpy(), COVERED, path)
        return UnetLungField(path)

    return make


def _atlas(_schedule: Schedule, _trained: Path | None, _progress: Progress) -> Maker:
    def make(films: list[OutlinedFilm], folder: Path) -> LungField:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / ATLAS_FILE.name
        write_atlases(make_atlases(films), path)
        return AtlasLungField(path)

    return make


MAKERS = {"unet": _unet, "atlas": _atlas}
