"""Received films that have their row are replaced by de-identified copies, beside the scoring (PS3.15).

What cannot be copied is kept as it came, in a folder of its own: nothing is lost because of its kind.

A film has its results by then: they are made while it is in hand. If the program is killed at any moment, the
film is there as it came, or its copy is, or both; then it is done once more, and gives the same copy.
"""

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cxr_runtime.arrivals.receiver.copy_making import (
    Deidentifying,
    FilmToCopy,
    drop_film,
    set_aside,
    write_copy,
)
from cxr_runtime.arrivals.receiver.inbox import FILM_NAME
from cxr_runtime.atomic import file_stamp, is_unchanged
from cxr_runtime.deidentified import Remains
from cxr_runtime.errors import CxrTriageError, StoreError
from cxr_runtime.files import RECEIVED_FOLDER
from cxr_runtime.identity import IdentityKind
from cxr_runtime.journal import Journal
from cxr_runtime.pseudonyms import Stranger
from cxr_runtime.store.beside import StoreBeside
from cxr_runtime.store.folder import days_of, folders_with_stores
from cxr_runtime.workers.opened import can_pass_files
from cxr_runtime.workers.pool import WorkerKilledError, WorkerPool, WorkerTimeoutError

LOOK_SECONDS = 2.0  # between two looks at the folder
AFTER_FAILURE_SECONDS = 60.0  # when the store or the disk fails
ENDING_SECONDS = 30.0  # that the films which are done by then have when the service ends


@dataclass
class Copies:
    """Looks after the received films of an output folder; a part of an appliance, or a thread of its own."""

    out: Path
    stranger: Stranger
    journal: Journal
    keeps_whole: bool = True  # what cannot be copied is set aside as it came; else it is deleted
    _ending: threading.Event = field(default_factory=threading.Event)
    _seen: set[str] = field(default_factory=set)  # films whose row was looked for in every store
    _damaged: set[Path] = field(default_factory=set)  # stores that could not be read at the last look
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
            OSError: the disk is full, or fails.
        """
        films = self._done()
        if not films:
            return
        copied = whole = 0
        with WorkerPool(Deidentifying(), 1) as pool:
            for task, answer in pool.results(_opened(films)):  # type: ignore[misc]  # nothing is passed, no pause
                try:
                    if isinstance(answer, Remains):
                        write_copy(task, answer, self.stranger)
                        copied += 1
                    elif answer is None or self._is_set_aside(answer):
                        (set_aside if self.keeps_whole else drop_film)(task)
                        whole += 1
                    else:
                        self._left.add(task.path.name)
                finally:
                    task.close()
        uncopied = {"whole" if self.keeps_whole else "dropped": whole}
        self.journal.note("deidentified", films=copied, **uncopied)

    def _is_set_aside(self, failure: Exception) -> bool:
        """Whether a film that could not be read may leave its place: not where the machine is to blame."""
        is_of_machine = isinstance(failure, MemoryError | WorkerKilledError | WorkerTimeoutError)
        return self.keeps_whole and not is_of_machine

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
        days, found = days_of(self.out), set[str]()
        for store in folders_with_stores(self.out):
            is_written = store in (
                self.out,
                *days[-1:],
            )  # by the service, which reads what comes again
            asked = names - found - (set() if is_written else self._seen)
            if asked:
                found |= self._done_in(store, [folder / name for name in asked], is_written=is_written)
        self._seen |= names
        return [folder / name for name in sorted(found)]

    def _done_in(self, store: Path, films: Sequence[Path], *, is_written: bool) -> set[str]:
        """Names of the films that have their row in one store; none if it is damaged, which is noted once."""
        try:
            with StoreBeside.open(store) as beside:
                rows = beside.lasting(film.stem for film in films)
        except StoreError as error:
            if store not in self._damaged:
                self.journal.note("deidentifying-failed", error=type(error).__name__.lower())
            self._damaged.add(store)
            return set()
        self._damaged.discard(store)
        return {
            film.name
            for film in films
            if (stamps := rows.get(film.stem))
            and (not is_written or any(is_unchanged(film, stamp) for stamp in stamps))
        }


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
        return [Path(entry.path) for entry in os.scandir(folder) if FILM_NAME.fullmatch(entry.name)]
    except FileNotFoundError:
        return []


def _opened(films: Iterable[Path]) -> Iterator[FilmToCopy]:
    """Films, each opened when its turn comes."""
    for path in films:
        stamp = file_stamp(path)
        try:
            descriptor = (
                os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)) if can_pass_files() else None
            )
        except FileNotFoundError:
            continue
        yield FilmToCopy(path, stamp, descriptor)
