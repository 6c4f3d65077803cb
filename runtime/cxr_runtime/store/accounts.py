"""The table `users`: who may log in to `serve`, as what, and the digests of their passwords."""

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from enum import StrEnum

from cxr_runtime.errors import UsageError
from cxr_runtime.names import printable
from cxr_runtime.seals import Sealer

SEALED = "user"  # kind of the sealed row
LEAST_PASSWORD, MOST_PASSWORD = 10, 128  # characters; NIST SP 800-63B, 5.1.1.2 asks for 8 or more, up to 64
# Argon2id, RFC 9106, 4: its second recommended choice, which takes 64 MiB.
PASSES, MEMORY_KIB, LANES = 3, 65536, 4
_NAME = re.compile(r"[\w][\w.@-]{0,39}")


class Role(StrEnum):
    """What an account may do."""

    READ_ONLY = "read-only"  # see films, and what was said of them
    READER = "reader"  # say what they are, too
    ADMIN = "admin"  # accounts and the audit, too

    @property
    def may_say(self) -> bool:
        """Whether it may give verdicts."""
        return self is not Role.READ_ONLY


@dataclass(frozen=True)
class Account:
    """Somebody who may log in."""

    name: str
    role: Role
    password: str = field(repr=False)  # its digest, as argon2 writes it
    made: str = ""  # ISO time with offset


COLUMNS = tuple(entry.name for entry in fields(Account))
_NAMED = ", ".join(COLUMNS)


class Accounts:
    """Accounts by name; a row without a right seal counts as missing, for a stranger may have written it.

    Writing happens within the transaction of whoever changes them.
    """

    def __init__(self, db: sqlite3.Connection, sealer: Sealer) -> None:
        self._db, self._sealer = db, sealer

    def every(self) -> Iterator[Account]:
        """All of them, by name."""
        for seal, *row in self._db.execute(f"SELECT seal, {_NAMED} FROM users").fetchall():
            if self._sealer.is_right(seal, SEALED, row):
                yield Account(row[0], Role(row[1]), row[2], row[3])

    def get(self, name: str) -> Account | None:
        """The account of that name."""
        query = f"SELECT seal, {_NAMED} FROM users WHERE name = ?"
        seal, *row = self._db.execute(query, (name,)).fetchone() or ("",)
        if not row or not self._sealer.is_right(seal, SEALED, row):
            return None
        return Account(row[0], Role(row[1]), row[2], row[3])

    def put(self, account: Account) -> None:
        """Add an account, or change it."""
        row = (account.name, account.role.value, account.password, account.made)
        command = f"INSERT OR REPLACE INTO users ({_NAMED}, seal) VALUES (?, ?, ?, ?, ?)"
        self._db.execute(command, (*row, self._sealer.seal(SEALED, row)))

    def remove(self, name: str) -> bool:
        """Remove an account; whether there was one. What it has said stays."""
        return self._db.execute("DELETE FROM users WHERE name = ?", (name,)).rowcount > 0


def check_name(name: str) -> str:
    """A name as it may be.

    Raises:
        UsageError: it is none.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{printable(name)[:60]!r} cannot be the name of an account; expected 1 to 40 letters, digits "
            "or any of _ . @ -, the first one a letter or digit"
        )
    return name


def hashed(password: str) -> str:
    """The digest of a password, with a salt of its own.

    Raises:
        UsageError: it is too short or too long.
    """
    if not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD:
        raise UsageError(
            f"the password has {len(password)} characters; expected {LEAST_PASSWORD} to {MOST_PASSWORD}, "
            "for instance four words"
        )
    from argon2 import PasswordHasher

    return PasswordHasher(PASSES, MEMORY_KIB, LANES).hash(password)


def is_password(password: str, digest: str) -> bool:
    """Whether this is the password; takes as long where it is not."""
    from argon2 import PasswordHasher
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return PasswordHasher(PASSES, MEMORY_KIB, LANES).verify(digest, password[: MOST_PASSWORD + 1])
    except (VerificationError, InvalidHashError):
        return False
