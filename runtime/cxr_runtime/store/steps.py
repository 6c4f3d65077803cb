"""The steps that bring a store of any earlier program to today's tables; schema.py says what these hold.

A step is never changed once a program with it has left the house: a new one goes to the end.
"""

import sqlite3
from collections.abc import Callable

from cxr_runtime.seals import digest_of

ORIGIN_DIGITS = 32  # hex digits that name a store
_OUTCOME = """
  status TEXT NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL, probability REAL, triage TEXT,
  threshold REAL, operating_point TEXT NOT NULL, view TEXT NOT NULL, lung_heat_share REAL,
  model TEXT NOT NULL, model_sha256 TEXT NOT NULL, backend TEXT NOT NULL, seconds REAL,
  margin REAL, input_mean REAL, input_contrast REAL, finished TEXT NOT NULL
"""
_TABLES_1 = (  # to the letter as 0.1.0 made them: a store with other tables is not opened
    "CREATE TABLE films ( file TEXT PRIMARY KEY, sha256, status, code, message, probability, triage,"
    " threshold, operating_point, view, lung_heat_share, model, model_sha256, backend, seconds,"
    " settings TEXT NOT NULL, finished TEXT NOT NULL, margin REAL, input_mean REAL, input_contrast REAL"
    " ) WITHOUT ROWID",
    "CREATE TABLE pictures ( file TEXT PRIMARY KEY REFERENCES films ON DELETE CASCADE,"
    " preview_jpeg BLOB NOT NULL, placement TEXT NOT NULL,"
    " heat BLOB, heat_rows INT, heat_columns INT, outlines TEXT NOT NULL )",
    "CREATE TABLE run (position INTEGER PRIMARY KEY, file TEXT NOT NULL UNIQUE)",
)
_TABLES_2 = (
    "CREATE TABLE runs (id INTEGER PRIMARY KEY, begun TEXT NOT NULL, ended TEXT, facts TEXT)",
    f"CREATE TABLE results (id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL, fingerprint TEXT NOT NULL,"
    f" bytes INTEGER, is_lasting INTEGER NOT NULL, {_OUTCOME})",
    # Only what is the film's own doing is remembered: what the machine did is tried again.
    "CREATE UNIQUE INDEX results_of_films ON results (sha256, fingerprint) WHERE is_lasting",
    "CREATE INDEX results_by_size ON results (bytes, fingerprint)",
    "CREATE TABLE places (run INTEGER NOT NULL REFERENCES runs, position INTEGER NOT NULL,"
    " file TEXT NOT NULL, stamp TEXT NOT NULL, result INTEGER NOT NULL REFERENCES results,"
    " PRIMARY KEY (run, position)) WITHOUT ROWID",
    "CREATE INDEX places_by_stamp ON places (stamp)",
    "CREATE INDEX places_by_result ON places (result)",
    "CREATE TABLE pictures (result INTEGER PRIMARY KEY REFERENCES results ON DELETE CASCADE,"
    " preview_jpeg BLOB NOT NULL, thumbnail_jpeg BLOB, heat_png BLOB, placement TEXT NOT NULL,"
    " heat BLOB, heat_rows INTEGER, heat_columns INTEGER, outlines TEXT NOT NULL)",
    "CREATE TABLE written (name TEXT PRIMARY KEY, content TEXT NOT NULL, stamp TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE identities (sha256 TEXT PRIMARY KEY, kind TEXT NOT NULL, study TEXT, series TEXT,"
    " instance TEXT, patient TEXT, name TEXT, born TEXT, studied TEXT, accession TEXT) WITHOUT ROWID",
    "CREATE TABLE verdicts (id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL, reader TEXT NOT NULL,"
    " time TEXT NOT NULL, verdict TEXT NOT NULL, findings TEXT NOT NULL, note TEXT NOT NULL)",
    "CREATE INDEX verdicts_by_film ON verdicts (sha256)",
    "CREATE TABLE deliveries (id INTEGER PRIMARY KEY, result INTEGER NOT NULL REFERENCES results,"
    " kind TEXT NOT NULL, target TEXT NOT NULL, state TEXT NOT NULL, tries INTEGER NOT NULL, due TEXT,"
    " said TEXT NOT NULL, UNIQUE (result, kind, target))",
    "CREATE TABLE audit (id INTEGER PRIMARY KEY, time TEXT NOT NULL, actor TEXT NOT NULL, act TEXT NOT NULL,"
    " about TEXT NOT NULL, digest TEXT NOT NULL)",
)


