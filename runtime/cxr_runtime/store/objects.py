"""The table `objects`: which DICOM objects were made of which film's result, and when each was first made."""

import sqlite3
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime

from cxr_runtime.seals import Sealer

NO_STUDY = "none"  # kind of the row of a film that has no study to put results into
SEALED = "object"  # kind of the sealed row


@dataclass(frozen=True)
class MadeObject:
    """One DICOM object of a film's result, or the note that there can be none."""

    uid: str  # SOP Instance UID of the object
    sha256: str  # of the film's bytes
    settings: str  # digest of all that decides its objects, besides the film
    kind: str  # sc, pdf, sr or NO_STUDY
    file: str  # below the output folder; "" of NO_STUDY
    made: str  # ISO time with offset at which it was made for the first time


COLUMNS = tuple(entry.name for entry in fields(MadeObject))
_NAMED = ", ".join(COLUMNS)


class Objects:
    """What was made, by SOP Instance UID; a row without a right seal counts as missing.

    Writing happens within the transaction of the one who writes the films.
    """

    def __init__(self, db: sqlite3.Connection, sealer: Sealer) -> None:
        self._db, self._sealer = db, sealer

    def of(self, sha256: str, settings: str) -> list[MadeObject]:
        """The objects of a film's result, the latest of each kind, sc, pdf, sr in order of their names."""
        found = self._select("WHERE sha256 = ? AND settings = ? ORDER BY kind, made", (sha256, settings))
        return list({each.kind: each for each in found}.values())

    def made(self, uid: str) -> datetime | None:
        """When an object was made for the first time; None where it never was."""
        found = self._select("WHERE uid = ?", (uid,))
        return datetime.fromisoformat(found[0].made) if found else None

    def without_study(self, run: int, settings: str) -> int:
        """How many scored films of a run have no study to put results into."""
        query = (
            "SELECT count(*) FROM places JOIN results ON results.id = places.result"
            " JOIN objects ON objects.sha256 = results.sha256"
            " WHERE places.run = ? AND objects.settings = ? AND objects.kind = ?"
        )
        return int(self._db.execute(query, (run, settings, NO_STUDY)).fetchone()[0])

    def put(self, made: MadeObject) -> None:
        """Note an object."""
        row = astuple(made)
        self._db.execute(
            f"INSERT OR REPLACE INTO objects ({_NAMED}, seal) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*row, self._sealer.seal(SEALED, row)),
        )

    def _select(self, where: str, asked: Sequence[str]) -> list[MadeObject]:
        rows = self._db.execute(f"SELECT seal, {_NAMED} FROM objects {where}", asked).fetchall()
        return [MadeObject(*row) for seal, *row in rows if self._sealer.is_right(seal, SEALED, row)]
