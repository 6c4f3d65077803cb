"""Rows of films, checked as they are read: types, ranges and sizes, whoever wrote them."""

import re
from collections.abc import Sequence
from math import isfinite, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json as plain_json

from cxr_runtime.errors import StoreError
from cxr_runtime.film import LEAST_SPACING, MOST_SPACING
from cxr_runtime.names import printable
from cxr_runtime.outcome import Outcome, Status, Triage
from cxr_runtime.placement import Outline, Placement
from cxr_runtime.store.rows import (
    OUTCOME_COLUMNS,
    SCORE_COLUMNS,
    Judged,
    StoredPicture,
    StoredScore,
)
from cxr_runtime.typed_json import from_json

MOST_TEXT = 4096  # characters of a text of a row
MOST_FILE = 70_000  # of a film's name; a member of a zip file may have 65,535 bytes
MOST_PICTURE = 16 << 20  # bytes of each of a film's pictures
MOST_CELLS = 1 << 20  # of a heat map; ours have 169
MOST_OUTLINES = 4 << 20  # characters
MOST_LOOKS = 100  # numbers of how a film looks; ours are 24
LARGEST_LOOK = 1e6
LARGEST_SIDE = 1 << 16  # rows or columns of a film
ROUNDING = 1e-6  # by which a share that was summed up may exceed 1
SHA256 = re.compile("[0-9a-f]{64}")
_RANGES = {  # of numbers that may be missing
    "probability": (0.0, 1.0),
    "threshold": (0.0, 1.0 + ROUNDING),
    "lung_heat_share": (0.0, 1.0 + ROUNDING),
    "seconds": (0.0, 1e9),
    "margin": (-1e9, 1e9),
    "input_mean": (0.0, 1.0 + ROUNDING),
    "input_contrast": (0.0, 1.0 + ROUNDING),
}

_OUTCOME_NUMBERS = tuple(name for name in OUTCOME_COLUMNS if name in _RANGES)
_OUTCOME_TEXTS = tuple(name for name in OUTCOME_COLUMNS if name not in _RANGES and name != "triage")
_NUMBERS = frozenset([float, int])  # and no truth values


def outcome_of(file: Any, row: tuple[Any, ...]) -> Outcome:
    """The row of results.csv from OUTCOME_COLUMNS, which `row` begins with.

    Raises:
        StoreError: it is not what a scan stores.
    """
    stated = dict(zip(OUTCOME_COLUMNS, row, strict=False))
    try:
        expect(is_text(file, MOST_FILE), "file", file)
        for name in _OUTCOME_NUMBERS:
            _check_range(name, stated[name])
        for name in _OUTCOME_TEXTS:
            if not is_text(value := stated[name], MOST_TEXT):
                expect(False, name, value)
        for name in ("sha256", "model_sha256"):
            expect(not stated[name] or bool(SHA256.fullmatch(stated[name])), name, stated[name])
        stated["status"] = Status(stated["status"])
        stated["triage"] = None if stated["triage"] is None else Triage(stated["triage"])
        return Outcome(file, **stated)
    except ValueError as error:
        raise wrong_row(file, error) from error


def sealed_outcome(file: str, row: Sequence[Any]) -> Outcome:
    """As `outcome_of`, of a row that bears a right seal: this machine made it, and checks nothing again."""
    sha256, status, code, message, probability, triage, *others = row[: len(OUTCOME_COLUMNS)]
    judged = None if triage is None else Triage(triage)
    return Outcome(file, sha256, Status(status), code, message, probability, judged, *others)


def score_of(file: Any, row: tuple[Any, ...]) -> StoredScore:
    """The same with SCORE_COLUMNS, which follow OUTCOME_COLUMNS.

    Raises:
        StoreError: it is not what a scan stores.
    """
    outcome = outcome_of(file, row)
    stated = dict(zip(SCORE_COLUMNS, row[len(OUTCOME_COLUMNS) :], strict=False))
    try:
        for name in ("margin", "input_mean", "input_contrast"):
            _check_range(name, stated[name])
        expect(is_text(stated["finished"], MOST_TEXT), "finished", stated["finished"])
        looks = _looks(stated.pop("looks"))
    except ValueError as error:
        raise wrong_row(file, error) from error
    return StoredScore(outcome, **stated, looks=looks)


