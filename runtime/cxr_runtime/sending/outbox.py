"""The results of one output folder that wait to be sent to one archive."""

import sqlite3
from collections.abc import Collection
from contextlib import ExitStack
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

from cxr_runtime.access import PRIVATE
from cxr_runtime.atomic import is_unchanged
from cxr_runtime.errors import StoreError
from cxr_runtime.names import printable
from cxr_runtime.sending.destination import Outgoing
from cxr_runtime.store.deliveries import Deliveries, Delivery, Outstanding, State, is_ahead
from cxr_runtime.store.opening import store_in
from cxr_runtime.store.sqlite import transaction
from cxr_runtime.store.writer import StoreWriter

AT_ONCE = 500  # results that are looked up in one go


class SendingStore(StoreWriter):
    """A store in which one sender notes what an archive has."""

    @cached_property
    def deliveries(self) -> Deliveries:
        """What went where."""
        return Deliveries(self)

    def note_deliveries(self, deliveries: Collection[Delivery]) -> None:
        """Note where results stand, durably, in one transaction.

        Raises:
            StoreError: the disk is full, or the file cannot be written; none was noted.
        """
        with transaction(self._db, self.name):
            for delivery in deliveries:
                self.deliveries.put(delivery)

    def begin_sending(self, target: str) -> int:
        """Forget what this machine has not said of an archive; how many rows.

        Raises:
            StoreError: the file cannot be written.
        """
        with transaction(self._db, self.name):
            return self.deliveries.drop_unsealed(target)

    def retry_refused(self, target: str) -> int:
        """Have what an archive refused sent once more; how many results.

        Raises:
            StoreError: the file cannot be written.
        """
        with transaction(self._db, self.name):
            return self.deliveries.drop(target, State.REFUSED)


class Outbox:
    """The queue of a folder and an archive; whoever holds it is the only one to send from it.

    Raises:
        StoreError: the folder holds no store, or another program sends from it to that archive.
    """

    def __init__(
        self, folder: Path, target: str, kinds: frozenset[str], *, retries_refused: bool = False
    ) -> None:
        self.folder, self._target, self._kinds = folder, target, kinds
        self._unnoted = dict[str, Delivery]()  # what the store could not take yet
        self._version = -1  # of the store as it was when the latest round ended
        self._awaited = list[datetime]()  # UTC: when all of these have passed, something is due
        store_in(folder)
        with ExitStack() as closing:
            lock = FileLock(
                folder / f".send-{sha256(target.encode()).hexdigest()[:8]}.lock", mode=PRIVATE.file_mode
            )
            try:
                lock.acquire(blocking=False)
            except Timeout:
                raise StoreError(
                    f"another program sends the results of {printable(str(folder))} to {target}; wait until "
                    "it ends, or let it send"
                ) from None
            closing.callback(lock.release)
            self.store = SendingStore.open(folder)
            closing.callback(self.store.close)
            self.distrusted = self.store.begin_sending(target)
            if retries_refused:
                self.store.retry_refused(target)
            self._closing = closing.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let others send from it."""
        self._closing.close()

    @property
    def away(self) -> Delivery:
        """How often the archive could not be reached, and when it is asked again."""
        return self.store.deliveries.of_archive(self._target)

    def due(self, now: datetime | None, tried: Collection[str]) -> list[Outstanding]:
        """Some of what is due.

        Args:
            now: as of `Deliveries.due`.
            tried: UIDs of what this round has tried.
        """
        found = self.store.deliveries.due(self._target, self._kinds, now)
        left = (each for each in found if each.made.uid not in tried and each.made.uid not in self._unnoted)
        return list(islice(left, AT_ONCE))

    def has_work(self, now: datetime) -> bool:
        """Whether anybody else has written into the store since a round ended, or something has come due."""
        try:
            is_changed = self.store.version() != self._version
        except sqlite3.DatabaseError:  # the round will say what is wrong
            return True
        return is_changed or (
            bool(self._awaited) and not any(is_ahead(moment, now) for moment in self._awaited)
        )

    def end_round(self, version: int) -> None:
        """All that was due is tried.

        Args:
            version: of the store as the round found it.
        """
        moments = (self.store.deliveries.next_due(self._target, self._kinds), self.away.next_try)
        self._awaited = [moment for moment in moments if moment is not None] if self.left() else []
        self._version = version

    def left(self) -> int:
        """How many results are not sent, and not refused."""
        return self.store.deliveries.outstanding(self._target, self._kinds)

    def note(self, *deliveries: Delivery) -> None:
        """Note what an archive said. What the store cannot take now is kept in mind, and noted later.

        Raises:
            StoreError: the disk is full, or the store cannot be written.
        """
        self._unnoted.update((delivery.uid, delivery) for delivery in deliveries)
        if self._unnoted:
            self.store.note_deliveries(self._unnoted.values())
            self._unnoted.clear()

    def read(self, each: Outstanding) -> Outgoing | None:
        """The file of a result; None where it is gone, or its content is not as it was made."""
        path = self.folder / each.made.file
        try:
            content = path.read_bytes()
        except OSError:
            return None
        return Outgoing(each.made.uid, content) if is_unchanged(path, each.stamp) else None
