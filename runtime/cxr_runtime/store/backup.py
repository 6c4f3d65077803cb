"""A backup of a store: SQLite's own online backup, taken while a scan runs, read back before it counts."""

import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from cxr_runtime.access import PRIVATE
from cxr_runtime.atomic import NEW_FILE, PART_SUFFIX, sync_folder
from cxr_runtime.errors import StoreError, UsageError
from cxr_runtime.names import printable
from cxr_runtime.store.opening import open_to_copy, store_in
from cxr_runtime.store.schema import version
from cxr_runtime.store.sqlite import store_errors
from cxr_runtime.store_file import is_store

PAGES_AT_ONCE = 4096  # 16 MiB; between them Ctrl-C is heard


@dataclass(frozen=True)
class Backup:
    """What a backup holds."""

    films: int  # results
    runs: int
    size: int  # bytes of the file


def back_up(folder: Path, file: Path) -> Backup:
    """Copy the store of an output folder into one file, as it stands at one moment.

    The pictures in heatmaps/ and the reports are not copied: a store can make them again.

    Args:
        folder: of a scan that is finished, or runs.
        file: replaced if it is an earlier backup, once the new one is whole and was read back.

    Raises:
        UsageError: `file` is the store itself, a folder, or something that is no store.
        StoreError: the folder holds no store, the store is damaged, or the file cannot be written.
    """
    path = store_in(folder)
    _refuse(file, path)
    part = file.with_name(f".{file.name}.{os.getpid()}{PART_SUFFIX}")
    try:
        part.unlink(missing_ok=True)  # left by a process of the same number that was killed
        with store_errors(str(path)), closing(open_to_copy(path)) as db:
            found = _copy(db, part, file)
        part.replace(file)
        sync_folder(file.absolute().parent)
    except OSError as error:
        raise _not_written(file, error.strerror or str(error)) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return found


def _refuse(file: Path, store: Path) -> None:
    if file.exists() and file.samefile(store):
        raise UsageError(f"{printable(str(file))} is the store itself; name another file for its backup")
    if os.path.lexists(file) and not is_store(file):
        raise UsageError(
            f"{printable(str(file))} is there and is not a backup of this program; name a new file, or an "
            "earlier backup, which is then replaced"
        )


def _copy(db: sqlite3.Connection, part: Path, file: Path) -> Backup:
    db.execute("BEGIN")  # one moment of the store, whatever a scan adds meanwhile
    films, runs = db.execute(_COUNTS[version(db) > 1]).fetchone()
    os.close(os.open(part, NEW_FILE, PRIVATE.file_mode))
    try:
        with closing(sqlite3.connect(part, isolation_level=None)) as copy:
            copy.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA mmap_size=0;")
            db.backup(copy, pages=PAGES_AT_ONCE)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
            sound = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise _not_written(file, str(error)) from error
    if sound != "ok":
        raise StoreError(
            f"the store is damaged ({printable(str(sound))}), so that {printable(str(file))} was not "
            "written; restore an earlier backup into a new folder"
        )
    with part.open("rb+") as written:
        os.fsync(written.fileno())
    return Backup(films, runs, part.stat().st_size)


_COUNTS = {
    True: "SELECT (SELECT count(*) FROM results), (SELECT count(*) FROM runs)",
    False: "SELECT count(*), 1 FROM films",  # 0.1.0
}


def _not_written(file: Path, reason: str) -> StoreError:
    return StoreError(
        f"the backup {printable(str(file))} cannot be written ({printable(reason)}); an earlier one was left "
        "as it is: name a file on a disk with room"
    )