_COLUMNS_3 = (
    "ALTER TABLE results ADD COLUMN pictures TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE results ADD COLUMN seal TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE places ADD COLUMN seal TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE written ADD COLUMN seal TEXT NOT NULL DEFAULT ''",
)
_COLUMNS_5 = (
    "ALTER TABLE runs ADD COLUMN origin TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE runs ADD COLUMN number INTEGER",
    "ALTER TABLE runs ADD COLUMN seal TEXT NOT NULL DEFAULT ''",
)
_FILMS_OF_AN_ORIGIN = 100  # the first of a store, by which it is known from then on

_TABLES_6 = (
    "ALTER TABLE identities ADD COLUMN seal TEXT NOT NULL DEFAULT ''",
    "CREATE TABLE objects (uid TEXT PRIMARY KEY, sha256 TEXT NOT NULL, settings TEXT NOT NULL,"
    " kind TEXT NOT NULL, file TEXT NOT NULL, made TEXT NOT NULL, seal TEXT NOT NULL) WITHOUT ROWID",
    "CREATE INDEX objects_of_films ON objects (sha256, settings)",
)


_TABLE_7 = (
    "CREATE TABLE deliveries (uid TEXT NOT NULL, target TEXT NOT NULL, state TEXT NOT NULL,"
    " tries INTEGER NOT NULL, tried TEXT NOT NULL, due TEXT NOT NULL, said TEXT NOT NULL, seal TEXT NOT NULL,"
    " PRIMARY KEY (uid, target)) WITHOUT ROWID"
)


_TABLES_8 = (
    "ALTER TABLE verdicts ADD COLUMN source TEXT NOT NULL DEFAULT 'reading'",
    "ALTER TABLE verdicts ADD COLUMN is_blinded INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE verdicts ADD COLUMN seal TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE audit ADD COLUMN seal TEXT NOT NULL DEFAULT ''",
    "CREATE TABLE users (name TEXT PRIMARY KEY, role TEXT NOT NULL, password TEXT NOT NULL,"
    " made TEXT NOT NULL, seal TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE seen (sha256 TEXT NOT NULL, reader TEXT NOT NULL, first TEXT NOT NULL,"
    " PRIMARY KEY (sha256, reader)) WITHOUT ROWID",
    "CREATE INDEX results_by_suspicion ON results (status, probability DESC, id)",
    "CREATE INDEX results_of_bytes ON results (sha256)",
)

_INDEXES_10 = (
    "DROP INDEX results_by_suspicion",
    "CREATE INDEX results_by_suspicion ON results (status DESC, probability DESC, id)",
    "CREATE INDEX places_by_file ON places (file)",
    "CREATE INDEX identities_by_patient ON identities (kind, patient)",
)

_TABLE_11 = (
    "CREATE TABLE features (result INTEGER PRIMARY KEY REFERENCES results ON DELETE CASCADE,"
    " numbers BLOB NOT NULL, seal TEXT NOT NULL)"
)

_TABLES_12 = (
    "ALTER TABLE runs ADD COLUMN counted TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE runs ADD COLUMN counted_seal TEXT NOT NULL DEFAULT ''",
    "CREATE TABLE blocks (listing TEXT PRIMARY KEY, run INTEGER NOT NULL, first INTEGER NOT NULL,"
    " last INTEGER NOT NULL, content TEXT NOT NULL, seal TEXT NOT NULL) WITHOUT ROWID",
)


def _to_1(db: sqlite3.Connection) -> None:
    """The schema of 0.1.0: rows by the path as it was typed."""
    for table in _TABLES_1:
        db.execute(table)


