"""Films with drawn lungs, as a table of two columns names them."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.errors import UsageError
from cxr_train.data.table import read_rows

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class OutlinedFilm:
    """A film and its lungs, drawn by hand."""

    name: str  # as the table names it
    pixels: Pixels  # (h, w) uint8, 0 black .. 255 white
    mask: Pixels  # (h, w) uint8, 0 outside .. 255 inside, soft at the border; inside from 128


def read_outlined_films(table: Path) -> list[OutlinedFilm]:
    """Read every film of a CSV with the columns `file` and `lung_mask`, both relative to the CSV's folder.

    Raises:
        UsageError: a column or a file is missing, or film and mask differ in size.
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
    return OutlinedFilm(file, pixels, mask)


def _read_grey(path: Path) -> Pixels:
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise UsageError(f"{path} is missing or no picture; the table must name pictures beside it")
    return np.asarray(pixels, np.uint8)
