"""The store of an output folder, written: each film's row and pictures are one transaction."""

import json
import secrets
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Self, TypeVar

from cxr_runtime.access import PRIVATE, Access
from cxr_runtime.files import STORE_FILE
from cxr_runtime.folders import KEY_BYTES
from cxr_runtime.seals import Sealer, picture_digest, sealed_place
from cxr_runtime.store.opening import in_memory, open_to_write
from cxr_runtime.store.rows import (
    FEATURES,
    JUDGED_COLUMNS,
    OUTCOME_COLUMNS,
    PICTURE,
    PICTURE_COLUMNS,
    PLACE,
    RESULT,
    RUN,
    SEALED_COLUMNS,
    WRITTEN,
    FinishedFilm,
    Judged,
    KnownFilm,
    RunFacts,
    StoredPicture,
    time_now,
)
from cxr_runtime.store.schema import migrate
from cxr_runtime.store.sqlite import store_errors, transaction
from cxr_runtime.store.steps import ORIGIN_DIGITS
from cxr_runtime.store.store import ROW_OF_BYTES, Store
from cxr_runtime.typed_json import to_json

_WRITTEN = (*SEALED_COLUMNS, "seal")
_ADD_RESULT = (
    f"INSERT INTO results ({', '.join(_WRITTEN)}) VALUES ({', '.join('?' * len(_WRITTEN))})"
    " ON CONFLICT (sha256, fingerprint) WHERE is_lasting DO UPDATE SET"
    f" {', '.join(f'{name} = excluded.{name}' for name in _WRITTEN)} RETURNING id"
)
_ADD_PICTURES = (
    f"INSERT INTO pictures (result, {', '.join(PICTURE_COLUMNS)})"
    f" VALUES (?, {', '.join('?' * len(PICTURE_COLUMNS))})"
)
BLOCK = 1000  # rows of one transaction, where there may be a million: others wait no longer
_Row = TypeVar("_Row")


