"""The table `audit`: who did what, and when. Entries are only added, each with a digest of the one before."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cxr_runtime.seals import Sealer, digest_of

SEALED = "audit"  # kind of the sealed row
MOST_ABOUT = 200  # characters
COLUMNS = ("id", "time", "actor", "act", "about", "digest")
_NAMED = ", ".join(COLUMNS)


class Act(StrEnum):
    """What is noted."""

    SERVED = "served"  # `serve` began
    LOGGED_IN = "logged-in"
    LOGIN_FAILED = "login-failed"
    LOGGED_OUT = "logged-out"
    OPENED = "opened"  # a film
    SAID = "said"  # a verdict, or the result of a test
    EXPORTED = "exported"
    ALERTED = "alerted"  # a very suspicious film was called out
    USER_ADDED = "user-added"
    USER_CHANGED = "user-changed"
    USER_REMOVED = "user-removed"


@dataclass(frozen=True)
class Entry:
    """One line of the audit."""

    number: int  # from 1, without gaps
    time: str  # ISO time with offset
    actor: str  # name of an account, or of the user of this machine
    act: str
    about: str  # a film by its sha256, a user, the kind of an export; never a patient
    digest: str  # sha256 over the digest before it and all of this


@dataclass(frozen=True)
class Verification:
    """What was found of the whole chain."""

    entries: int
    head: str  # digest of the last entry; "" where there is none
    wrong: int | None  # number at which the chain breaks; None: it is whole
    elsewhere: int  # entries of a whole chain whose seals another machine made


class Audit:
    """Adds entries, and checks them.

    Writing happens within the transaction of the act itself, so that neither is there without the other.
    """

    def __init__(self, db: sqlite3.Connection, sealer: Sealer) -> None:
        self._db, self._sealer = db, sealer

    def add(self, time: str, actor: str, act: Act, about: str = "") -> None:
        """Add an entry."""
        last = self._db.execute("SELECT id, digest FROM audit ORDER BY id DESC LIMIT 1").fetchone() or (0, "")
        row = (int(last[0]) + 1, time, actor, act.value, about[:MOST_ABOUT])
        digest = digest_of((last[1], *row))
        self._db.execute(
            f"INSERT INTO audit ({_NAMED}, seal) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*row, digest, self._sealer.seal(SEALED, (*row, digest))),
        )

    def latest(self, count: int) -> list[Entry]:
        """The latest entries, the last one first."""
        query = f"SELECT {_NAMED} FROM audit ORDER BY id DESC LIMIT ?"
        return [Entry(*row) for row in self._db.execute(query, (count,)).fetchall()]

    def about(self, act: Act) -> set[str]:
        """What all entries of an act are about."""
        query = "SELECT DISTINCT about FROM audit WHERE act = ?"
        return {str(about) for (about,) in self._db.execute(query, (act.value,)).fetchall()}

    def last(self, act: Act) -> str:
        """When an act was noted last, ISO time with offset; "" where it never was."""
        query = "SELECT time FROM audit WHERE act = ? ORDER BY id DESC LIMIT 1"
        found = self._db.execute(query, (act.value,)).fetchone()
        return "" if found is None else str(found[0])

    def verify(self, head: str = "") -> Verification:
        """Compute every digest again.

        Args:
            head: a digest that was noted earlier; where no entry bears it, the chain was cut or written anew.
        """
        before, count, elsewhere, is_found = "", 0, 0, not head
        for seal, row in self._rows():
            number, *_, digest = row
            if number != count + 1 or digest != digest_of((before, *row[:-1])):
                return Verification(count, before, count + 1, elsewhere)
            before, count = str(digest), count + 1
            is_found |= digest == head
            elsewhere += not self._sealer.is_right(seal, SEALED, row)
        return Verification(count, before, None if is_found else count + 1, elsewhere)

    def _rows(self) -> Iterator[tuple[Any, tuple[Any, ...]]]:
        query = f"SELECT seal, {_NAMED} FROM audit ORDER BY id"
        for seal, *row in self._db.execute(query):
            yield seal, tuple(row)
