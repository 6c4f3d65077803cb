"""A store is opened as if a stranger had made it: a plain file, within limits, and with our tables alone."""

import os
import re
import sqlite3
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from tempfile import TemporaryFile

from cxr_runtime.access import PRIVATE, Access
from cxr_runtime.atomic import NEW_FILE
from cxr_runtime.errors import StoreError
from cxr_runtime.files import STORE_FILE
from cxr_runtime.store.folder import about_days, has_store
from cxr_runtime.store.schema import SCHEMA_VERSION, check, migrate, version
from cxr_runtime.store.sqlite import is_full
from cxr_runtime.store_file import is_store, note_closed, note_opened

MOST_BYTES = 64 << 20  # of one text or blob in a store; the largest of ours are previews, below 16 MiB
_AS_IT_LIES = "mode=ro&immutable=1"  # of an address: SQLite makes and locks nothing
_NAMELESS = "file:"  # a temporary database of SQLite's own: on the disk, for one connection
BUSY_MS = 15_000  # that a reader's verdict waits for a scan's transaction
# "Defense Against The Dark Arts", 1.1 (SQLite documentation): far more than our own commands need.
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: MOST_BYTES,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_COLUMN: 100,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 60,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 3,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 25_000,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 8,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 50,
    sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 100,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 1,
}


def open_to_write(path: Path, access: Access) -> sqlite3.Connection:
    """Open a store for writing, or make it, readable as stated; one of an earlier program is migrated.

    Raises:
        StoreError: it is a link, another user's, or not as this program makes it.
        sqlite3.DatabaseError: it is damaged, or cannot be written.
    """
    with suppress(FileExistsError):
        made = os.open(path, NEW_FILE, PRIVATE.file_mode)  # SQLite gives its logs the same permissions
        try:
            access.give(made, access.file_mode)
        finally:
            os.close(made)
    _refuse_unless_plain(path)
    _refuse_others(path)
    is_new = not is_store(path)
    db = _connect(path)
    with _closed_on_error(db):
        db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;")
        migrate(db)
        if is_new:  # its first page, by which others know it, is in the log alone
            db.execute("PRAGMA wal_checkpoint(PASSIVE)")
    return db


def sqlite_address(path: PurePath) -> str:
    """A whole path as a URI that SQLite takes: one of a share of Windows has its host behind four slashes."""
    return re.sub("^file://(?!/)", "file:////", path.as_uri())