class StoreWriter(Store):
    """The one writer of a store; rows appear as films finish."""

    @classmethod
    def open(cls, folder: Path, access: Access = PRIVATE) -> Self:
        """Open the store of an output folder for writing, or make it; one of an earlier program is migrated.

        Args:
            folder: exists.
            access: who may read a store that is made.

        Raises:
            StoreError: the file is damaged, foreign, of a newer program, or cannot be written.
        """
        path = folder / STORE_FILE
        with store_errors(str(path)):
            return cls(open_to_write(path, access), str(path), Sealer.of_this_machine())

    @classmethod
    def in_memory(cls) -> Self:
        """A store that nobody keeps."""
        db = in_memory()
        migrate(db)
        return cls(db, "in memory", Sealer(secrets.token_bytes(KEY_BYTES)))

    def begin_run(self) -> int:
        """Note that a run begins; its number."""
        with transaction(self._db, self.name):
            own = self._db.execute("SELECT origin FROM runs WHERE number IS NULL LIMIT 1").fetchone()
            origin = secrets.token_hex(ORIGIN_DIGITS // 2) if own is None else own[0]
            now = datetime.now().astimezone().isoformat()  # to the microsecond: runs of copies differ
            added = self._db.execute("INSERT INTO runs (begun, origin) VALUES (?, ?)", (now, origin))
        return int(added.lastrowid or 0)

    def end_run(self, run: int, facts: RunFacts) -> None:
        """Note that a run has ended, and what its reports state."""
        stated = (time_now(), to_json(facts))
        with transaction(self._db, self.name):
            seal = self._sealer.seal(RUN, stated)
            values = (*stated, seal, run)
            self._db.execute("UPDATE runs SET ended = ?, facts = ?, seal = ? WHERE id = ?", values)

    def add(self, run: int, films: Sequence[FinishedFilm | KnownFilm], fingerprint: str) -> None:
        """Add films and their places, in one transaction; a film done anew replaces its row and pictures.

        Raises:
            StoreError: the disk is full, or the file cannot be written; none of these films was added.
        """
        with transaction(self._db, self.name):
            places = []
            for film in films:
                match film:
                    case KnownFilm():
                        result, sha256, seal = film.result, film.outcome.sha256, film.seal
                    case FinishedFilm():
                        result, seal = self._add_result(film, fingerprint), ""
                        sha256 = film.score.outcome.sha256
                        self._note(PICTURE, film.files)
                        if film.identity is not None or film.objects:
                            self._add_of_study(film)
                place = film.place
                of_place = sealed_place(place.stamp, place.file, sha256, fingerprint)
                seal = seal or self._sealer.seal(PLACE, of_place)
                places.append((run, place.position, place.file, place.stamp, result, seal))
            self._db.executemany(
                "INSERT OR REPLACE INTO places (run, position, file, stamp, result, seal)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                places,
            )

    def _add_of_study(self, film: FinishedFilm) -> None:
        """Add whose film it is, where that is kept, and its DICOM results."""
        if film.identity is not None:
            self.identities.put(film.score.outcome.sha256, *film.identity)
        for made, stamp in film.objects:
            self.objects.put(made)
            self._note(made.uid, [(made.file, stamp)] if made.file else [])

    def keep_identities(self, label: str) -> bool:
        """Forget whatever was kept of patients under any other label (`pseudonyms.Keeping.label`).

        Returns:
            Whether there was anything.
        """
        with store_errors(self.name):
            return self.identities.keep_only(label)

    def withdraw(self, run: int, file: str) -> None:
        """Take back that a file was not there, as if it had never been asked for."""
        with transaction(self._db, self.name):
            taken = self._db.execute(
                "DELETE FROM places WHERE run = ? AND file = ? AND result IN"
                " (SELECT id FROM results WHERE sha256 = '' AND code = 'missing') RETURNING result",
                (run, file),
            ).fetchall()
            self._db.executemany("DELETE FROM results WHERE id = ?", taken)

    def rejudge(self, fingerprint: str, judged: Iterable[Judged]) -> None:
        """Give films another probability and triage (a new calibration or operating point).

        Args:
            fingerprint: of the results that are judged anew.
            judged: films as they are to be.

        A row that bears no right seal is given none. Films are written block by block: what is not done when
        the process is killed is still judged as before, and a run that has ended has judged all of its films.
        """
        for block in blocks_of(list(judged)):  # they may come from this very store
            with transaction(self._db, self.name):
                for film in block:
                    self._rejudge(fingerprint, film)

    def _rejudge(self, fingerprint: str, film: Judged) -> None:
        changes = ", ".join(f"{column} = ?" for column in (*JUDGED_COLUMNS, "seal"))
        for result, seal, *values in self._db.execute(ROW_OF_BYTES, (film.sha256, fingerprint)).fetchall():
            row = dict(zip(SEALED_COLUMNS, values, strict=True))
            row |= {column: getattr(film, column) for column in JUDGED_COLUMNS}
            is_ours = self._sealer.is_right(seal, RESULT, values)
            again = self._sealer.seal(RESULT, row.values()) if is_ours else ""
            judgement = [row[column] for column in JUDGED_COLUMNS]
            self._db.execute(f"UPDATE results SET {changes} WHERE id = ?", (*judgement, again, result))

    def note_written(self, name: str, content: str, stamp: str) -> None:
        """Note how a report was written."""
        with transaction(self._db, self.name):
            self._note(content, [(name, stamp)])

    def _note(self, content: str, files: Iterable[tuple[str, str]]) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO written (name, content, stamp, seal) VALUES (?, ?, ?, ?)",
            (
                (name, content, stamp, self._sealer.seal(WRITTEN, (name, content, stamp)))
                for name, stamp in files
            ),
        )

    def _add_result(self, film: FinishedFilm, fingerprint: str) -> int:
        score, outcome = film.score, film.score.outcome
        pictures = None if film.picture is None else _picture_row(film.picture)
        row = (
            *(getattr(outcome, column) for column in OUTCOME_COLUMNS),
            *(score.margin, score.input_mean, score.input_contrast, score.finished),
            json.dumps(score.looks) if score.looks else "",
            fingerprint,
            film.size,
            film.is_lasting and outcome.sha256 != "",
            "" if pictures is None else picture_digest(pictures),
        )
        (result,) = self._db.execute(_ADD_RESULT, (*row, self._sealer.seal(RESULT, row))).fetchone()
        self._db.execute("DELETE FROM pictures WHERE result = ?", (result,))
        if pictures is not None:
            self._db.execute(_ADD_PICTURES, (result, *pictures))
        if film.features:
            seal = self._sealer.seal(FEATURES, (outcome.sha256, fingerprint, film.features.hex()))
            command = "INSERT OR REPLACE INTO features (result, numbers, seal) VALUES (?, ?, ?)"
            self._db.execute(command, (result, film.features, seal))
        return int(result)


def blocks_of(rows: Iterable[_Row]) -> Iterator[list[_Row]]:
    """Rows in blocks that are a transaction each."""
    waiting = iter(rows)
    while block := list(islice(waiting, BLOCK)):
        yield block


def _picture_row(picture: StoredPicture) -> tuple[Any, ...]:
    """PICTURE_COLUMNS of a picture."""
    heat = picture.heat_cells
    rows, columns = (None, None) if heat is None else heat.shape
    return (
        picture.preview_jpeg,
        picture.thumbnail_jpeg,
        picture.heat_png,
        json.dumps(vars(picture.placement)),
        None if heat is None else heat.astype("<f4").tobytes(),
        rows,
        columns,
        json.dumps(picture.lung_outlines),
        picture.spacing_mm,
    )
