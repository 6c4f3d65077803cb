"""The store of an output folder, read: one SQLite file from which every report is made."""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from cxr_runtime.errors import StoreError
from cxr_runtime.outcome import Outcome, Triage
from cxr_runtime.seals import Sealer, picture_digest, sealed_place
from cxr_runtime.store.checks import outcome_of, picture_of, score_of, sealed_outcome
from cxr_runtime.store.films import Films, from_films
from cxr_runtime.store.identities import Identities
from cxr_runtime.store.objects import Objects
from cxr_runtime.store.opening import open_to_read, store_in
from cxr_runtime.store.overview import Overview
from cxr_runtime.store.rows import (
    FINGERPRINT,
    OUTCOME_COLUMNS,
    PICTURE_COLUMNS,
    PLACE,
    RESULT,
    RUN,
    SEALED_COLUMNS,
    WRITTEN,
    KnownFilm,
    Place,
    RunFacts,
    StoredPicture,
    StoredScore,
)
from cxr_runtime.store.run_checks import facts_of
from cxr_runtime.store.sqlite import store_errors

MOST_OF_ONE_STAMP = 8  # places of one stamp that are looked at, the latest first

_SEALED = ", ".join(f"results.{column}" for column in SEALED_COLUMNS)
_AT_A_STAMP = (
    f"SELECT results.id, results.seal, places.seal, places.file, {_SEALED} FROM places"
    " JOIN results ON results.id = places.result"
    " WHERE places.stamp = ? AND results.fingerprint = ? AND results.is_lasting"
    " ORDER BY places.run DESC LIMIT ?"
)
ROW_OF_BYTES = f"SELECT id, seal, {_SEALED} FROM results WHERE sha256 = ? AND fingerprint = ? AND is_lasting"
_ROW = ", ".join(f"results.{column}" for column in OUTCOME_COLUMNS)
_PICTURE = f"SELECT {', '.join(PICTURE_COLUMNS)} FROM pictures WHERE result = ?"
_NO_PICTURE = (None,) * len(PICTURE_COLUMNS)


