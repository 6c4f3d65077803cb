"""The store of a scan: one SQLite file from which every report is made."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.errors import StoreError
from cxr_runtime.file_names import STORE_FILE
from cxr_runtime.outcome import Outcome, Status, Triage
from cxr_runtime.placement import Outline, Placement

SCHEMA_VERSION = 1
OUTCOME_COLUMNS = tuple(entry.name for entry in fields(Outcome))

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS films (
  file TEXT PRIMARY KEY, {", ".join(column for column in OUTCOME_COLUMNS if column != "file")},
  settings TEXT NOT NULL, finished TEXT NOT NULL, margin REAL, input_mean REAL, input_contrast REAL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pictures (
  file TEXT PRIMARY KEY REFERENCES films ON DELETE CASCADE,
  preview_jpeg BLOB NOT NULL, placement TEXT NOT NULL,
  heat BLOB, heat_rows INT, heat_columns INT, outlines TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS run (position INTEGER PRIMARY KEY, file TEXT NOT NULL UNIQUE);
"""
_ROW = f"SELECT {', '.join('films.' + column for column in OUTCOME_COLUMNS)}"
_MOST_SUSPICIOUS_FIRST = (
    "ORDER BY films.status = 'scored' DESC, films.probability DESC, films.status, run.position"
)


@dataclass(frozen=True)
class StoredScore:
    """One row with what calibration and monitoring need beside it."""

    outcome: Outcome
    margin: float | None  # logit of abnormal minus logit of normal
    input_mean: float | None  # mean of the network's input before normalisation, 0..1
    input_contrast: float | None  # its standard deviation, 0..1
    finished: str  # ISO time with offset


@dataclass(frozen=True)
class StoredPicture:
    """The pictures of one film, small enough to keep for every film."""

    preview_jpeg: bytes  # grey film, longer side at most PREVIEW_LONG_SIDE
    placement: Placement  # what of the film the network was shown
    heat_cells: NDArray[np.float32] | None  # (h, w) 0..1 on conv5's cells; None on a rejected film
    lung_outlines: tuple[Outline, ...] = ()


