"""SQLite as every store uses it: its errors in our words, transactions, and reading as of one moment."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext

from cxr_runtime.errors import FullDiskError, StoreError

FILES_OF_SQLITE = 6  # it opens fewer for a store: file, log, index, journal, folder
_FULL = ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE")  # the last is of the log's index


@contextmanager
def store_errors(name: str) -> Iterator[None]:
    """Word what SQLite says of a store as an error of ours."""
    try:
        yield
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # it may quote a damaged page
        _see_that_files_can_be_opened()
        if is_full(error):
            raise FullDiskError(
                f"the disk is full, so that the store {name} cannot be used ({error}); make room, for "
                "example by `cxr-triage prune`, and run the same command again"
            ) from error
        raise StoreError(
            f"the store {name} cannot be used ({error}); see that the disk has room and the folder can be "
            "written, or scan with --out and a new folder"
        ) from error


def is_full(error: BaseException) -> bool:
    """Whether SQLite had no room on the disk."""
    return getattr(error, "sqlite_errorname", "") in _FULL or str(error) == "database or disk is full"


@contextmanager
def transaction(db: sqlite3.Connection, name: str = "") -> Iterator[None]:
    """Write all of this, or nothing; whoever else writes waits until it ends.

    Args:
        db: within no transaction.
        name: of the store, as errors say it; "": they are left as SQLite words them.

    Raises:
        StoreError: the disk is full, or the file cannot be written; nothing was.
    """
    with store_errors(name) if name else nullcontext():
        db.execute("BEGIN IMMEDIATE")
        try:
            yield
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:  # on a full disk SQLite has left it by itself
                db.execute("ROLLBACK")
            raise


@contextmanager
def one_moment(db: sqlite3.Connection, name: str) -> Iterator[None]:
    """Read what a store holds now, whoever writes into it meanwhile; `name` as of `transaction`."""
    with store_errors(name):
        db.execute("BEGIN")
    try:
        yield
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def _see_that_files_can_be_opened() -> None:
    """Raise what SQLite hides behind "unable to open database file": too many files are open."""
    with ExitStack() as opened:
        for _ in range(FILES_OF_SQLITE):
            opened.callback(os.close, os.open(os.devnull, os.O_RDONLY))