class Store:
    """What a store holds; nothing here writes a byte."""

    def __init__(self, connection: sqlite3.Connection, name: str, sealer: Sealer) -> None:
        self.distrusted: set[int] = set()  # results that were asked for, and bear no right seal
        self._db, self._sealer = connection, sealer
        self.name = name  # as errors say it
        self.identities = Identities(connection, sealer)
        self.objects = Objects(connection, sealer)
        self.overview = Overview(self._of)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open the store of a finished or running scan without writing a byte, also on a read-only disk.

        Raises:
            StoreError: the folder holds none, or it is damaged, foreign or of a newer program.
        """
        return cls.open_file(store_in(folder))

    @classmethod
    def open_file(cls, path: Path) -> Self:
        """The same of a store by any name, as `backup` makes it."""
        with store_errors(str(path)):
            return cls(open_to_read(path), str(path), Sealer.of_this_machine())

    def close(self) -> None:
        """Close the file; what was added stays."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def version(self) -> int:
        """A number that changes whenever another connection has written into the store."""
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def last_run(self) -> int:
        """Number of the latest run; 0 where there is none."""
        ((last,),) = self._rows("SELECT coalesce(max(id), 0) FROM runs")
        return int(last)

    def reported(self) -> Films:
        """The films that the latest reports hold; where none were finished, those of the latest run."""
        ((reported,),) = self._rows("SELECT max(id) FROM runs WHERE facts IS NOT NULL")
        run = self.last_run() if reported is None else int(reported)
        facts = self.facts(run)
        return None if facts is not None and facts.is_of_store else run

    def facts(self, run: int) -> RunFacts | None:
        """What the reports of a run state; None before it has ended, or if 0.1.0 made it.

        Raises:
            StoreError: they are not as a scan states them.
        """
        found = next(self._rows("SELECT facts FROM runs WHERE id = ?", run), (None,))
        return None if found[0] is None else facts_of(self.name, found[0])

    def ended(self) -> Iterator[tuple[RunFacts, bool]]:
        """What the reports of every run that has ended state, and whether this machine said so; latest last.

        Runs of one folder stand in the order in which they ran, whatever its clock said; those of another
        one, which were merged into it, between them by their times.

        Raises:
            StoreError: they are not as a scan states them.
        """
        query = "SELECT origin, seal, ended, facts FROM runs WHERE facts != '' ORDER BY id"
        found, latest = list[tuple[datetime, RunFacts, bool]](), dict[str, datetime]()
        for origin, seal, *stated in self._rows(query):
            facts = facts_of(self.name, stated[1])
            latest[origin] = max(facts.finished, latest.get(origin, facts.finished))
            found.append((latest[origin], facts, self._sealer.is_right(seal, RUN, stated)))
        for _, facts, is_ours in sorted(found, key=lambda run: run[0]):
            yield facts, is_ours

    def backends(self, films: Films) -> tuple[str, ...]:
        """The providers that scored films."""
        query = f"SELECT DISTINCT results.backend {from_films(films)} ORDER BY results.backend"
        return tuple(str(backend) for (backend,) in self._of(films, query) if backend)

    def known(self, place: Place, fingerprint: str) -> KnownFilm | None:
        """The film at a place, if it was finished before and its file stands as it did then.

        Place and row must bear right seals: otherwise the film counts as new.
        """
        if not place.stamp:
            return None
        forged = set[int]()
        for result, seal, place_seal, file, *values in self._rows(
            _AT_A_STAMP, place.stamp, fingerprint, MOST_OF_ONE_STAMP
        ):
            of_place = (place.stamp, file, values[0], fingerprint)
            if self._sealer.is_right(place_seal, PLACE, of_place):
                return self._known(place, result, seal, values, place_seal if file == place.file else "")
            forged.add(result)
        self.distrusted |= forged
        return None

    def known_by_bytes(self, place: Place, sha256: str, fingerprint: str) -> KnownFilm | None:
        """The film of these bytes, if it was finished before, wherever it lay; its row bears a right seal."""
        row = next(self._rows(ROW_OF_BYTES, sha256, fingerprint), None)
        return None if row is None else self._known(place, row[0], row[1], row[2:])

    def outcomes(self, films: Films) -> Iterator[Outcome]:
        """The rows of films, in their order.

        Raises:
            StoreError: a row is not what a scan stores.
        """
        query = f"SELECT places.file, {_ROW} {from_films(films)} ORDER BY places.position"
        return (outcome_of(row[0], row[1:]) for row in self._of(films, query))

    def scores(self, films: Films) -> Iterator[StoredScore]:
        """As `outcomes`, with what calibration and monitoring need, and whether this machine made them."""
        query = (
            f"SELECT results.seal, places.seal, places.stamp, places.file, {_SEALED} {from_films(films)}"
            " ORDER BY places.position"
        )
        for seal, place_seal, stamp, file, *values in self._of(films, query):
            of_place = sealed_place(stamp, file, values[0], values[FINGERPRINT])
            is_ours = self._sealer.is_right(seal, RESULT, values) and self._sealer.is_right(
                place_seal, PLACE, of_place
            )
            yield replace(score_of(file, tuple(values)), is_ours=is_ours)

    def pictured(
        self, films: Films, only: Collection[Triage] | None = None
    ) -> Iterator[tuple[Outcome, StoredPicture | None]]:
        """Films with their pictures, most suspicious first, the unscored ones last.

        If triages are given, pictures are read of films of these `only`.

        Raises:
            StoreError: a row is not what a scan stores, or its pictures are not those it was stored with.
        """
        query = (  # without the pictures: SQLite would lay them all down on the disk to sort them
            f"SELECT results.id, places.file, results.pictures, {_ROW} {from_films(films)}"
            " ORDER BY status = 'scored' DESC, probability DESC, status, position"
        )
        for result, file, digest, *row in self._of(films, query):
            outcome, picture = outcome_of(file, tuple(row)), _NO_PICTURE
            is_wanted = only is None or outcome.triage in only
            if is_wanted:
                picture = next(self._rows(_PICTURE, result), _NO_PICTURE)
            if digest and is_wanted and picture_digest(picture) != digest:
                raise StoreError(
                    f"the pictures of {file} in the store {self.name} were changed or lost since they were "
                    "made; scan again with --force, or with --out and a new folder"
                )
            yield outcome, picture_of(file, picture)

    def written(self, name: str) -> tuple[str, str] | None:
        """Of a report as it was last written: a digest of what it says, and the stamp of its file."""
        query = "SELECT content, stamp, seal FROM written WHERE name = ?"
        found = next(self._rows(query, name), None)
        if found is None or not self._sealer.is_right(found[2], WRITTEN, (name, *found[:2])):
            return None
        return str(found[0]), str(found[1])

    def _known(
        self, place: Place, result: int, seal: str, values: Sequence[Any], of_place: str = ""
    ) -> KnownFilm | None:
        if self._sealer.is_right(seal, RESULT, values):
            return KnownFilm(place, result, sealed_outcome(place.file, values), of_place)
        self.distrusted.add(result)
        return None

    def _of(self, films: Films, query: str) -> Iterator[Any]:
        """Rows of a query about films."""
        return self._rows(query, *(() if films is None else (films,)))

    def _rows(self, query: str, *asked: int | str) -> Iterator[Any]:
        """Rows of a query, about a run as a rule, as they come; a damaged page is an error of the store."""
        with store_errors(self.name):
            yield from self._db.execute(query, asked)


def read_scores(folder: Path, *, every: bool = False) -> list[StoredScore]:
    """The rows of the last scan into a folder, or all that a service has put there; or `every` row.

    Raises:
        StoreError: the folder holds no scan.
    """
    with Store.open(folder) as store:
        return list(store.scores(None if every else store.reported()))
