"""A teacher's opinions as a table: what any network says of films, named by the films' bytes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_calibration.labels.film_csv import CsvRow, csv_bytes, read_rows
from cxr_runtime.errors import UsageError
from cxr_runtime.model.known_films import read_known_films
from cxr_runtime.progress import Progress
from cxr_runtime.reading import read_film
from cxr_runtime.scanning.one_film import open_model
from cxr_runtime.typed_json import from_json
from cxr_train.data.film import TrainingFilm
from cxr_train.data.known import digest_of

SUFFIX = ".csv"  # of such a table; any other teacher is a run
COLUMNS = ("sha256", "probability", "known", "cells")
CELLS = 16  # along each side of a film, of those that are written here


@dataclass(frozen=True)
class Opinion:
    """What a teacher says of one film."""

    probability: float  # of abnormal, 0..1
    known: bool  # it has learned from this film, or another of its patient
    cells: NDArray[np.float32] | None = field(repr=False)  # (h, w) 0..1 over the whole film: is disease here?


def is_opinions_file(teacher: str) -> bool:
    """Whether a teacher is a table."""
    return Path(teacher).suffix == SUFFIX


def read_opinions(path: Path) -> dict[str, Opinion]:
    """Read a table by the films' sha256; `known` and `cells` may be missing or empty.

    Raises:
        UsageError: it cannot be read, a value is not of its kind, or its films have cells of several shapes.
    """
    rows = read_rows(path, COLUMNS[:2])
    found = {row.fact("sha256", _digest): _opinion(row) for row in rows}
    shapes = {None if opinion.cells is None else opinion.cells.shape for opinion in found.values()}
    if len(shapes) > 1:
        raise UsageError(
            f"{path} has cells of {len(shapes)} shapes; expected the same for all films, or none"
        )
    return found


def opinions_of_model(model: Path, films: Sequence[TrainingFilm], progress: Progress) -> bytes:
    """The table of what a model folder says of films: probability, whether it knows them, and heat.

    Args:
        model: a model folder; without a calibration its probabilities are the bare softmax.
        films: of a film table.
        progress: hears of every film.
    """
    ready = open_model(model, allow_uncalibrated=True)
    known = read_known_films(ready.folder, ready.manifest.model_sha256)
    lines: list[tuple[object, ...]] = [COLUMNS]
    progress.begin(f"asking {ready.manifest.name}", len(films))
    for film in films:
        digest = digest_of(film.path)
        said = ready.score(read_film(film.path.read_bytes()).pixels)
        cells = cv2.resize(said.heat, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
        learned = int(known is not None and known.knows(digest))
        rows = json.dumps([[round(float(cell), 3) for cell in row] for row in cells])
        lines.append((digest, f"{said.probability:.6f}", learned, rows))
        progress.advance()
    progress.end()
    return csv_bytes(lines)


def _opinion(row: CsvRow) -> Opinion:
    known = row["known"].strip().lower() in {"1", "yes", "true"}
    return Opinion(row.fact("probability", _share), known, row.fact("cells", _cells))


def _digest(text: str) -> str:
    if len(text) != 64 or not set(text.lower()) <= set("0123456789abcdef"):
        raise ValueError("expected 64 hex digits")
    return text.lower()


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError as error:
        raise ValueError("expected a number from 0 to 1") from error
    if not 0 <= share <= 1:
        raise ValueError("expected a number from 0 to 1")
    return share


def _cells(text: str) -> NDArray[np.float32] | None:
    if not text:
        return None
    expected = "expected rows of numbers from 0 to 1, e.g. [[0, 0.2], [0.1, 0.9]]"
    try:
        rows = from_json(text, tuple[tuple[float, ...], ...])
        cells = np.array(rows, np.float32)
    except ValueError as error:
        raise ValueError(expected) from error
    if cells.ndim != 2 or not cells.size or not ((cells >= 0) & (cells <= 1)).all():
        raise ValueError(expected)
    return cells
