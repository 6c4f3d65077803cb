"""Once a day what is too old or too much is dropped: pictures, sent results, received films. Rows stay.

A folder of a day whose store fails keeps none of the others back: it is tried again every hour.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from cxr_runtime.errors import CxrTriageError
from cxr_runtime.files import RECEIVED_FOLDER, STORE_FILE
from cxr_runtime.journal import Journal
from cxr_runtime.store.dropping import Kind, received_files
from cxr_runtime.store.folder import days_of, has_store
from cxr_runtime.store.pruning import Pruned, bytes_of_results, prune
from cxr_runtime.store.sqlite import store_errors

LOOK_SECONDS = 60.0  # between two looks at the calendar
AGAIN_AFTER = timedelta(hours=1)  # where a store could not be used


@dataclass(frozen=True)
class Kept:
    """What stays; what is not named stays for ever."""

    ages: Mapping[Kind, timedelta] = field(default_factory=dict)  # since it was made, or came
    under: int | None = None  # bytes of all that lies in the output folder


class Retention:
    """Drops what is not kept when it begins, and on each new day.

    Args:
        out: output folder, or the folder of the folders of days.
        kept: what stays.
        journal: hears what was dropped.
        clock: whose days count.
        archive: that gets the results; None: as far as the store knows any, all of them count.
    """

    def __init__(
        self,
        out: Path,
        kept: Kept,
        journal: Journal,
        clock: Callable[[], datetime] = lambda: datetime.now().astimezone(),
        archive: str | None = None,
    ) -> None:
        self._out, self._kept, self._journal, self._clock = out, kept, journal, clock
        self._prune = partial(prune, received=out / RECEIVED_FOLDER, archive=archive)
        self.failing = frozenset[Path]()  # folders whose store could not be used at the last drop
        self._ending = threading.Event()

    def run(self) -> None:
        """Drop what is due, day after day, until `end` is called.

        Raises:
            OSError: the output folder cannot be read.
        """
        done: datetime | None = None
        while not self._ending.is_set():
            now = self._clock()
            is_again = self.failing and done is not None and abs(now - done) >= AGAIN_AFTER
            if done is None or now.date() != done.date() or is_again:
                self.drop(now)
                done = now
            self._ending.wait(LOOK_SECONDS)

    def end(self) -> None:
        """Have it end."""
        self._ending.set()

    def drop(self, now: datetime) -> None:
        """Drop what is due now.

        Raises:
            OSError: as of `run`.
        """
        folders = [path for path in (self._out, *days_of(self._out)) if has_store(path)]
        dropped, failing = Counter[Kind](), set[Path]()
        for kind, age in self._kept.ages.items():
            for folder in folders:
                with self._sparing_the_others(folder, failing):
                    dropped += _dropped(self._prune(folder, age, None, now, kinds={kind}))
        if self._kept.under is not None:
            dropped += self._shrink(folders, self._kept.under, now, failing)
        self.failing = frozenset(failing)
        self._journal.note("retention", **{kind.value: dropped[kind] for kind in Kind})

    @contextmanager
    def _sparing_the_others(self, folder: Path, failing: set[Path]) -> Iterator[None]:
        """A folder whose store fails is noted when it begins to, and the others are looked after."""
        try:
            with store_errors(str(folder / STORE_FILE)):
                yield
        except (CxrTriageError, OSError) as error:
            if folder not in self.failing | failing:
                self._journal.note("retention-failed", error=type(error).__name__.lower())
            failing.add(folder)

    def _shrink(
        self, folders: list[Path], keep_under: int, now: datetime, failing: set[Path]
    ) -> Counter[Kind]:
        """Drop of the oldest days first, until everything together is small enough."""
        received = sum(size for _, size in received_files(self._out / RECEIVED_FOLDER))
        sizes = {folder: bytes_of_results(folder) for folder in folders}
        sizes |= {folder: size + received for folder, size in sizes.items() if folder != self._out}
        others = received * (len(folders) - 1)  # received films were counted with each folder
        excess, dropped = sum(sizes.values()) - others - keep_under, Counter[Kind]()
        for folder in folders:
            if excess <= 0 or self._ending.is_set():
                break
            with self._sparing_the_others(folder, failing):
                pruned = self._prune(folder, None, max(0, sizes[folder] - excess), now)
                excess -= pruned.before - pruned.after
                dropped += _dropped(pruned)
        return dropped


def _dropped(pruned: Pruned) -> Counter[Kind]:
    return Counter(
        {Kind.PICTURES: pruned.films, Kind.RESULTS: pruned.results, Kind.RECEIVED: pruned.received}
    )
