"""Films with drawn lungs, and their variations from which the lung field network learns."""

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cxr_calibration.labels.film_csv import read_rows
from cxr_runtime.errors import UsageError
from cxr_runtime.film import standardised
from cxr_runtime.lungs.field import INPUT_SIDE
from cxr_runtime.lungs.mask import INSIDE
from cxr_train.small.lungs.opacities import add_opacities
from cxr_train.small.variations import Jitter, change_appearance, random_warp, warp

Pixels = NDArray[np.uint8]
EDGE_AGAIN = 0.4  # share of samples whose surroundings repeat the film's edge instead of being black or white


@dataclass(frozen=True)
class OutlinedFilm:
    """A film and its lungs, drawn by hand."""

    name: str  # as the table names it
    pixels: Pixels  # (h, w) uint8, 0 black .. 255 white
    mask: Pixels  # (h, w) uint8, 0 outside .. 255 inside, soft at the border; inside from 128


def read_outlined_films(table: Path) -> list[OutlinedFilm]:
    """Read every film of a CSV with the columns `file` and `lung_mask`, both relative to the CSV's folder.

    Raises:
        UsageError: a column or a file is missing, film and mask differ in size, or a mask is empty.
    """
    rows = read_rows(table, ("file", "lung_mask"))
    if not rows:
        raise UsageError(f"table {table} has no rows; give one with films and their lung masks")
    return [_read_row(table.parent, row["file"], row["lung_mask"]) for row in rows]


def _read_row(folder: Path, file: str, lung_mask: str) -> OutlinedFilm:
    pixels, mask = (_read_grey(folder / name) for name in (file, lung_mask))
    if pixels.shape != mask.shape:
        raise UsageError(
            f"{file} has {pixels.shape} pixels, its mask {lung_mask} has {mask.shape}; they must be equal"
        )
    if mask.max() < INSIDE:
        raise UsageError(
            f"mask {folder / lung_mask} has no lungs: its largest value is {mask.max()}; expected 0 outside "
            f"and 255 inside, where inside begins at {INSIDE}"
        )
    return OutlinedFilm(file, pixels, mask)


def _read_grey(path: Path) -> Pixels:
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise UsageError(f"{path} is missing or no picture; the table must name pictures beside it")
    return np.asarray(pixels, np.uint8)


@dataclass(frozen=True)
class Changes:
    """How much films are changed."""

    jitter: Jitter = field(default_factory=Jitter)
    appearance: float = 1.0  # scales how often each change of the pixels happens
    opacities: float = 0.5  # share of samples that get them
    inverted: float = 0.1  # share of samples with the wrong polarity


STRONG = Changes()
MILD = Changes(Jitter(turn_degrees=10, zoom=(0.8, 1.25), stretch=0.15, shift=0.08, bend=0.01), 0.5, 0.3, 0.04)


def draw_batch(
    rng: np.random.Generator, films: list[OutlinedFilm], size: int, changes: Changes
) -> tuple[Tensor, Tensor]:
    """Draw films at random and change them.

    Returns:
        Inputs (size, 1, S, S) float32, standardised, and targets (size, 1, S, S) float32 in 0..1.
    """
    chosen = rng.integers(len(films), size=size)
    drawn = [_draw(rng, films[int(index)], changes) for index in chosen]
    inputs, targets = (np.stack(column)[:, None] for column in zip(*drawn, strict=True))
    return torch.from_numpy(inputs), torch.from_numpy(targets)


def _draw(
    rng: np.random.Generator, film: OutlinedFilm, changes: Changes
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    maps = random_warp(rng, film.mask.shape, changes.jitter)
    fill = None if rng.random() < EDGE_AGAIN else float(rng.choice([0.0, 0.0, 1.0]))
    pixels, mask = (
        _shrink(warp(np.asarray(grey / 255, np.float32), maps, beyond))
        for grey, beyond in ((film.pixels, fill), (film.mask, 0.0))
    )
    if rng.random() < changes.opacities:
        pixels = add_opacities(rng, pixels, mask)
    pixels = change_appearance(rng, pixels, changes.appearance)
    if rng.random() < changes.inverted:
        pixels = 1 - pixels
    return standardised(np.asarray(pixels * 255, np.uint8), INPUT_SIDE), mask


def _shrink(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    small = cv2.resize(grey, (INPUT_SIDE, INPUT_SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)