def judged_of(row: tuple[Any, ...]) -> Judged:
    """How a film was judged, from the columns of `Judged`.

    Raises:
        StoreError: it is not what a scan stores.
    """
    judged = Judged._make(row)
    try:
        expect(judged.margin is not None, "margin", None)
        for name in ("margin", "probability", "threshold"):
            _check_range(name, getattr(judged, name))
    except ValueError as error:
        raise wrong_row(judged.file, error) from error
    return judged


def looks_of(file: Any, looks: Any, margin: Any) -> tuple[tuple[float, ...], float]:
    """How a film looks, and its margin.

    Raises:
        StoreError: it is not what a scan stores.
    """
    try:
        expect(margin is not None, "margin", None)
        _check_range("margin", margin)
        return _looks(looks), margin
    except ValueError as error:
        raise wrong_row(file, error) from error


def _looks(text: Any) -> tuple[float, ...]:
    expect(is_text(text, MOST_TEXT), "looks", text)
    found = plain_json(text, allow_inf_nan=False) if text else []
    is_right = isinstance(found, list) and len(found) <= MOST_LOOKS and _NUMBERS.issuperset(map(type, found))
    within = is_right and (not found or (min(found) >= -LARGEST_LOOK and max(found) <= LARGEST_LOOK))
    expect(within, "looks", text)
    return tuple(map(float, found))


def picture_of(file: Any, row: tuple[Any, ...]) -> StoredPicture | None:
    """A picture from PICTURE_COLUMNS; None where there is none.

    Raises:
        StoreError: it is not what a scan stores.
    """
    preview_jpeg, thumbnail_jpeg, heat_png, placement, heat, rows, columns, outlines, spacing = row
    if preview_jpeg is None:
        return None
    try:
        for name, blob in (("preview", preview_jpeg), ("thumbnail", thumbnail_jpeg), ("heat", heat_png)):
            is_missing = blob is None and name != "preview"
            expect(is_missing or (isinstance(blob, bytes) and len(blob) <= MOST_PICTURE), name, "a picture")
        expect(is_text(placement, MOST_TEXT), "placement", placement)
        expect(is_text(outlines, MOST_OUTLINES), "outlines", "a text")
        is_spacing = isinstance(spacing, float) and LEAST_SPACING <= spacing <= MOST_SPACING
        expect(spacing is None or is_spacing, "spacing", spacing)
        return StoredPicture(
            preview_jpeg, _placement(placement), _cells(heat, rows, columns), _outlines(outlines),
            thumbnail_jpeg, heat_png, spacing,
        )  # fmt: skip
    except ValueError as error:
        raise wrong_row(file, error) from error


def _placement(text: str) -> Placement:
    found = from_json(text, Placement)
    sides = (*found.film_hw, *found.input_hw)
    x0, y0, x1, y1 = found.box_film_xyxy
    within = all(abs(edge) <= 4 * LARGEST_SIDE for edge in found.box_film_xyxy)
    expect(
        all(0 < side <= LARGEST_SIDE for side in sides) and within and x0 < x1 and y0 < y1, "placement", text
    )
    return found


def _cells(heat: Any, rows: Any, columns: Any) -> NDArray[np.float32] | None:
    if heat is None:
        return None
    shape = (rows, columns)
    is_shape = all(isinstance(side, int) and 0 < side <= MOST_CELLS for side in shape)
    fits = is_shape and isinstance(heat, bytes) and len(heat) == 4 * prod(shape) and prod(shape) <= MOST_CELLS
    expect(fits, "heat", shape)
    cells = np.frombuffer(heat, "<f4").reshape(shape).astype(np.float32)
    expect(bool(np.isfinite(cells).all()), "heat", "numbers that are not finite")
    return cells


def _outlines(text: str) -> tuple[Outline, ...]:
    return from_json(text, tuple[Outline, ...])


def is_text(value: Any, most: int) -> bool:
    return isinstance(value, str) and len(value) <= most


def _check_range(name: str, value: Any) -> None:
    low, high = _RANGES[name]
    is_number = isinstance(value, int | float) and isfinite(value) and low <= value <= high
    expect(value is None or is_number, name, value)


def expect(is_right: bool, name: str, value: Any) -> None:
    if not is_right:
        raise ValueError(f"its {name} is {str(value)[:40]!r}")


def wrong_row(file: Any, error: ValueError) -> StoreError:
    return StoreError(
        f"the store's row of {printable(str(file)[:200])} is damaged or was changed "
        f"({printable(str(error))}); "
        "scan again with --force, or with --out and a new folder"
    )
