"""The store of an output folder, written: each film's row and pictures are one transaction."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Self

from cxr_runtime.files import STORE_FILE
from cxr_runtime.outcome import Outcome
from cxr_runtime.store.rows import (
    OUTCOME_COLUMNS,
    PICTURE_COLUMNS,
    SCORE_COLUMNS,
    FinishedFilm,
    KnownFilm,
    RunFacts,
    picture_row,
)
from cxr_runtime.store.schema import migrate
from cxr_runtime.store.store import Store, store_errors
from cxr_runtime.typed_json import to_json

_WRITTEN = ("sha256", "fingerprint", "bytes", "is_lasting", *OUTCOME_COLUMNS[1:], *SCORE_COLUMNS)


class StoreWriter(Store):
    """The one writer of a store; rows appear as films finish."""

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open the store of an output folder for writing, or make it; one of an earlier program is migrated.

        Raises:
            StoreError: the file is damaged, of a newer program, or cannot be written.
        """
        path = folder / STORE_FILE
        with store_errors(str(path)):
            db = sqlite3.connect(path, isolation_level=None)
            db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;")
            migrate(db)
        return cls(db, str(path))

    @classmethod
    def in_memory(cls) -> Self:
        """A store that nobody keeps."""
        db = sqlite3.connect(":memory:", isolation_level=None)
        migrate(db)
        return cls(db, "in memory")

    def begin_run(self) -> int:
        """Note that a run begins; its number."""
        with self._transaction():
            added = self._db.execute("INSERT INTO runs (begun) VALUES (?)", (_now(),))
        return int(added.lastrowid or 0)

    def end_run(self, run: int, facts: RunFacts) -> None:
        """Note that a run has ended, and what its reports state."""
        with self._transaction():
            self._db.execute(
                "UPDATE runs SET ended = ?, facts = ? WHERE id = ?", (_now(), to_json(facts), run)
            )

    def add(self, run: int, films: Sequence[FinishedFilm | KnownFilm], fingerprint: str) -> None:
        """Add films and their places, in one transaction; a film done anew replaces its row and pictures.

        Raises:
            StoreError: the disk is full, or the file cannot be written; none of these films was added.
        """
        with self._transaction():
            for film in films:
                match film:
                    case KnownFilm():
                        result = film.result
                    case FinishedFilm():
                        result = self._add_result(film, fingerprint)
                place = film.place
                self._db.execute(
                    "INSERT OR REPLACE INTO places (run, position, file, stamp, result)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (run, place.position, place.file, place.stamp, result),
                )

    def rejudge(self, run: int, judged: Iterable[Outcome]) -> None:
        """Give a run's films another probability and triage (a new calibration or operating point)."""
        with self._transaction():
            self._db.executemany(
                "UPDATE results SET probability=?, triage=?, threshold=?, operating_point=? WHERE id IN"
                " (SELECT result FROM places WHERE run = ?) AND sha256 = ?",
                (
                    (o.probability, o.triage, o.threshold, o.operating_point, run, o.sha256)
                    for o in judged
                ),
            )  # fmt: skip

    def note_written(self, name: str, content: str, stamp: str) -> None:
        """Note how a report was written."""
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO written VALUES (?, ?, ?)", (name, content, stamp))

    def note_owed(self, names: Iterable[str]) -> None:
        """Note which files could not be written; those of earlier runs that are not among them were."""
        with self._transaction():
            self._db.execute("DELETE FROM written WHERE content = ''")
            self._db.executemany(
                "INSERT OR REPLACE INTO written VALUES (?, '', '')", ((name,) for name in names)
            )

    def _add_result(self, film: FinishedFilm, fingerprint: str) -> int:
        score, outcome = film.score, film.score.outcome
        is_lasting = film.is_lasting and outcome.sha256 != ""
        row = (
            outcome.sha256, fingerprint, film.size, is_lasting,
            *(getattr(outcome, column) for column in OUTCOME_COLUMNS[1:]),
            *(getattr(score, column) for column in SCORE_COLUMNS),
        )  # fmt: skip
        marks, again = (
            ", ".join("?" * len(_WRITTEN)),
            ", ".join(f"{name} = excluded.{name}" for name in _WRITTEN),
        )
        (result,) = self._db.execute(
            f"INSERT INTO results ({', '.join(_WRITTEN)}) VALUES ({marks})"
            f" ON CONFLICT (sha256, fingerprint) WHERE is_lasting DO UPDATE SET {again} RETURNING id",
            row,
        ).fetchone()
        self._db.execute("DELETE FROM pictures WHERE result = ?", (result,))
        if film.picture is not None:
            columns, marks = ", ".join(PICTURE_COLUMNS), ", ".join("?" * len(PICTURE_COLUMNS))
            values = (result, *picture_row(film.picture))
            self._db.execute(f"INSERT INTO pictures (result, {columns}) VALUES (?, {marks})", values)
        return int(result)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with store_errors(self._name):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
