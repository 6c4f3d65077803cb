"""The store of an output folder, read: one SQLite file from which every report is made."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from cxr_runtime.errors import StoreError
from cxr_runtime.files import STORE_FILE
from cxr_runtime.outcome import Outcome
from cxr_runtime.store.rows import (
    OUTCOME_COLUMNS,
    PICTURE_COLUMNS,
    SCORE_COLUMNS,
    KnownFilm,
    Place,
    RunFacts,
    StoredPicture,
    StoredScore,
    outcome_of,
    picture_of,
)
from cxr_runtime.store.schema import SCHEMA_VERSION, migrate, version
from cxr_runtime.typed_json import from_json

MOST_OF_ONE_SIZE = 256  # finished films of one size whose digests are looked up; more are told apart later

_ROW = ", ".join(f"results.{column}" for column in OUTCOME_COLUMNS)
_OF_RUN = "FROM places JOIN results ON results.id = places.result WHERE places.run = ?"


class Store:
    """What a store holds; nothing here writes a byte."""

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        self._db = connection
        self._name = name  # as errors say it

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open the store of a finished or running scan without writing a byte, also on a read-only disk.

        Raises:
            StoreError: the folder holds none, or it is damaged or of a newer program.
        """
        path = folder / STORE_FILE
        if not path.is_file():
            raise StoreError(f"{folder} holds no {STORE_FILE}; give the output folder of `cxr-triage scan`")
        with store_errors(str(path)):
            return cls(_open_read_only(path), str(path))

    def close(self) -> None:
        """Close the file; what was added stays."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def last_run(self) -> int:
        """Number of the latest run; 0 where there is none."""
        return int(self._db.execute("SELECT coalesce(max(id), 0) FROM runs").fetchone()[0])

    def facts(self, run: int) -> RunFacts | None:
        """What the reports of a run state; None before it has ended, or if 0.1.0 made it."""
        found = self._db.execute("SELECT facts FROM runs WHERE id = ?", (run,)).fetchone()
        if found is None or found[0] is None:
            return None
        return from_json(str(found[0]), RunFacts)

    def backends(self, run: int) -> tuple[str, ...]:
        """The providers that scored a run's films."""
        query = (
            f"SELECT DISTINCT results.backend {_OF_RUN} AND results.backend != '' ORDER BY results.backend"
        )
        return tuple(str(backend) for (backend,) in self._db.execute(query, (run,)))

    def known(self, place: Place, fingerprint: str) -> KnownFilm | None:
        """The film at a place, if it was finished before and its file stands as it did then."""
        if not place.stamp:
            return None
        query = (
            f"SELECT results.id, {_ROW} FROM places JOIN results ON results.id = places.result"
            " WHERE places.stamp = ? AND results.fingerprint = ? AND results.is_lasting LIMIT 1"
        )
        row = self._db.execute(query, (place.stamp, fingerprint)).fetchone()
        return None if row is None else KnownFilm(place, row[0], outcome_of(place.file, row[1:]))

    def known_by_bytes(self, place: Place, sha256: str, fingerprint: str) -> KnownFilm | None:
        """The film of these bytes, if it was finished before, wherever it lay."""
        query = f"SELECT id, {_ROW} FROM results WHERE sha256 = ? AND fingerprint = ? AND is_lasting"
        row = self._db.execute(query, (sha256, fingerprint)).fetchone()
        return None if row is None else KnownFilm(place, row[0], outcome_of(place.file, row[1:]))

    def digests_of_size(self, size: int, fingerprint: str) -> frozenset[str]:
        """sha256 of finished films with so many bytes: a file is one of them, or it is new."""
        query = "SELECT sha256 FROM results WHERE bytes = ? AND fingerprint = ? AND is_lasting LIMIT ?"
        found = self._db.execute(query, (size, fingerprint, MOST_OF_ONE_SIZE + 1)).fetchall()
        return (
            frozenset(str(digest) for (digest,) in found) if len(found) <= MOST_OF_ONE_SIZE else frozenset()
        )

    def outcomes(self, run: int) -> Iterator[Outcome]:
        """The rows of a run's films, in input order."""
        query = f"SELECT places.file, {_ROW} {_OF_RUN} ORDER BY places.position"
        return (outcome_of(row[0], row[1:]) for row in self._db.execute(query, (run,)))

    def scores(self, run: int) -> Iterator[StoredScore]:
        """As `outcomes`, with what calibration and monitoring need."""
        more = ", ".join(f"results.{column}" for column in SCORE_COLUMNS)
        query = f"SELECT {more}, places.file, {_ROW} {_OF_RUN} ORDER BY places.position"
        for margin, mean, contrast, finished, file, *row in self._db.execute(query, (run,)):
            yield StoredScore(outcome_of(file, tuple(row)), margin, mean, contrast, finished)

    def pictured(self, run: int) -> Iterator[tuple[Outcome, StoredPicture | None]]:
        """A run's films with their pictures, most suspicious first, the unscored ones last."""
        pictures = ", ".join(f"pictures.{column}" for column in PICTURE_COLUMNS)
        query = (
            f"SELECT places.file, {_ROW}, {pictures} FROM places JOIN results ON results.id = places.result"
            " LEFT JOIN pictures ON pictures.result = results.id WHERE places.run = ?"
            " ORDER BY status = 'scored' DESC, probability DESC, status, position"
        )
        for file, *row in self._db.execute(query, (run,)):
            yield outcome_of(file, tuple(row)), picture_of(tuple(row[len(OUTCOME_COLUMNS) :]))

    def written(self, name: str) -> tuple[str, str] | None:
        """Of a report as it was last written: a digest of what it says, and the stamp of its file."""
        query = "SELECT content, stamp FROM written WHERE name = ?"
        found = self._db.execute(query, (name,)).fetchone()
        return None if found is None else (str(found[0]), str(found[1]))

    def owed(self) -> frozenset[str]:
        """Files of the folder that an earlier run could not write."""
        return frozenset(
            str(name) for (name,) in self._db.execute("SELECT name FROM written WHERE content = ''")
        )


def read_scores(folder: Path) -> list[StoredScore]:
    """The rows of the last scan into a folder.

    Raises:
        StoreError: the folder holds no scan.
    """
    with Store.open(folder) as store, store_errors(str(folder / STORE_FILE)):
        return list(store.scores(store.last_run()))


def _open_read_only(path: Path) -> sqlite3.Connection:
    """A connection that cannot write; a store of an earlier program is migrated in memory."""
    # A log beside the store says that somebody writes; without one, SQLite must make none only to read.
    is_written = path.with_name(f"{path.name}-wal").exists()
    address = f"{path.absolute().as_uri()}?mode=ro{'' if is_written else '&immutable=1'}"
    db = sqlite3.connect(address, uri=True, isolation_level=None)
    if version(db) == SCHEMA_VERSION:
        return db
    copy = sqlite3.connect(":memory:", isolation_level=None)
    db.backup(copy)
    db.close()
    migrate(copy)
    return copy


@contextmanager
def store_errors(name: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise StoreError(
            f"the store {name} cannot be used ({error}); see that the disk has room and the folder can be "
            "written, or scan with --out and a new folder"
        ) from error
