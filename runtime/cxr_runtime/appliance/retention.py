"""Once a day, pictures that are too old or too many are dropped; every row stays."""

import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

from cxr_runtime.files import STORE_FILE
from cxr_runtime.journal import Journal
from cxr_runtime.store.folder import days_of
from cxr_runtime.store.pruning import bytes_of_results, prune

LOOK_SECONDS = 60.0  # between two looks at the calendar


class Retention:
    """Drops pictures when it begins, and on each new day.

    Args:
        out: output folder, or the folder of the folders of days.
        older_than: pictures of films that were scored longer ago go; None: at any age they stay.
        keep_under: bytes that all results may have; None: any number.
        journal: hears what was dropped.
        clock: whose days count.
    """

    def __init__(
        self,
        out: Path,
        older_than: timedelta | None,
        keep_under: int | None,
        journal: Journal,
        clock: Callable[[], datetime] = lambda: datetime.now().astimezone(),
    ) -> None:
        self._out, self._older_than, self._keep_under = out, older_than, keep_under
        self._journal, self._clock = journal, clock
        self._ending = threading.Event()

    def run(self) -> None:
        """Drop what is due, day after day, until `end` is called.

        Raises:
            StoreError: a store is damaged, or cannot be written.
            OSError: the disk fails.
        """
        done: date | None = None
        while not self._ending.is_set():
            now = self._clock()
            if now.date() != done:
                self.drop(now)
                done = now.date()
            self._ending.wait(LOOK_SECONDS)

    def end(self) -> None:
        """Have it end."""
        self._ending.set()

    def drop(self, now: datetime) -> None:
        """Drop what is due now.

        Raises:
            StoreError: as of `run`.
            OSError: as of `run`.
        """
        folders = [path for path in (self._out, *days_of(self._out)) if (path / STORE_FILE).is_file()]
        films = 0
        if self._older_than is not None:
            films = sum(prune(folder, self._older_than, None, now).films for folder in folders)
        if self._keep_under is not None:
            films += self._shrink(folders, self._keep_under, now)
        self._journal.note("retention", films=films)

    def _shrink(self, folders: list[Path], keep_under: int, now: datetime) -> int:
        """Drop the oldest days' pictures first, until all results together are small enough."""
        sizes = {folder: bytes_of_results(folder) for folder in folders}
        excess, films = sum(sizes.values()) - keep_under, 0
        for folder in folders:
            if excess <= 0 or self._ending.is_set():
                break
            pruned = prune(folder, None, max(0, sizes[folder] - excess), now)
            excess -= pruned.before - pruned.after
            films += pruned.films
        return films
