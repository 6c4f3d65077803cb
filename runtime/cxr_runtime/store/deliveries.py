"""The table `deliveries`: which results an archive has, which it refused, and what is tried again, and when.

The queue is not written anywhere: it is every object whose file stands as it was made (`objects`, `written`)
and of which the archive has no row that says `sent` or `refused`. So a result is in it from the transaction
that stored it, and nothing can be left out.
"""

from collections.abc import Collection, Iterator
from dataclasses import astuple, dataclass, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum

from cxr_runtime.store.objects import COLUMNS as MADE
from cxr_runtime.store.objects import SEALED as OBJECT
from cxr_runtime.store.objects import MadeObject
from cxr_runtime.store.rows import WRITTEN
from cxr_runtime.store.store import Store

SEALED = "delivery"  # kind of the sealed row
LONGEST_WAIT = timedelta(hours=1)
_FIRST_WAIT = timedelta(minutes=1)
_DOUBLINGS = 6  # after so many the wait is the longest one in any case
ARCHIVE = ""  # in place of a UID: the row speaks of the archive itself, which could not be reached


class State(StrEnum):
    """Where a result stands with an archive."""

    SENT = "sent"  # the archive said that it has it
    REFUSED = "refused"  # for good: the archive does not want it
    WAITING = "waiting"  # to be tried again


@dataclass(frozen=True)
class Delivery:
    """One result and one archive."""

    uid: str  # SOP Instance UID of the object, or ARCHIVE
    target: str  # the archive, as `Destination.name`
    state: State
    tries: int = 0
    tried: str = ""  # UTC, ISO: the last time
    due: str = ""  # UTC, ISO: not before that; "" where nothing is due
    said: str = ""  # what the archive answered, in words of ours

    @property
    def next_try(self) -> datetime | None:
        """Not before that; None where nothing is due."""
        return datetime.fromisoformat(self.due) if self.due else None

    def tried_in_vain(self, now: datetime, said: str) -> "Delivery":
        """The same after one more try: it waits 1 minute, 2, 4, ... at most an hour.

        Args:
            now: UTC.
            said: why.
        """
        wait = min(LONGEST_WAIT, _FIRST_WAIT * 2 ** min(self.tries, _DOUBLINGS))
        due = stated(now + wait)
        return replace(self, state=State.WAITING, tries=self.tries + 1, tried=stated(now), due=due, said=said)

    def ended(self, state: State, now: datetime, said: str) -> "Delivery":
        """The same after the archive took it, or refused it for good."""
        return replace(self, state=state, tries=self.tries + 1, tried=stated(now), due="", said=said)


COLUMNS = tuple(entry.name for entry in fields(Delivery))
_NAMED = ", ".join(f"deliveries.{name}" for name in COLUMNS)
_OBJECT = ", ".join(f"objects.{name}" for name in MADE)
# Objects whose files stand as they were made: a file of another result has taken the place of the others.
# One that was dropped, for the archive has it, is noted without a stamp.
_STANDING = (
    "objects JOIN written ON written.name = objects.file AND written.content = objects.uid"
    " AND written.stamp != ''"
)
_OPEN = (
    f"FROM {_STANDING} LEFT JOIN deliveries ON deliveries.uid = objects.uid AND deliveries.target = ?"
    " WHERE (deliveries.state IS NULL OR deliveries.state = 'waiting') AND objects.kind IN (?, ?, ?)"
)


@dataclass(frozen=True)
class Outstanding:
    """A result whose file stands, and where it stands with an archive."""

    made: MadeObject
    stamp: str  # of its file, as it was made
    delivery: Delivery  # what was tried so far


