"""One folder of a watched tree: what is new in it, for as little work as can be."""

import os
import stat
import time
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cxr_runtime.arrivals.known_files import KnownFiles
from cxr_runtime.files import STORE_FILE
from cxr_runtime.store_file import is_store

RACY_SECONDS = 3.0  # a folder may get a second file within one tick of its own clock (2 s on FAT)
SWEEP_SECONDS = 60.0  # between looks at files that were given already: they may be written over in place
SWEEP_SHARE = 0.01  # of the time, at most, goes into these looks
AT_ONCE = 4096  # names in memory; of all others there is a number
MOST_NEW = 20_000  # names that are taken up in one look; the others come in the next ones


class Listed(NamedTuple):
    """A file or folder, as its folder lists it."""

    name: str
    key: int  # of its name and inode: a file that is renamed over another is a new one


@dataclass
class WatchedListing:
    """A folder, and what was seen in it.

    A folder's own time changes when a name comes or goes. While it stands, one question to the system is all
    that a look costs, whatever the folder holds.
    """

    shown: str  # as typed, plus the path below it
    path: Path
    known: KnownFiles = field(default_factory=KnownFiles)
    has_more: bool = False  # more new names than one look takes up
    _identity: tuple[int, int] | None = None  # device and inode
    _time: int | None = None  # of the folder, when it was listed last
    _noticed: float = 0.0  # when that time was seen first
    _swept: float | None = None  # when known files were looked at
    _sweep_pause: float = SWEEP_SECONDS

    def is_due(self, now: float) -> bool:
        """Whether there may be a new name.

        Raises:
            OSError: the folder is not there, or its disk or network does not answer.
        """
        status = self.path.stat()
        if not stat.S_ISDIR(status.st_mode):
            raise NotADirectoryError
        identity = status.st_dev, status.st_ino
        if self._identity not in (None, identity):  # another folder of the same name
            self.known = KnownFiles()
        if self._identity != identity or self._time != status.st_mtime_ns:
            self._identity, self._time, self._noticed = identity, status.st_mtime_ns, now
        return self.has_more or now - self._noticed <= RACY_SECONDS

    @property
    def holds_results(self) -> bool:
        """Whether a scan writes into it: what lies there are no films to score."""
        return is_store(self.path / STORE_FILE)

    def new(self, growing: int) -> list[Listed]:
        """Names that were not given, sorted; those that have gone are forgotten.

        Args:
            growing: how many are being looked at already; so many fewer are given.

        Raises:
            OSError: as of `is_due`.
        """
        new, keys = list[Listed](), [np.empty(0, np.int64)]
        with os.scandir(self.path) as listing:
            while some := list(islice(listing, AT_ONCE)):
                keys.append(np.fromiter(map(_key, some), np.int64, len(some)))
                unknown = np.flatnonzero(self.known.unknown(keys[-1]))
                new += [Listed(some[at].name, int(keys[-1][at])) for at in unknown]
        self.known.forget_others(np.concatenate(keys))
        new.sort()
        most = max(MOST_NEW - growing, 1)
        self.has_more = len(new) > most
        return new[:most]

    def changed(self, now: float) -> list[Listed]:
        """Files that were given and are not as they were; asked for now and then only.

        Raises:
            OSError: as of `is_due`.
        """
        if self._swept is None or now - self._swept < self._sweep_pause:
            self._swept = now if self._swept is None else self._swept
            return []
        started = time.perf_counter()
        with os.scandir(self.path) as listing:
            found = [
                Listed(entry.name, key)
                for entry in listing
                if (given := self.known.state(key := _key(entry))) and state_of(entry) not in (given, None)
            ]
        self._swept = now
        self._sweep_pause = max(SWEEP_SECONDS, (time.perf_counter() - started) / SWEEP_SHARE)
        return found


def state_of(file: Path | os.DirEntry[str]) -> int | None:
    """A number that changes whenever the file is written; None where it is not there. Never 0."""
    try:
        status = file.stat()
    except OSError:
        return None
    blocks = getattr(status, "st_blocks", 0)
    return hash((status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, blocks)) or 1


def _key(entry: os.DirEntry[str]) -> int:
    if os.name == "nt":  # a file's number costs a question there, its size and time come with the listing
        status = entry.stat(follow_symlinks=False)
        return hash((entry.name, status.st_size, status.st_mtime_ns))
    return hash((entry.name, entry.inode()))
