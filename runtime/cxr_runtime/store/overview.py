"""Passes over all rows of films that read no more of a row than they need: at 100,000 films each counts."""

from collections.abc import Callable, Iterator
from typing import Any

from cxr_runtime.outcome import Outcome
from cxr_runtime.store.checks import judged_of, looks_of, outcome_of
from cxr_runtime.store.films import Films, from_films
from cxr_runtime.store.rows import OUTCOME_COLUMNS, Judged

_ROW = ", ".join(f"results.{column}" for column in OUTCOME_COLUMNS)
_JUDGED = ", ".join(f"results.{column}" for column in Judged._fields if column != "file")


class Overview:
    """What a store says of many films.

    Args:
        rows: of a query about films.
    """

    def __init__(self, rows: Callable[[Films, str], Iterator[Any]]) -> None:
        self._rows = rows

    def digested(self, films: Films) -> Iterator[tuple[Outcome, str]]:
        """As `Store.outcomes`, each with a text that differs where anything that reports say of it does.

        Raises:
            StoreError: a row is not what a scan stores.
        """
        query = f"SELECT places.file, results.finished, {_ROW} {from_films(films)} ORDER BY places.position"
        return ((outcome_of(row[0], row[2:]), repr(row)) for row in self._rows(films, query))

    def judged(self, films: Films) -> Iterator[Judged]:
        """How the scored ones of these films were judged, in any order.

        Raises:
            StoreError: a row is not what a scan stores.
        """
        query = f"SELECT places.file, {_JUDGED} {from_films(films, 'AND margin IS NOT NULL')}"
        return map(judged_of, self._rows(films, query))

    def looks(self, films: Films) -> Iterator[tuple[tuple[float, ...], float]]:
        """How the scored ones of these films look, and their margins, in their order.

        Raises:
            StoreError: a row is not what a scan stores.
        """
        columns = "places.file, results.looks, results.margin"
        scored = from_films(films, "AND margin IS NOT NULL")
        query = f"SELECT {columns} {scored} ORDER BY places.position"
        return (looks_of(*row) for row in self._rows(films, query))

    def scored_files(self, films: Films) -> Iterator[tuple[str, str]]:
        """File and sha256 of the scored ones of these films, in any order."""
        scored = from_films(films, "AND status = 'scored'")
        query = f"SELECT places.file, results.sha256 {scored}"
        return ((str(file), str(sha256)) for file, sha256 in self._rows(films, query))

    def files_with_pictures(self, films: Films) -> Iterator[tuple[str, str]]:
        """File and sha256 of films whose pictures the store has."""
        joined = "JOIN pictures ON pictures.result = results.id"
        query = f"SELECT places.file, results.sha256 {from_films(films, joined)}"
        return ((str(file), str(sha256)) for file, sha256 in self._rows(films, query))
