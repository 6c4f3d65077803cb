"""Films are taken only while the disk has room, so that what is begun can be finished and kept."""

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

from cxr_runtime.journal import Journal

LOOK_SECONDS = 1.0  # between two questions to the system
MORE_TO_GO_ON = 1.1  # times the limit must be free before films are taken again


def free_bytes(folder: Path) -> int:
    """Room for this user on the disk of a folder.

    Raises:
        OSError: the disk does not answer.
    """
    return shutil.disk_usage(folder).free


class DiskGuard:
    """Says whether the disk is too full to take films.

    Args:
        folder: on that disk; it is there.
        stop_below: bytes that stay free.
        journal: hears when it fills up, and when there is room again.
        free: asks the system.
        clock: seconds of a clock that is never set back.
    """

    def __init__(
        self,
        folder: Path,
        stop_below: int,
        journal: Journal,
        free: Callable[[Path], int] = free_bytes,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stop_below = stop_below
        self._folder, self._journal, self._ask, self._clock = folder, journal, free, clock
        self._lock = threading.Lock()
        self._looked: float | None = None
        self._is_full, self._free = False, 0

    def is_full(self) -> bool:
        """Whether films have to wait; a disk that does not answer counts as full."""
        self._look()
        return self._is_full

    def free(self) -> int:
        """Bytes that were free a moment ago."""
        self._look()
        return self._free

    def _look(self) -> None:
        with self._lock:
            now = self._clock()
            if self._looked is not None and now - self._looked < LOOK_SECONDS:
                return
            self._looked = now
            try:
                self._free = self._ask(self._folder)
            except OSError:
                self._free = 0
            limit = self.stop_below * (MORE_TO_GO_ON if self._is_full else 1)
            was_full, self._is_full = self._is_full, self._free < limit
        if self._is_full != was_full:
            event = "disk-full" if self._is_full else "disk-has-room"
            self._journal.note(event, free_mb=self._free >> 20, stops_below_mb=self.stop_below >> 20)
