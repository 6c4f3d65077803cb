"""Watched folders as a way of arriving: a thread each, so that a share that hangs holds nothing else up."""

import os
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from cxr_runtime.arrivals.tree import WatchedTree, not_watched
from cxr_runtime.errors import UsageError
from cxr_runtime.files import DICOM_FOLDER, HEATMAPS_FOLDER, STORE_FILE
from cxr_runtime.journal import Journal
from cxr_runtime.names import printable
from cxr_runtime.sources.answer import Ask
from cxr_runtime.sources.film_source import FilmSource
from cxr_runtime.sources.looking import here
from cxr_runtime.store_file import is_store

LOOK_SECONDS = 0.5  # between two looks at a folder
SHARE_OF_A_CORE = 0.1  # that looking takes at most; a look that costs more is followed by a longer rest
MOST_READY = 64  # films that wait to be taken; the others stay where they are


class WatchedFolder:
    """One folder, looked at in a thread of its own.

    Args:
        number: of the folder among those that are watched, from 1; the journal names it by that.
        tree: the folder.
        journal: hears when it is away, and back.
    """

    def __init__(self, number: int, tree: WatchedTree, journal: Journal) -> None:
        self._number, self._tree, self._journal = number, tree, journal
        self._ready: queue.Queue[FilmSource] = queue.Queue(MOST_READY)
        self._closing = threading.Event()
        self._waiting = 1  # until the first look has ended, nobody knows
        self._failure: BaseException | None = None

    def start(self, bell: threading.Event) -> None:
        """Begin to look."""
        name = f"watched folder {self._number}"
        threading.Thread(target=self._watch, args=(bell,), name=name, daemon=True).start()

    def take(self) -> Iterator[FilmSource]:
        """Films that are complete and were not given yet.

        Raises:
            BaseException: what ended the thread that looks.
        """
        while True:
            try:
                yield self._ready.get_nowait()
            except queue.Empty:
                break
        if self._failure is not None:
            raise self._failure

    def waiting(self) -> int:
        """Films that were not taken yet, as far as is known."""
        return self._waiting + self._ready.qsize()

    @property
    def is_away(self) -> bool:
        """Whether the folder is not there, or does not answer."""
        return self._tree.is_away

    def close(self) -> None:
        """Look no more; a look that hangs is not waited for."""
        self._closing.set()

    def _watch(self, bell: threading.Event) -> None:
        try:
            while not self._closing.is_set():
                started, busy = time.perf_counter(), time.thread_time()
                self._look(bell)
                took, busy = time.perf_counter() - started, time.thread_time() - busy
                rest = 0.0 if self._tree.has_more else max(took, busy / SHARE_OF_A_CORE)
                self._closing.wait(max(LOOK_SECONDS, rest))
        except BaseException as error:  # noqa: BLE001 - raised where films are taken
            self._failure = error
            bell.set()

    def _look(self, bell: threading.Event) -> None:
        was_away, were_unlisted = self._tree.is_away, self._tree.unlisted
        films = self._tree.look(time.monotonic())
        if self._tree.is_away != was_away:
            self._journal.note("folder-away" if self._tree.is_away else "folder-back", folder=self._number)
        if self._tree.unlisted > were_unlisted:
            self._journal.note("folders-unread", folder=self._number, folders=self._tree.unlisted)
        self._waiting = len(films) + self._tree.waiting
        for film in films:
            while not self._closing.is_set():
                try:
                    self._ready.put(film, timeout=LOOK_SECONDS)
                    break
                except queue.Full:
                    continue
            self._waiting -= 1
            bell.set()
        bell.set()


def watched_folder(
    number: int,
    folders: Sequence[str],
    exclude: Path,
    journal: Journal,
    *,
    follow_links: bool,
    ask: Ask = here,
) -> WatchedFolder:
    """One of the folders that are to be watched; it need not be there yet.

    Args:
        number: of the folder, from 1.
        folders: all of them, as typed.
        exclude: the output folder, which is not entered where it lies below one of them; need not exist yet.
        journal: of the service.
        follow_links: follow links that lead out of the folders, too.
        ask: reads the lists of zip files.
    """

    def is_excluded(path: Path) -> bool:
        return exclude.exists() and path.samefile(exclude)

    bounds = None if follow_links else tuple(Path(os.path.realpath(folder)) for folder in folders)
    return WatchedFolder(number, WatchedTree(folders[number - 1], is_excluded, bounds, ask), journal)


def watched_folders(
    folders: Sequence[str], exclude: Path, journal: Journal, *, follow_links: bool, ask: Ask = here
) -> list[WatchedFolder]:
    """Every folder that is to be watched; the arguments are those of `watched_folder`.

    Raises:
        UsageError: one of them is not there, is no folder, or is one of results.
    """
    for folder in folders:
        if not folder or not Path(folder).is_dir():  # "" would be the working folder
            raise UsageError(
                f"{printable(folder) or repr(folder)} is not a folder; expected folders to watch: check the "
                "spelling, and that the network share is mounted"
            )
    refuse_results(folders, exclude)
    return [
        watched_folder(number, folders, exclude, journal, follow_links=follow_links, ask=ask)
        for number in range(1, len(folders) + 1)
    ]


def refuse_results(folders: Sequence[str], out: Path) -> None:
    """See that no heat map would be scored as a film.

    Args:
        folders: that are to be watched; one that is not there is looked at when it comes.
        out: the output folder; need not exist yet.

    Raises:
        UsageError: one of them is the output folder, lies in it, is another output folder, or that one's
            folder of pictures or of DICOM results.
    """
    results = Path(os.path.realpath(out))
    for folder in folders:
        if Path(os.path.realpath(folder)).is_relative_to(results):
            raise UsageError(
                f"{printable(folder)} is the output folder {printable(str(out))}, or lies in it, and what "
                "lies there is not scored; expected folders of films: name another folder for the results"
            )
        if is_store(Path(folder) / STORE_FILE):
            raise not_watched(folder)
        real = Path(os.path.realpath(folder))
        if real.name in (HEATMAPS_FOLDER, DICOM_FOLDER) and is_store(real.parent / STORE_FILE):
            raise not_watched(str(real.parent))