class Deliveries:
    """What went where; a row without a right seal counts as missing.

    Writing happens within the transaction of the one who sends.

    Args:
        store: open; whose table it is.
    """

    def __init__(self, store: Store) -> None:
        self._db, self._sealer = store._db, store._sealer

    def due(self, target: str, kinds: Collection[str], now: datetime | None) -> Iterator[Outstanding]:
        """What is to be sent: first what was never tried, then by the number of tries.

        Args:
            target: the archive.
            kinds: of results that it is to get.
            now: UTC; None: whatever waits is due. Times count as for `is_ahead`.
        """
        latest = "9999" if now is None else stated(now)
        beyond = "9999" if now is None else stated(now + LONGEST_WAIT)
        query = (
            f"SELECT objects.seal, {_OBJECT}, written.stamp, written.seal, {_NAMED} {_OPEN}"
            " AND (deliveries.state IS NULL OR deliveries.due <= ? OR deliveries.due > ?)"
            " ORDER BY coalesce(deliveries.tries, 0), objects.made, objects.sha256, objects.kind"
        )
        for seal, *row in self._db.execute(query, (target, *_three(kinds), latest, beyond)):
            made, (stamp, file_seal), tried = MadeObject(*row[:6]), row[6:8], row[8:]
            is_ours = self._sealer.is_right(seal, OBJECT, row[:6])
            if is_ours and self._sealer.is_right(file_seal, WRITTEN, (made.file, made.uid, stamp)):
                delivery = Delivery(made.uid, target, State.WAITING) if tried[0] is None else _delivery(tried)
                yield Outstanding(made, str(stamp), delivery)

    def outstanding(self, target: str, kinds: Collection[str]) -> int:
        """How many results an archive has neither got nor refused."""
        return int(self._db.execute(f"SELECT count(*) {_OPEN}", (target, *_three(kinds))).fetchone()[0])

    def delivered(self, archive: str | None) -> list[Outstanding]:
        """Results whose files stand, and that an archive has.

        Args:
            archive: that is to have them; None: every one that the store knows.
        """
        targets = [archive] if archive else self.targets()
        found = [{each.made.uid: each for each in self._sent(target)} for target in targets]
        return [each for uid, each in found[0].items() if all(uid in one for one in found)] if found else []

    def _sent(self, target: str) -> Iterator[Outstanding]:
        query = (
            f"SELECT objects.seal, {_OBJECT}, written.stamp, written.seal, deliveries.seal, {_NAMED}"
            f" FROM {_STANDING} JOIN deliveries ON deliveries.uid = objects.uid"
            " WHERE deliveries.target = ? AND deliveries.state = 'sent'"
        )
        for seal, *row in self._db.execute(query, (target,)):
            made, (stamp, file_seal, sent_seal), sent = MadeObject(*row[:6]), row[6:9], row[9:]
            is_ours = self._sealer.is_right(seal, OBJECT, row[:6]) and self._sealer.is_right(
                sent_seal, SEALED, sent
            )
            if is_ours and self._sealer.is_right(file_seal, WRITTEN, (made.file, made.uid, stamp)):
                yield Outstanding(made, str(stamp), _delivery(sent))

    def next_due(self, target: str, kinds: Collection[str]) -> datetime | None:
        """When the next result is to be sent; None where none is, or one was never tried."""
        query = f"SELECT min(coalesce(deliveries.due, '')) {_OPEN}"
        found = self._db.execute(query, (target, *_three(kinds))).fetchone()[0]
        return datetime.fromisoformat(found) if found else None

    def of_archive(self, target: str) -> Delivery:
        """How often the archive itself could not be reached since it last answered."""
        found = self._select("WHERE uid = ? AND target = ?", ARCHIVE, target)
        return next(found, Delivery(ARCHIVE, target, State.WAITING))

    def targets(self) -> list[str]:
        """All archives that anything was ever sent to, or should have been."""
        return sorted(str(name) for (name,) in self._db.execute("SELECT DISTINCT target FROM deliveries"))

    def of(self, target: str, state: State) -> Iterator[tuple[Delivery, str, str]]:
        """Rows of an archive in a state, each with the kind of its result and the sha256 of its film."""
        query = (
            f"SELECT deliveries.seal, {_NAMED}, objects.kind, objects.sha256"
            " FROM deliveries JOIN objects USING (uid) WHERE target = ? AND state = ? ORDER BY sha256, kind"
        )
        for seal, *row, kind, sha256 in self._db.execute(query, (target, state)):
            if self._sealer.is_right(seal, SEALED, row):
                yield _delivery(row), str(kind), str(sha256)

    def refused(self) -> int:
        """How many results archives have refused for good."""
        return len(list(self._select("WHERE state = ? AND uid != ?", State.REFUSED, ARCHIVE)))

    def put(self, delivery: Delivery) -> None:
        """Note where a result stands, in place of what was noted before."""
        values = astuple(delivery)
        marks = ", ".join("?" * (len(values) + 1))
        self._db.execute(
            f"INSERT OR REPLACE INTO deliveries ({', '.join(COLUMNS)}, seal) VALUES ({marks})",
            (*values, self._sealer.seal(SEALED, values)),
        )

    def drop(self, target: str, state: State) -> int:
        """Forget the rows of an archive in a state; how many they were."""
        query = "DELETE FROM deliveries WHERE target = ? AND state = ?"
        return self._db.execute(query, (target, state)).rowcount

    def drop_unsealed(self, target: str) -> int:
        """Forget rows of an archive that this machine has not written, or that were changed; how many."""
        rows = self._db.execute(f"SELECT seal, {_NAMED} FROM deliveries WHERE target = ?", (target,))
        wrong = [(row[0], target) for seal, *row in rows if not self._sealer.is_right(seal, SEALED, row)]
        self._db.executemany("DELETE FROM deliveries WHERE uid = ? AND target = ?", wrong)
        return len(wrong)

    def _select(self, where: str, *asked: str) -> Iterator[Delivery]:
        for seal, *row in self._db.execute(f"SELECT seal, {_NAMED} FROM deliveries {where}", asked):
            if self._sealer.is_right(seal, SEALED, row):
                yield _delivery(row)


def _delivery(row: list[str]) -> Delivery:
    uid, target, state, tries, *said = row
    return Delivery(uid, target, State(state), int(tries), *said)


def _three(kinds: Collection[str]) -> tuple[str, str, str]:
    first, second, third = (*sorted(kinds), "", "")[:3]
    return first, second, third


def is_ahead(due: datetime, now: datetime) -> bool:
    """Whether a time is still to be waited for.

    One that lies further ahead than the longest wait was written under another clock, and counts as past.
    """
    return now < due <= now + LONGEST_WAIT


def stated(moment: datetime) -> str:
    """A time as the table states it: of one length, so that texts compare as times do."""
    return moment.isoformat(timespec="microseconds")
