"""The store's tables, and how a store of any earlier program is brought to them (steps.py).

results     what a film came to: one row for the film's bytes (sha256) and what decided the row (fingerprint)
places      where a film was found: run, position in it, the name a user knows, and the file's stamp
runs        a scan, or a service from its start to its end, with the facts its reports state; `origin` names
            the store in which it was begun, `number` is its id there if that is another store; `counted` is
            what its reports say of all its films
pictures    the film (`pictures.kept_jpeg`), its heat and lungs, small enough to keep for every film
features    what the network saw in the film, a number a channel of conv5 (features.py)
written     the reports as they were last written, so that nothing is written twice
identities  DICOM identity; a table of its own, so that it can be left out, pseudonymised or deleted
objects     DICOM objects made of a film's result, by SOP Instance UID, and when they were first made
verdicts    what readers and laboratories said of a film; rows are only ever added
deliveries  which objects an archive has, which it refused, and what is tried again (deliveries.py)
audit       who did what; rows are only ever added, each with a digest of the one before
users       who may log in to `serve`, and as what
seen        who has opened which film, and when for the first time
blocks      films that a run listed one after the other, under one seal (standing.py)

Every table but pictures and seen bears seals (seals.py); a seal of a result vouches for its pictures.
"""

import sqlite3
from contextlib import closing
from functools import cache

from cxr_runtime.errors import StoreError
from cxr_runtime.names import printable
from cxr_runtime.store.sqlite import transaction
from cxr_runtime.store.steps import STEPS
from cxr_runtime.store_file import APPLICATION_ID

_STEPS = STEPS
SCHEMA_VERSION = len(_STEPS)


def migrate(db: sqlite3.Connection) -> None:
    """Bring a store to today's schema, in one transaction; a new file gets it from nothing.

    Raises:
        StoreError: a newer program wrote it, or something else did.
    """
    check(db)
    if version(db) == SCHEMA_VERSION:
        return
    with transaction(db):
        for step in _STEPS[version(db) :]:  # asked again: another process may have been first
            step(db)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def check(db: sqlite3.Connection) -> None:
    """Refuse a store that holds anything else than what the steps make, before anything of it is run.

    A trigger would run with our own commands, and a view or a table of other columns could answer in place of
    ours; SQLite itself runs none of them before they are named.

    Raises:
        StoreError: its schema is that of a newer program, or of no version of this one.
    """
    found = version(db)
    if found > SCHEMA_VERSION:
        raise StoreError(
            f"the store has schema {found}, this program knows {SCHEMA_VERSION}; install the newer "
            "program that wrote it, or scan with --out and a new folder"
        )
    strange = sorted(_objects(db) ^ _made_by(found))
    if strange:
        kind, name, _, _ = strange[0]
        raise StoreError(
            f"the store is not as this program makes it (schema {found}: {len(strange)} differences, the "
            f"first is the {kind[:20]} {printable(name[:40])}); scan with --out and a new folder"
        )


def _objects(db: sqlite3.Connection) -> set[tuple[str, str, str, str]]:
    """Kind, name, table and SQL of all that a store declares, blanks made equal."""
    declared = db.execute("SELECT type, name, tbl_name, sql FROM sqlite_master LIMIT 1000").fetchall()
    return {
        (str(kind), str(name), str(table), " ".join(str(sql).split())) for kind, name, table, sql in declared
    }


@cache
def _made_by(version: int) -> frozenset[tuple[str, str, str, str]]:
    """The same of an empty store of that version."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        for step in _STEPS[:version]:
            step(db)
        return frozenset(_objects(db))


def version(db: sqlite3.Connection) -> int:
    """Number of a store's schema; 0 where there is none yet."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])