class Store:
    """Rows appear as films finish; each film's row and pictures are one transaction."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._db = connection
        self._path = path

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open or make the store of an output folder.

        Raises:
            StoreError: the file is damaged, of a newer program, or cannot be written.
        """
        path = folder / STORE_FILE
        with _store_errors(path):
            connection = sqlite3.connect(path, isolation_level=None)
            found = connection.execute("PRAGMA user_version").fetchone()[0]
            if found not in (0, SCHEMA_VERSION):
                raise StoreError(
                    f"{path} has schema {found}, this program writes {SCHEMA_VERSION}; "
                    "scan with --out and a new folder"
                )
            connection.executescript(
                f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; {_SCHEMA}"
                f"PRAGMA user_version={SCHEMA_VERSION};"
            )
            return cls(connection, path)

    def close(self) -> None:
        """Close the file; what was added stays."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin_run(self, files: Iterable[str]) -> None:
        """Note which films this run is about, in input order."""
        with self._transaction():
            self._db.execute("DELETE FROM run")
            self._db.executemany("INSERT OR IGNORE INTO run (file) VALUES (?)", ((file,) for file in files))

    def finished_sha256(self, file: str, settings: str) -> str | None:
        """The sha256 of the film as it was finished with the same settings, or None."""
        row = self._db.execute(
            "SELECT sha256 FROM films WHERE file = ? AND settings = ?", (file, settings)
        ).fetchone()
        return None if row is None else str(row[0])

    def add(self, finished: Iterable[tuple[StoredScore, StoredPicture | None]], settings: str) -> None:
        """Add films, each replacing its earlier row, in one transaction.

        Raises:
            StoreError: the disk is full, or the file cannot be written; none of these films was added.
        """
        with self._transaction():
            for score, picture in finished:
                row = asdict(score.outcome) | {
                    "settings": settings,
                    "finished": score.finished,
                    "margin": score.margin,
                    "input_mean": score.input_mean,
                    "input_contrast": score.input_contrast,
                }
                self._insert("films", row)
                if picture is not None:
                    self._insert("pictures", {"file": score.outcome.file} | _picture_row(picture))

    def rejudge(self, judged: Iterable[Outcome]) -> None:
        """Give finished films another probability and triage (a new calibration or operating point)."""
        with self._transaction():
            self._db.executemany(
                "UPDATE films SET probability=?, triage=?, threshold=?, operating_point=? WHERE file=?",
                ((o.probability, o.triage, o.threshold, o.operating_point, o.file) for o in judged),
            )

    def outcomes(self) -> Iterator[Outcome]:
        """The rows of this run's films, in input order."""
        query = f"{_ROW} FROM run JOIN films USING (file) ORDER BY run.position"
        return (_outcome(row) for row in self._db.execute(query))

    def scores(self) -> Iterator[StoredScore]:
        """As `outcomes`, with what calibration and monitoring need."""
        query = (
            f"{_ROW}, margin, input_mean, input_contrast, finished "
            "FROM run JOIN films USING (file) ORDER BY run.position"
        )
        return (StoredScore(_outcome(row), *row[len(OUTCOME_COLUMNS) :]) for row in self._db.execute(query))

    def pictured(self) -> Iterator[tuple[Outcome, StoredPicture | None]]:
        """This run's films with their pictures, most suspicious first, the unscored ones last."""
        query = (
            f"{_ROW}, preview_jpeg, placement, heat, heat_rows, heat_columns, outlines FROM run "
            f"JOIN films USING (file) LEFT JOIN pictures USING (file) {_MOST_SUSPICIOUS_FIRST}"
        )
        for row in self._db.execute(query):
            yield _outcome(row), _picture(row[len(OUTCOME_COLUMNS) :])

    def _insert(self, table: str, row: dict[str, Any]) -> None:
        columns, marks = ", ".join(row), ", ".join("?" * len(row))
        self._db.execute(f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({marks})", tuple(row.values()))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with _store_errors(self._path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise


def read_scores(folder: Path) -> list[StoredScore]:
    """The rows of the last scan into a folder.

    Raises:
        StoreError: the folder holds no scan.
    """
    if not (folder / STORE_FILE).is_file():
        raise StoreError(f"{folder} holds no {STORE_FILE}; give the output folder of `cxr-triage scan`")
    with Store.open(folder) as store:
        return list(store.scores())


def _outcome(row: tuple[Any, ...]) -> Outcome:
    outcome = Outcome(*row[: len(OUTCOME_COLUMNS)])
    triage = None if outcome.triage is None else Triage(outcome.triage)
    return replace(outcome, status=Status(outcome.status), triage=triage)


def _picture_row(picture: StoredPicture) -> dict[str, Any]:
    heat = picture.heat_cells
    rows, columns = (None, None) if heat is None else heat.shape
    return {
        "preview_jpeg": picture.preview_jpeg,
        "placement": json.dumps(asdict(picture.placement)),
        "heat": None if heat is None else heat.astype("<f4").tobytes(),
        "heat_rows": rows,
        "heat_columns": columns,
        "outlines": json.dumps(picture.lung_outlines),
    }


def _picture(row: tuple[Any, ...]) -> StoredPicture | None:
    preview_jpeg, placement, heat, rows, columns, outlines = row
    if preview_jpeg is None:
        return None
    cells = None if heat is None else np.frombuffer(heat, "<f4").reshape(rows, columns).astype(np.float32)
    stated = {key: tuple(value) for key, value in json.loads(placement).items()}
    polygons = tuple(tuple((x, y) for x, y in outline) for outline in json.loads(outlines))
    return StoredPicture(preview_jpeg, Placement(**stated), cells, polygons)


@contextmanager
def _store_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise StoreError(
            f"the store {path} cannot be used ({error}); see that the disk has room and the folder can be "
            "written, or scan with --out and a new folder"
        ) from error
