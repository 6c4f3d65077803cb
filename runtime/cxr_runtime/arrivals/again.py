"""Films that the machine has failed: they are tried again, after longer and longer waits."""

import heapq
import itertools
from collections.abc import Iterator
from dataclasses import replace

from cxr_runtime.arrivals.tree import YOUNG_SECONDS
from cxr_runtime.outcome import Outcome, Status
from cxr_runtime.sources.film_source import FileOnDisk, FilmSource

# What the machine, not the film, is to blame for (docs/formats.md).
MACHINES_FAILURES = frozenset(
    ("decoder-killed", "decoder-memory", "decoder-timeout", "no-permission", "read-error", "read-stalled")
)
FIRST_WAIT, GROWTH, LONGEST_WAIT = 30.0, 4.0, 86400.0  # seconds


class TriedAgain:
    """Films to be given once more, and when."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, FilmSource]] = []
        self._numbers = itertools.count()
        self._tries: dict[str, int] = {}  # by file, of those that the machine has failed

    def __len__(self) -> int:
        return len(self._due)

    def ended(self, source: FilmSource, outcome: Outcome, now: float) -> bool:
        """A film has its row; whether it is tried again.

        One that was written a moment ago and cannot be read may not have been whole: it is tried once more
        when it has rested. If it is written on, it arrives anew before.
        """
        if outcome.status is Status.FAILED and isinstance(source, FileOnDisk) and not source.is_settled:
            self._add(now + YOUNG_SECONDS, replace(source, is_settled=True))
        elif outcome.code in MACHINES_FAILURES:
            tries = self._tries.get(source.file, 0)
            self._tries[source.file] = tries + 1
            self._add(now + min(FIRST_WAIT * GROWTH**tries, LONGEST_WAIT), source)
        else:
            self._tries.pop(source.file, None)
            return False
        return True

    def due(self, now: float) -> Iterator[FilmSource]:
        """Films whose time has come."""
        while self._due and self._due[0][0] <= now:
            yield heapq.heappop(self._due)[2]

    def is_soon(self, now: float) -> bool:
        """Whether one comes within the time in which a file may still be written."""
        return bool(self._due) and self._due[0][0] <= now + YOUNG_SECONDS

    def _add(self, due: float, source: FilmSource) -> None:
        heapq.heappush(self._due, (due, next(self._numbers), source))
