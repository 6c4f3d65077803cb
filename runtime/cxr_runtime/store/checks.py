"""Rows of a store, checked as they are read: types, ranges and sizes, whoever wrote them."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.errors import StoreError
from cxr_runtime.film import LEAST_SPACING, MOST_SPACING
from cxr_runtime.names import printable
from cxr_runtime.outcome import Outcome, Status, Triage
from cxr_runtime.placement import Outline, Placement
from cxr_runtime.store.rows import OUTCOME_COLUMNS, SCORE_COLUMNS, RunFacts, StoredPicture, StoredScore
from cxr_runtime.typed_json import from_json

MOST_TEXT = 4096  # characters of a text of a row
MOST_FILE = 70_000  # of a film's name; a member of a zip file may have 65,535 bytes
MOST_PICTURE = 16 << 20  # bytes of each of a film's pictures
MOST_CELLS = 1 << 20  # of a heat map; ours have 169
MOST_OUTLINES = 4 << 20  # characters
MOST_LOOKS = 100  # numbers of how a film looks; ours are 24
LARGEST_LOOK = 1e6
MOST_FACTS = 1 << 24  # characters of a run's facts; INPUTs as typed are the most of them
MOST_FILM = 1 << 50  # bytes of a film's file
LARGEST_SIDE = 1 << 16  # rows or columns of a film
ROUNDING = 1e-6  # by which a share that was summed up may exceed 1
_SHA256 = re.compile("[0-9a-f]{64}")
_ANEW = "scan with --out and a new folder"
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
_NUMBERS = (float, int)  # and no truth values


def outcome_of(file: Any, row: tuple[Any, ...]) -> Outcome:
    """The row of results.csv from OUTCOME_COLUMNS, which `row` begins with.

    Raises:
        StoreError: it is not what a scan stores.
    """
    stated = dict(zip(OUTCOME_COLUMNS, row, strict=False))
    try:
        _expect(_is_text(file, MOST_FILE), "file", file)
        for name in _OUTCOME_NUMBERS:
            _check_range(name, stated[name])
        for name in _OUTCOME_TEXTS:
            if not _is_text(value := stated[name], MOST_TEXT):
                _expect(False, name, value)
        for name in ("sha256", "model_sha256"):
            _expect(not stated[name] or bool(_SHA256.fullmatch(stated[name])), name, stated[name])
        stated["status"] = Status(stated["status"])
        stated["triage"] = None if stated["triage"] is None else Triage(stated["triage"])
        return Outcome(file, **stated)
    except ValueError as error:
        raise _wrong_row(file, error) from error


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
        _expect(_is_text(stated["finished"], MOST_TEXT), "finished", stated["finished"])
        looks = _looks(stated.pop("looks"))
    except ValueError as error:
        raise _wrong_row(file, error) from error
    return StoredScore(outcome, **stated, looks=looks)


def _looks(text: Any) -> tuple[float, ...]:
    _expect(_is_text(text, MOST_TEXT), "looks", text)
    found = json.loads(text) if text else []
    is_right = isinstance(found, list) and len(found) <= MOST_LOOKS
    # By hand: there is one text for each film, and pydantic takes five times as long.
    _expect(is_right and all(type(one) in _NUMBERS and -LARGEST_LOOK <= one <= LARGEST_LOOK for one in found),
            "looks", text)  # fmt: skip
    return tuple(float(one) for one in found)


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
            _expect(is_missing or (isinstance(blob, bytes) and len(blob) <= MOST_PICTURE), name, "a picture")
        _expect(_is_text(placement, MOST_TEXT), "placement", placement)
        _expect(_is_text(outlines, MOST_OUTLINES), "outlines", "a text")
        is_spacing = isinstance(spacing, float) and LEAST_SPACING <= spacing <= MOST_SPACING
        _expect(spacing is None or is_spacing, "spacing", spacing)
        return StoredPicture(
            preview_jpeg, _placement(placement), _cells(heat, rows, columns), _outlines(outlines),
            thumbnail_jpeg, heat_png, spacing,
        )  # fmt: skip
    except ValueError as error:
        raise _wrong_row(file, error) from error


@dataclass(frozen=True)
class StoredRun:
    """A run as the store keeps it."""

    id: int
    begun: str  # ISO time with offset; "" where 0.1.0 made it
    ended: str | None
    facts: str | None  # RunFacts as JSON
    seal: str  # of `ended` and `facts`
    origin: str  # name of the store in which it was begun
    number: int  # its id there


def run_of(store: str, row: tuple[Any, ...]) -> StoredRun:
    """A run from the columns of `StoredRun`, in that order; a number that is missing is the run's id.

    Raises:
        StoreError: it is not what a scan stores.
    """
    id_, begun, ended, facts, seal, origin, number = row
    texts = (begun, ended or "", seal, origin)
    numbers = (id_, number or id_)
    if not all(_is_text(text, MOST_TEXT) for text in texts) or not all(map(_is_number, numbers)):
        raise StoreError(f"the store {store} states run {printable(str(id_)[:20])} wrongly; {_ANEW}")
    if facts is not None:
        facts_of(store, facts)
    return StoredRun(id_, begun, ended, facts, seal, origin, number or id_)


def facts_of(store: str, facts: Any) -> RunFacts:
    """What the reports of a run state.

    Raises:
        StoreError: they are not as a scan states them.
    """
    try:
        return from_json(str(facts)[:MOST_FACTS], RunFacts)
    except ValueError as error:
        told = printable(str(error))
        raise StoreError(f"the store {store} states a run wrongly ({told}); {_ANEW}") from error


def check_result(file: str, fingerprint: Any, size: Any, is_lasting: Any, pictures: Any) -> None:
    """What a result says beside its score.

    Raises:
        StoreError: it is not what a scan stores.
    """
    try:
        _expect(_is_text(fingerprint, MOST_TEXT), "fingerprint", fingerprint)
        _expect(size is None or (isinstance(size, int) and 0 <= size <= MOST_FILM), "size", size)
        _expect(is_lasting in (0, 1), "is_lasting", is_lasting)
        _expect(pictures == "" or bool(_SHA256.fullmatch(str(pictures))), "digest of pictures", pictures)
    except ValueError as error:
        raise _wrong_row(file, error) from error


def check_place(position: Any, file: Any, stamp: Any) -> None:
    """Where a film was found.

    Raises:
        StoreError: it is not what a scan stores.
    """
    try:
        _expect(_is_number(position), "position", position)
        _expect(_is_text(file, MOST_FILE), "file", file)
        _expect(_is_text(stamp, MOST_TEXT), "stamp", stamp)
    except ValueError as error:
        raise _wrong_row(file, error) from error


def check_plain(store: str, row: Iterable[Any]) -> None:
    """A row of numbers and short texts.

    Raises:
        StoreError: it holds something else.
    """
    for value in row:
        if not (value is None or _is_number(value) or _is_text(value, MOST_FILE)):
            raise StoreError(f"the store {store} holds {str(value)[:40]!r} in place of a short text; {_ANEW}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and 0 <= value < 1 << 62


def _placement(text: str) -> Placement:
    found = from_json(text, Placement)
    sides = (*found.film_hw, *found.input_hw)
    x0, y0, x1, y1 = found.box_film_xyxy
    within = all(abs(edge) <= 4 * LARGEST_SIDE for edge in found.box_film_xyxy)
    _expect(
        all(0 < side <= LARGEST_SIDE for side in sides) and within and x0 < x1 and y0 < y1, "placement", text
    )
    return found


def _cells(heat: Any, rows: Any, columns: Any) -> NDArray[np.float32] | None:
    if heat is None:
        return None
    shape = (rows, columns)
    is_shape = all(isinstance(side, int) and 0 < side <= MOST_CELLS for side in shape)
    fits = is_shape and isinstance(heat, bytes) and len(heat) == 4 * prod(shape) and prod(shape) <= MOST_CELLS
    _expect(fits, "heat", shape)
    cells = np.frombuffer(heat, "<f4").reshape(shape).astype(np.float32)
    _expect(bool(np.isfinite(cells).all()), "heat", "numbers that are not finite")
    return cells


def _outlines(text: str) -> tuple[Outline, ...]:
    return from_json(text, tuple[Outline, ...])


def _is_text(value: Any, most: int) -> bool:
    return isinstance(value, str) and len(value) <= most


def _check_range(name: str, value: Any) -> None:
    low, high = _RANGES[name]
    is_number = isinstance(value, int | float) and isfinite(value) and low <= value <= high
    _expect(value is None or is_number, name, value)


def _expect(is_right: bool, name: str, value: Any) -> None:
    if not is_right:
        raise ValueError(f"its {name} is {str(value)[:40]!r}")


def _wrong_row(file: Any, error: ValueError) -> StoreError:
    return StoreError(
        f"the store's row of {printable(str(file)[:200])} is damaged or was changed "
        f"({printable(str(error))}); "
        "scan again with --force, or with --out and a new folder"
    )