def open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that cannot write; of a store of an earlier program it reads a copy, which is migrated.

    The copy lies on the disk, where SQLite keeps what is for a moment (SQLITE_TMPDIR, else /var/tmp or /tmp):
    a store has gigabytes of pictures. It has no name, so nothing of it stays, however the process ends.

    Raises:
        StoreError: it is a link, or not as this program makes it; or there is no room for its copy.
        sqlite3.DatabaseError: it is damaged.
    """
    _refuse_unless_plain(path)
    # A log beside the store says that somebody writes; without one, SQLite must make none only to read.
    db = _checked(path, "mode=ro" if _log_of(path).exists() else _AS_IT_LIES)
    with _closed_on_error(db):
        if version(db) == SCHEMA_VERSION:
            return db
        copy = _connect(None, _NAMELESS)
        with _closed_on_error(copy), _room_for_a_copy(path, version(db)):
            db.backup(copy)
            migrate(copy)
    db.close()
    return copy


@contextmanager
def _room_for_a_copy(path: Path, schema: int) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if not is_full(error):
            raise
        raise StoreError(
            f"the store {path} has schema {schema}, and there is no room to bring a copy of it to "
            f"{SCHEMA_VERSION}; expected room in /var/tmp, or a folder in SQLITE_TMPDIR: give one, or bring "
            f"the store itself up to date by `cxr-triage report {path.parent}`"
        ) from error


def open_to_copy(path: Path) -> sqlite3.Connection:
    """A connection that reads a store as it is, whoever writes into it meanwhile, of whatever version.

    Raises:
        StoreError: it is a link, or not as this program makes it.
        sqlite3.DatabaseError: it is damaged.
    """
    _refuse_unless_plain(path)
    # Who may write into the folder reads as writers do, so that a scan may begin meanwhile.
    may_write = os.access(path.parent, os.W_OK) and os.access(path, os.W_OK)
    db = _checked(path, "mode=rw" if may_write else _AS_IT_LIES)
    db.execute("PRAGMA query_only=ON")
    return db


def _checked(path: Path, how: str) -> sqlite3.Connection:
    """A connection to read a store, whose tables are ours.

    On a full disk SQLite cannot even make what it needs to read beside writers. Where the log is empty they
    have written all, and nobody can add anything.
    """
    db = _connect(path, f"{sqlite_address(path.absolute())}?{how}")
    try:
        with _closed_on_error(db):
            check(db)
    except sqlite3.OperationalError as error:
        log = _log_of(path)
        if how == _AS_IT_LIES or not is_full(error) or (log.exists() and log.stat().st_size):
            raise
        return _checked(path, _AS_IT_LIES)
    return db


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def open_beside(path: Path, *, writes: bool) -> sqlite3.Connection:
    """A connection for a service that works while others write; several threads may use it in turn.

    Raises:
        StoreError: it is a link, another user's, or not as this program makes it.
        sqlite3.DatabaseError: it is damaged, or cannot be written.
    """
    _refuse_unless_plain(path)
    _refuse_others(path)
    db = _connect(path, f"{sqlite_address(path.absolute())}?mode=rw", check_same_thread=False)
    with _closed_on_error(db):
        db.executescript(f"PRAGMA busy_timeout={BUSY_MS}; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
        migrate(db)
        if not writes:
            db.execute("PRAGMA query_only=ON")
    return db


def in_memory() -> sqlite3.Connection:
    """An empty database that nobody keeps."""
    return _connect(None, "file::memory:")


class _Connection(sqlite3.Connection):
    """The process is known to have its file open until it is closed."""

    place: tuple[int, int] | None = None

    def close(self) -> None:
        super().close()
        place, self.place = self.place, None
        if place is not None:
            note_closed(place)


def _connect(path: Path | None, address: str = "", *, check_same_thread: bool = True) -> sqlite3.Connection:
    """Open a file, by its URL if how is stated there; or, without a file, what the URL names."""
    place = note_opened(path) if path is not None else None
    try:
        db = sqlite3.connect(
            address or str(path),
            uri=bool(address),
            isolation_level=None,
            check_same_thread=check_same_thread,
            factory=_Connection,
        )
    except BaseException:
        if place is not None:
            note_closed(place)
        raise
    db.place = place
    with _closed_on_error(db):
        for limit, most in _LIMITS.items():
            db.setlimit(limit, most)
        if sys.version_info >= (3, 12):
            db.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)
        db.executescript("PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0;")
    return db


@contextmanager
def _closed_on_error(db: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        db.close()
        raise


def _refuse_unless_plain(path: Path) -> None:
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm", f"{path.name}-journal"):
        try:
            mode = path.with_name(name).lstat().st_mode
        except FileNotFoundError:
            continue
        if not stat.S_ISREG(mode):
            raise StoreError(
                f"the store's file {path.with_name(name)} is a link, pipe or folder; expected a plain file: "
                "remove it, or scan with --out and a new folder"
            )


def _refuse_others(path: Path) -> None:
    """A store of another user is not written: who owns it could change it while we do."""
    if os.name == "nt" or path.stat().st_uid == os.geteuid():
        return
    with TemporaryFile(dir=path.parent) as ours:  # on some network shares all files bear another owner
        if os.fstat(ours.fileno()).st_uid == path.stat().st_uid:
            return
    raise StoreError(
        f"the store {path} belongs to another user; expected one of your own: scan with --out and a new "
        "folder"
    )


def store_in(folder: Path) -> Path:
    """The store of an output folder.

    Raises:
        StoreError: it holds none, or one of each day.
    """
    if not has_store(folder):
        raise StoreError(
            about_days(folder)
            or f"{folder} holds no {STORE_FILE}; give the output folder of `cxr-triage scan`"
        )
    return folder / STORE_FILE
