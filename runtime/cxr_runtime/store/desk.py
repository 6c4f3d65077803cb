"""A store at the desk of its readers: verdicts, marks and accounts are written while a scan goes on."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import RLock
from typing import Self

from cxr_runtime.seals import Sealer
from cxr_runtime.store.accounts import Accounts
from cxr_runtime.store.audit import Act, Audit
from cxr_runtime.store.opening import open_beside, store_in
from cxr_runtime.store.store import Store, store_errors
from cxr_runtime.store.verdicts import Verdicts


class Desk(Store):
    """A store to which readers add; every act is one short transaction, with its line in the audit.

    Threads may share it: one writes at a time.
    """

    def __init__(self, connection: sqlite3.Connection, name: str, sealer: Sealer) -> None:
        super().__init__(connection, name, sealer)
        self._lock = RLock()
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

    def version(self) -> int:
        """A number that changes whenever another connection has written."""
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    @contextmanager
    def acting(self, actor: str, act: Act, about: str = "") -> Iterator[str]:
        """Do something, and note it: both, or neither. Gives the time, as it is noted.

        Raises:
            StoreError: the disk is full, or the file cannot be written.
        """
        with self._lock, store_errors(self.name):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                now = datetime.now().astimezone().isoformat(timespec="seconds")
                yield now
                self.audit.add(now, actor, act, about)
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def note(self, actor: str, act: Act, about: str = "") -> None:
        """Note what was done elsewhere."""
        with self.acting(actor, act, about):
            pass

    def opened(self, reader: str, sha256: str) -> None:
        """Note that a reader has opened a film."""
        with self.acting(reader, Act.OPENED, sha256) as now:
            self._db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", (sha256, reader, now))

    def seen_by(self, sha256: str) -> list[tuple[str, str]]:
        """Who has opened a film, and when for the first time; the first one first."""
        query = "SELECT reader, first FROM seen WHERE sha256 = ? ORDER BY first"
        return [(str(reader), str(first)) for reader, first in self._db.execute(query, (sha256,)).fetchall()]
