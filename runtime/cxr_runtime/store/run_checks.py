"""Runs and places of a store, and what results say beside their scores, checked as they are read."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cxr_runtime.errors import StoreError
from cxr_runtime.names import printable
from cxr_runtime.store.checks import MOST_FILE, MOST_TEXT, SHA256, expect, is_text, wrong_row
from cxr_runtime.store.rows import RunFacts
from cxr_runtime.typed_json import from_json

MOST_FACTS = 1 << 24  # characters of a run's facts; INPUTs as typed are the most of them
MOST_FILM = 1 << 50  # bytes of a film's file
_ANEW = "scan with --out and a new folder"


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
    if not all(is_text(text, MOST_TEXT) for text in texts) or not all(map(_is_number, numbers)):
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
        expect(is_text(fingerprint, MOST_TEXT), "fingerprint", fingerprint)
        expect(size is None or (isinstance(size, int) and 0 <= size <= MOST_FILM), "size", size)
        expect(is_lasting in (0, 1), "is_lasting", is_lasting)
        expect(pictures == "" or bool(SHA256.fullmatch(str(pictures))), "digest of pictures", pictures)
    except ValueError as error:
        raise wrong_row(file, error) from error


def check_place(position: Any, file: Any, stamp: Any) -> None:
    """Where a film was found.

    Raises:
        StoreError: it is not what a scan stores.
    """
    try:
        expect(_is_number(position), "position", position)
        expect(is_text(file, MOST_FILE), "file", file)
        expect(is_text(stamp, MOST_TEXT), "stamp", stamp)
    except ValueError as error:
        raise wrong_row(file, error) from error


def check_plain(store: str, row: Iterable[Any]) -> None:
    """A row of numbers and short texts.

    Raises:
        StoreError: it holds something else.
    """
    for value in row:
        if not (value is None or _is_number(value) or is_text(value, MOST_FILE)):
            raise StoreError(f"the store {store} holds {str(value)[:40]!r} in place of a short text; {_ANEW}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and 0 <= value < 1 << 62
