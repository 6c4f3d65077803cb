"""The table `identities`: whose films these are, where somebody wanted that to be kept."""

import sqlite3
from dataclasses import astuple, fields
from typing import Any

from cxr_runtime.errors import StoreError
from cxr_runtime.identity import Identity
from cxr_runtime.seals import Sealer

COLUMNS = tuple(entry.name for entry in fields(Identity))
SEALED = "identity"  # kind of the sealed row


class Identities:
    """Identities of films by the digest of their bytes; a row without a right seal counts as missing.

    Writing happens within the transaction of the one who writes the films.
    """

    def __init__(self, db: sqlite3.Connection, sealer: Sealer) -> None:
        self._db, self._sealer = db, sealer

    def of(self, sha256: str, label: str) -> Identity | None:
        """What is kept of a film under a label (`pseudonyms.Keeping.label`).

        Raises:
            StoreError: the row is not what a scan stores.
        """
        columns = ", ".join(COLUMNS)
        found = self._db.execute(
            f"SELECT seal, {columns} FROM identities WHERE sha256 = ? AND kind = ?", (sha256, label)
        ).fetchone()
        if found is None or not self._sealer.is_right(found[0], SEALED, _sealed(sha256, label, found[1:])):
            return None
        try:
            return Identity(*found[1:])
        except (TypeError, ValueError) as error:
            raise StoreError(
                f"the store's identity of the film {sha256[:12]} is damaged; scan again with --force, or "
                "with --out and a new folder"
            ) from error

    def put(self, sha256: str, label: str, identity: Identity) -> None:
        """Keep the identity of a film, in place of any other."""
        values = astuple(identity)
        columns, marks = ", ".join(COLUMNS), ", ".join("?" * len(COLUMNS))
        self._db.execute(
            f"INSERT OR REPLACE INTO identities (sha256, kind, {columns}, seal) VALUES (?, ?, {marks}, ?)",
            (sha256, label, *values, self._sealer.seal(SEALED, _sealed(sha256, label, values))),
        )

    def keep_only(self, label: str) -> bool:
        """Forget what was kept under any other label; the bytes are overwritten, not only given up.

        Returns:
            Whether there was anything.
        """
        self._db.execute("PRAGMA secure_delete = ON")
        if not self._db.execute("DELETE FROM identities WHERE kind != ?", (label,)).rowcount:
            return False
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()  # now, not when the store is closed
        return True


def _sealed(sha256: str, label: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a seal is of; an issuer only where there is one: rows before schema 13 were sealed without."""
    *others, issuer = values
    return (sha256, label, *others, *((issuer,) if issuer else ()))
