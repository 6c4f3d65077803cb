"""How the store stands, looked at once for all pages that are open."""

import threading
import time
from collections.abc import Callable

LOOK_SECONDS = 1.0  # between two looks at the store
BUSY_SECONDS = 20.0  # since the last film, for which films count as being scored


class StoreWatch:
    """Notices what others write into the store.

    Args:
        state: a number that changes with every write, and the number of rows; at once.
        standing: the number of films, as the list has them; too slow to be asked while films are scored.
    """

    def __init__(self, state: Callable[[], tuple[int, int]], standing: Callable[[], int]) -> None:
        self._state, self._standing, self._lock = state, standing, threading.Lock()
        self._looked, self._version, self._grew, self._rows = 0.0, -1, 0.0, -1
        self.number = 0  # grows with every change
        self.films = 0  # as they were counted last, and each row since then

    def look(self) -> None:
        """Look, unless somebody has just done so."""
        with self._lock:
            now = time.monotonic()
            if now - self._looked < LOOK_SECONDS / 2:
                return
            self._looked = now
            version, rows = self._state()
            has_rested = self.is_busy and now - self._grew > BUSY_SECONDS
            if self._version >= 0 and rows > self._rows:
                self._grew = now
            elif has_rested:
                self._grew = 0.0
            if version != self._version or has_rested:
                if self.is_busy:
                    self.films += rows - self._rows
                elif has_rested or rows != self._rows:
                    self.films = self._standing()
                self._version, self._rows, self.number = version, rows, self.number + 1

    @property
    def is_busy(self) -> bool:
        """Whether films are being scored."""
        return self._grew > 0
