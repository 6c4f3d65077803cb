"""Once a day, pictures and received films that are too old or too many are dropped; every row stays."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from cxr_runtime.arrivals.receiver_inbox import RECEIVED_FOLDER
from cxr_runtime.files import STORE_FILE
from cxr_runtime.journal import Journal
from cxr_runtime.store.beside import StoreBeside
from cxr_runtime.store.folder import days_of
from cxr_runtime.store.pruning import bytes_of_results, prune

LOOK_SECONDS = 60.0  # between two looks at the calendar


@dataclass(frozen=True)
class Kept:
    """What stays; None: everything."""

    pictures_for: timedelta | None = None  # since their films were scored
    pictures_under: int | None = None  # bytes of all results
    received_for: timedelta | None = None  # since devices sent films; those without a row stay


class Retention:
    """Drops what is not kept when it begins, and on each new day.

    Args:
        out: output folder, or the folder of the folders of days.
        kept: what stays.
        journal: hears what was dropped.
        clock: whose days count.
    """

    def __init__(
        self,
        out: Path,
        kept: Kept,
        journal: Journal,
        clock: Callable[[], datetime] = lambda: datetime.now().astimezone(),
    ) -> None:
        self._out, self._kept, self._journal, self._clock = out, kept, journal, clock
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
        kept, films = self._kept, 0
        folders = [path for path in (self._out, *days_of(self._out)) if (path / STORE_FILE).is_file()]
        if kept.pictures_for is not None:
            films = sum(prune(folder, kept.pictures_for, None, now).films for folder in folders)
        if kept.pictures_under is not None:
            films += self._shrink(folders, kept.pictures_under, now)
        received = 0 if kept.received_for is None else self._drop_received(folders, now - kept.received_for)
        self._journal.note("retention", pictures=films, received=received)

    def _drop_received(self, folders: list[Path], latest: datetime) -> int:
        """Delete films that came before `latest` and have a row that lasts; how many."""
        films = (path for path in (self._out / RECEIVED_FOLDER).glob("*.dcm") if path.is_file())
        old = [path for path in films if path.stat().st_mtime < latest.timestamp()]
        if not old:
            return 0
        names, known = {path.stem for path in old}, set[str]()
        for folder in folders:
            with StoreBeside.open(folder) as store:
                known |= names & set(store.marks())
        gone = [path for path in old if path.stem in known]
        for path in gone:
            path.unlink(missing_ok=True)
        return len(gone)

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
