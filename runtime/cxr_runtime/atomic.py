"""Files that are there as a whole, or not at all; and whether one is still as it was written."""

import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import get_ident
from typing import BinaryIO

from cxr_runtime.access import OWNER_ALONE, Access
from cxr_runtime.windows_paths import reachable

PART_SUFFIX = ".part"  # of files that are being written
WAITS = (0.05, 0.1, 0.2, 0.3, 0.4)  # seconds until a file that another program has open is tried again
# Never through a link, nor onto a file that is there; in bytes on Windows.
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_STAMP = re.compile(r"\d+:\d+:(\d+):(-?\d+):-?\d+")  # of `file_stamp`: size, and ns of the last change
_UNITS = (1, 100, 1_000, 1_000_000, 1_000_000_000)  # ns, to which copies keep times; a tar file: a second


@contextmanager
def replacing(path: Path, access: Access | None = None, *, durable: bool = True) -> Iterator[BinaryIO]:
    """Open a file for writing that takes the place of `path` when the block ends without an error.

    A link at `path` is replaced, never written through. On Windows a file that another program has open
    cannot be replaced; one that a virus scanner reads can a moment later: it is tried for a second.

    Args:
        path: the file.
        access: who may read it from the moment it is made; None: whom the system lets by default.
        durable: have the file and its name on the disk before this returns, whatever befalls the machine.

    Raises:
        OSError: the folder cannot be written, or the disk is full; `path` is then as it was.
    """
    if sys.platform == "win32":
        path = reachable(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.{get_ident()}{PART_SUFFIX}")
    part.unlink(missing_ok=True)  # left by a process of the same number that was killed
    try:
        with os.fdopen(os.open(part, NEW_FILE, 0o666 if access is None else OWNER_ALONE), "wb") as file:
            if access is not None and access.group is not None:
                access.give(file.fileno(), access.file_mode)
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        if sys.platform == "win32":
            _put_when_free(part, path)
        else:
            part.replace(path)
        if durable:
            sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _put_when_free(part: Path, path: Path) -> None:
    for wait in WAITS:
        with suppress(PermissionError):
            part.replace(path)
            return
        time.sleep(wait)
    part.replace(path)


def write_bytes(path: Path, content: bytes, access: Access | None = None, *, durable: bool = True) -> None:
    """Write a whole file at once, or leave `path` as it was; the arguments are those of `replacing`."""
    with replacing(path, access, durable=durable) as file:
        file.write(content)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk; Windows cannot, and some network shares refuse."""
    if os.name == "nt":
        return
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def file_stamp(path: str | Path) -> str:
    """A text that changes whenever a file does: device, inode, size, times; "" where it cannot be asked."""
    try:
        status = os.stat(reachable(Path(path)) if sys.platform == "win32" else path)  # noqa: PTH116 - quicker
    except OSError:
        return ""
    times = f"{status.st_mtime_ns}:{status.st_ctime_ns}"
    return f"{status.st_dev}:{status.st_ino}:{status.st_size}:{times}"


def is_unchanged(path: Path, stamp: str) -> bool:
    """Whether a file's content is that of a stamp, by its size and the time of its last change.

    A folder that was copied with its times, new permissions or a share that was mounted anew change the
    other parts of a stamp, and no content.
    """
    found, noted = (_STAMP.fullmatch(text) for text in (file_stamp(path), stamp))
    if found is None or noted is None:
        return False
    changed, was_changed = int(found[2]), int(noted[2])
    unit = max(unit for unit in _UNITS if changed % unit == 0)
    return found[1] == noted[1] and changed // unit == was_changed // unit