def _to_2(db: sqlite3.Connection) -> None:
    """Rows by film; the paths become places: of run 1 what the last scan left out, of run 2 the last scan."""
    db.execute("ALTER TABLE pictures RENAME TO pictures_1")
    for table in _TABLES_2:
        db.execute(table)
    columns = [name for (_, name, *_) in db.execute("PRAGMA table_info(results)")][5:]
    ordered = (
        "SELECT films.file, sha256, settings, run.position, " + ", ".join(columns) + " FROM films"
        " LEFT JOIN run USING (file) ORDER BY run.position, films.file"
    )
    films, elsewhere = db.execute(ordered).fetchall(), 0
    if films:
        db.executemany("INSERT INTO runs (id, begun) VALUES (?, '')", [(1,), (2,)])
    for file, sha256, settings, position, *outcome in films:
        known = "SELECT id FROM results WHERE sha256 = ? AND fingerprint = ? AND is_lasting"
        found = db.execute(known, (sha256, settings)).fetchone()
        if found is None:
            marks = ", ".join("?" * len(columns))
            added = db.execute(
                f"INSERT INTO results (sha256, fingerprint, is_lasting, {', '.join(columns)})"
                f" VALUES (?, ?, ?, {marks})",
                (sha256, settings, sha256 != "", *outcome),
            )
            found = (added.lastrowid,)
            db.execute(
                "INSERT INTO pictures SELECT ?, preview_jpeg, NULL, NULL, placement, heat, heat_rows,"
                " heat_columns, outlines FROM pictures_1 WHERE file = ?",
                (*found, file),
            )
        elsewhere += position is None
        place = (1, elsewhere) if position is None else (2, position)
        db.execute("INSERT INTO places VALUES (?, ?, ?, '', ?)", (*place, file, *found))
    for table in ("films", "pictures_1", "run"):
        db.execute(f"DROP TABLE {table}")


def _to_3(db: sqlite3.Connection) -> None:
    """Room for seals; rows from before have none, and are scored again."""
    for column in _COLUMNS_3:
        db.execute(column)


def _to_4(db: sqlite3.Connection) -> None:
    """Room for how a film looks; the seals are of more, so rows from before are scored again."""
    db.execute("ALTER TABLE results ADD COLUMN looks TEXT NOT NULL DEFAULT ''")


def _to_5(db: sqlite3.Connection) -> None:
    """Runs bear the name of the store they were begun in: here a digest, the same whenever it is made."""
    for column in _COLUMNS_5:
        db.execute(column)
    begun = db.execute("SELECT id, begun FROM runs ORDER BY id LIMIT 1").fetchall()
    films = db.execute("SELECT sha256 FROM results ORDER BY id LIMIT ?", (_FILMS_OF_AN_ORIGIN,)).fetchall()
    db.execute("UPDATE runs SET origin = ?", (digest_of((*begun, *films))[:ORIGIN_DIGITS],))


def _to_6(db: sqlite3.Connection) -> None:
    """Room for DICOM objects, and seals of identities; nothing wrote identities before."""
    for table in _TABLES_6:
        db.execute(table)


def _to_7(db: sqlite3.Connection) -> None:
    """Deliveries are of objects, not of results; nothing wrote the table before."""
    db.execute("DROP TABLE deliveries")
    db.execute(_TABLE_7)


def _to_8(db: sqlite3.Connection) -> None:
    """Room for readers: their accounts, what they saw, seals of what they said; a list of 100,000 films."""
    for table in _TABLES_8:
        db.execute(table)


def _to_9(db: sqlite3.Connection) -> None:
    """How far the rows of a film are apart, so that distances can be measured on its picture."""
    db.execute("ALTER TABLE pictures ADD COLUMN spacing_mm REAL")


def _to_10(db: sqlite3.Connection) -> None:
    """A long list is read in the order of its index, and a film's other places are found by their name."""
    for command in _INDEXES_10:
        db.execute(command)


def _to_11(db: sqlite3.Connection) -> None:
    """Room for what the network saw in a film, by which similar films are found; earlier ones have none."""
    db.execute(_TABLE_11)


def _to_12(db: sqlite3.Connection) -> None:
    """Room for what stands together; films from before are asked for one by one, once."""
    for command in _TABLES_12:
        db.execute(command)


def _to_13(db: sqlite3.Connection) -> None:
    """Who gave a Patient ID: two hospitals may give the same one; of earlier films it was not kept."""
    db.execute("ALTER TABLE identities ADD COLUMN issuer TEXT NOT NULL DEFAULT ''")


STEPS: tuple[Callable[[sqlite3.Connection], None], ...]
STEPS = (_to_1, _to_2, _to_3, _to_4, _to_5, _to_6, _to_7, _to_8, _to_9, _to_10, _to_11, _to_12, _to_13)
