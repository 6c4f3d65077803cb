"""How a store of ours is known by its file, without harm to the process that has it open."""

import stat
from collections import Counter
from pathlib import Path
from threading import Condition

APPLICATION_ID = 0x43585254  # "CXRT", in the header of every store since schema 3
_SQLITE = b"SQLite format 3\0"  # SQLite database file format, 1.3, as the offsets below
_USER_VERSION, _APPLICATION_ID, _HEADER_BYTES = slice(60, 64), slice(68, 72), 100
_VERSIONS_WITHOUT_ID = (1, 2)  # schemas of stores that bear no application id

_open = Counter[tuple[int, int]]()  # stores that this process has open, by device and inode
_read = Counter[tuple[int, int]]()  # files that it is looking at just now
_changed = Condition()  # of either


def is_store(path: Path) -> bool:
    """Whether a file is a store of ours, by its first 100 bytes; another file of that name is not.

    One that this process has open is not opened once more: to close it would take away all locks that the
    process has on it (POSIX), and whoever then closes the store believes to be the last, and removes the log
    that is still written.
    """
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            return False
        place = found.st_dev, found.st_ino
        with _changed:
            if _open[place]:
                return True
            _read[place] += 1
        try:
            header = _header(path)
        finally:
            with _changed:
                _less(_read, place)
                _changed.notify_all()
    except OSError:
        return False
    schema, application = (int.from_bytes(header[at], "big") for at in (_USER_VERSION, _APPLICATION_ID))
    is_ours = application == APPLICATION_ID or (application == 0 and schema in _VERSIONS_WITHOUT_ID)
    return header.startswith(_SQLITE) and is_ours


def _header(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEADER_BYTES)


def note_opened(path: Path) -> tuple[int, int]:
    """Note that this process opens a store; what comes back is for `note_closed`.

    A look at its file that has begun comes to its end first.
    """
    found = path.stat()
    place = found.st_dev, found.st_ino
    with _changed:
        _changed.wait_for(lambda: not _read[place])
        _open[place] += 1
    return place


def note_closed(place: tuple[int, int]) -> None:
    """Note that one of its connections is closed."""
    with _changed:
        _less(_open, place)


def _less(counter: Counter[tuple[int, int]], place: tuple[int, int]) -> None:
    counter[place] -= 1
    if not counter[place]:
        del counter[place]
