"""A store at the desk of its readers: verdicts, marks and accounts are written while a scan goes on."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import RLock
from typing import Self

from cxr_runtime.seals import Sealer, picture_digest, sealed_place
from cxr_runtime.store.accounts import Accounts
from cxr_runtime.store.audit import Act, Audit
from cxr_runtime.store.checks import picture_of
from cxr_runtime.store.opening import open_beside, store_in
from cxr_runtime.store.rows import (
    PICTURE_COLUMNS,
    PLACE,
    RunFacts,
    StoredPicture,
    time_now,
    time_of,
)
from cxr_runtime.store.run_checks import facts_of
from cxr_runtime.store.sqlite import store_errors, transaction
from cxr_runtime.store.store import Store
from cxr_runtime.store.verdicts import Verdicts

MOST_PLACES = 20  # of one film that are looked at
MOST_OF_PATIENT = 1000  # films of one Patient ID that are looked at


class Desk(Store):
    """A store to which readers add; every act is one short transaction, with its line in the audit.

    Threads may share it: one writes at a time.
    """

    def __init__(self, connection: sqlite3.Connection, name: str, sealer: Sealer) -> None:
        super().__init__(connection, name, sealer)
        self._lock = RLock()
        self.counted: tuple[int, dict[str, int]] = (-1, {})  # `version`, and how many films ended how in it
        self.verdicts = Verdicts(connection, sealer)
        self.audit = Audit(connection, sealer)
        self.accounts = Accounts(connection, sealer)

    @classmethod
    def open(cls, folder: Path, *, writes: bool = True) -> Self:
        """Open the store of an output folder, while others write into it or not.

        Args:
            folder: holds a store; one of an earlier program is migrated.
            writes: False: nothing can be written by this connection, and one thread at a time may use it.

        Raises:
            StoreError: the folder holds none, it is damaged, foreign or of a newer program, or it cannot be
                written.
        """
        path = store_in(folder)
        with store_errors(str(path)):
            return cls(open_beside(path, writes=writes), str(path), Sealer.of_this_machine())

    @classmethod
    def to_read(cls, folder: Path) -> Self:
        """Open it for one look without writing a byte, also on a read-only disk, whatever program made it.

        Raises:
            StoreError: as of `open`.
        """
        return cls.open_file(store_in(folder))

    def __exit__(self, *raised: object) -> None:
        """Close it; what SQLite says of a damaged store becomes an error of ours."""
        super().__exit__(*raised)
        if isinstance(raised[1], sqlite3.DatabaseError):
            with store_errors(self.name):
                raise raised[1]

    @contextmanager
    def acting(self, actor: str, act: Act, about: str = "") -> Iterator[str]:
        """Do something, and note it: both, or neither. Gives the time, as it is noted.

        Raises:
            StoreError: the disk is full, or the file cannot be written.
        """
        with self._lock, transaction(self._db, self.name):
            now = time_now()
            yield now
            self.audit.add(now, actor, act, about)

    def note(self, actor: str, act: Act, about: str = "") -> None:
        """Note what was done elsewhere."""
        with self.acting(actor, act, about):
            pass

    def opened(self, reader: str, key: str, *, marks: bool = True) -> None:
        """Note that a reader has opened a film.

        Args:
            reader: who.
            key: sha256 of the film, or what it is known by (`listing.Listed.key`).
            marks: False: its score was hidden, so that it does not count as seen yet.
        """
        with self.acting(reader, Act.OPENED, key) as now:
            if marks:
                self.mark_seen(reader, key, now)

    def mark_seen(self, reader: str, key: str, now: str) -> None:
        """Mark a film as seen, within an act."""
        self._db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", (key, reader, now))

    def sealed_places(self, sha256: str) -> list[str]:
        """Files under which a film was found on this machine, the latest first; no others are told."""
        query = (
            "SELECT places.seal, stamp, file, fingerprint FROM places"
            " JOIN results ON results.id = places.result WHERE sha256 = ?"
            " ORDER BY run DESC, position DESC LIMIT ?"
        )
        return [
            str(file)
            for seal, stamp, file, fingerprint in self._db.execute(query, (sha256, MOST_PLACES)).fetchall()
            if self._sealer.is_right(seal, PLACE, sealed_place(stamp, file, sha256, fingerprint))
        ]

    def picture(self, result: int) -> StoredPicture | None:
        """The pictures of a row; None where there are none, or they are not those that it was stored with."""
        columns = ", ".join(f"pictures.{column}" for column in PICTURE_COLUMNS)
        query = (
            f"SELECT results.pictures, {columns} FROM results JOIN pictures ON pictures.result = results.id"
            " WHERE results.id = ?"
        )
        digest, *row = self._db.execute(query, (result,)).fetchone() or ("",)
        if not row or (digest and picture_digest(tuple(row)) != digest):
            return None
        return picture_of(f"result {result}", tuple(row))

    def latest_facts(self) -> RunFacts | None:
        """What the reports of the run that ended last state; None before any has."""
        query = "SELECT facts FROM runs WHERE facts != '' ORDER BY id DESC LIMIT 1"
        found = self._db.execute(query).fetchone()
        return None if found is None else facts_of(self.name, found[0])

    def count_films(self) -> int:
        """How many rows there are; a film that was scored by several models counts as often."""
        return int(self._db.execute("SELECT count(*) FROM results").fetchone()[0])

    def suspicious(self, probability: float, since: datetime) -> list[tuple[str, float]]:
        """Films with a probability of this or more that were scored since then: sha256 and probability."""
        query = (
            "SELECT sha256, probability, finished FROM results WHERE status = 'scored' AND probability >= ?"
            " ORDER BY id"
        )
        found = self._db.execute(query, (probability,)).fetchall()
        return [(str(sha256), float(value)) for sha256, value, at in found if time_of(str(at)) >= since]

    def has_accounts(self) -> bool:
        """Whether anybody has an account, also one without a right seal: then nobody comes in without."""
        return bool(self._db.execute("SELECT EXISTS (SELECT 1 FROM users)").fetchone()[0])

    def label(self) -> str:
        """Under which label identities are kept now (`pseudonyms.Keeping.label`); "" where none are."""
        found = self._db.execute("SELECT kind FROM identities LIMIT 1").fetchone()
        return "" if found is None else str(found[0])

    def films_of_patient(self, patient: str, label: str, before: str = "") -> list[tuple[str, str]]:
        """Films of a Patient ID by sha256, with the date of each examination; the latest first.

        Args:
            patient: the ID; it may be that of several persons.
            label: under which identities are kept.
            before: a date; only films of days before it. "": all films.
        """
        query = (
            "SELECT sha256, coalesce(studied, '') AS day FROM identities"
            " WHERE kind = :label AND patient = :patient"
            " AND (:before = '' OR day > '' AND day < :before) ORDER BY day DESC LIMIT :most"
        )
        asked = {"label": label, "patient": patient, "before": before, "most": MOST_OF_PATIENT}
        return [(str(sha256), str(day)) for sha256, day in self._db.execute(query, asked).fetchall()]

    def seen_by(self, sha256: str) -> list[tuple[str, str]]:
        """Who has opened a film, and when for the first time; the first one first."""
        query = "SELECT reader, first FROM seen WHERE sha256 = ? ORDER BY first"
        return [(str(reader), str(first)) for reader, first in self._db.execute(query, (sha256,)).fetchall()]
