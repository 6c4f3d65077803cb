"""Received films that have their row are replaced by de-identified copies, beside the scoring (PS3.15).

What cannot be copied is kept as it came, in a folder of its own: nothing is lost because of its kind.

A film has its results by then: they are made while it is in hand. If the program is killed at any moment, the
film is there as it came, or its copy is, or both; then it is done once more, and gives the same copy.
"""

import os
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cxr_runtime.arrivals.copy_making import Deidentifying, FilmToCopy, drop_film, set_aside, write_copy
from cxr_runtime.arrivals.receiver_inbox import SUFFIX
from cxr_runtime.errors import CxrTriageError
from cxr_runtime.files import RECEIVED_FOLDER
from cxr_runtime.identity import IdentityKind
from cxr_runtime.journal import Journal
from cxr_runtime.pseudonyms import Stranger
from cxr_runtime.store.beside import StoreBeside
from cxr_runtime.store.folder import folders_with_stores
from cxr_runtime.workers.opened import can_pass_files
from cxr_runtime.workers.pool import WorkerKilledError, WorkerPool, WorkerTimeoutError

LOOK_SECONDS = 2.0  # between two looks at the folder
AFTER_FAILURE_SECONDS = 60.0  # when the store or the disk fails
ENDING_SECONDS = 30.0  # that the films which are done by then have when the service ends
_FILM = re.compile(rf"[0-9a-f]{{64}}{re.escape(SUFFIX)}")


@dataclass
class Copies:
    """Looks after the received films of an output folder; a part of an appliance, or a thread of its own."""

    out: Path
    stranger: Stranger
    journal: Journal
    keeps_whole: bool = True  # what cannot be copied is set aside as it came; else it is deleted
    _ending: threading.Event = field(default_factory=threading.Event)
    _seen: set[str] = field(default_factory=set)  # films whose row was looked for in every store
    _left: set[str] = field(default_factory=set)  # films that the machine has failed: another run tries them

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.run, daemon=True, name="copies")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self._thread.join(ENDING_SECONDS)

    def run(self) -> None:
        """Replace films until `end` is called, and then those that are done by then."""
        rest = LOOK_SECONDS
        while not self._ending.wait(rest):
            rest = LOOK_SECONDS if self._tended() else AFTER_FAILURE_SECONDS
        self._tended()

    def end(self) -> None:
        """Have it end; may be called from any thread."""
        self._ending.set()

    def tend(self) -> None:
        """Replace the films that have their row.

        Raises:
            StoreError: a store cannot be read.
            OSError: the disk is full, or fails.
        """
        films = self._done()
        if not films:
            return
        copied = whole = 0
        with WorkerPool(Deidentifying(), 1) as pool:
            for task, answer in pool.results(_opened(films)):  # type: ignore[misc]  # nothing is passed, no pause
                try:
                    if isinstance(answer, MemoryError | WorkerKilledError | WorkerTimeoutError):
                        self._left.add(task.path.name)
                    elif isinstance(answer, Exception):
                        (set_aside if self.keeps_whole else drop_film)(task)
                        whole += 1
                    else:
                        write_copy(task, answer, self.stranger)
                        copied += 1
                finally:
                    task.close()
        uncopied = {"whole" if self.keeps_whole else "dropped": whole}
        self.journal.note("deidentified", films=copied, **uncopied)

    def _tended(self) -> bool:
        try:
            self.tend()
        except (CxrTriageError, OSError) as error:
            self.journal.note("deidentifying-failed", error=type(error).__name__.lower())
            return False
        return True

    def _done(self) -> list[Path]:
        """Films as they came that have a row that lasts."""
        folder = self.out / RECEIVED_FOLDER
        names = {path.name for path in _films(folder)} - self._left
        self._seen &= names
        if not names:
            return []
        stores, found = folders_with_stores(self.out), set[str]()
        for at, store in enumerate(stores):
            is_today = at >= len(stores) - 2  # the latest day's, and that of the folder itself
            asked = names - found - (set() if is_today else self._seen)
            if asked:
                with StoreBeside.open(store) as beside:
                    found |= {f"{sha256}{SUFFIX}" for sha256 in beside.lasting(name[:64] for name in asked)}
        self._seen |= names
        return [folder / name for name in sorted(found)]


def copies_beside(
    kind: IdentityKind, out: Path, journal: Journal, *, keeps_whole: bool = True
) -> AbstractContextManager[object]:
    """Looks after received films beside a service, unless they stay as they came; arguments as of `Copies`.

    Raises:
        StoreError: the key of what is replaced can be neither read nor kept.
    """
    stranger = Stranger.of(kind)
    return nullcontext() if stranger is None else Copies(out, stranger, journal, keeps_whole)


def _films(folder: Path) -> Iterable[Path]:
    try:
        return [Path(entry.path) for entry in os.scandir(folder) if _FILM.fullmatch(entry.name)]
    except FileNotFoundError:
        return []


def _opened(films: Iterable[Path]) -> Iterator[FilmToCopy]:
    """Films, each opened when its turn comes."""
    for path in films:
        try:
            descriptor = (
                os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)) if can_pass_files() else None
            )
        except FileNotFoundError:
            continue
        yield FilmToCopy(path, descriptor)
