"""A folder with all below it: which files in it are complete, and were not given yet.

Files are looked at again and again (polled): that works on every system and on every network share. A file is
complete when nothing of it has changed for SETTLED_SECONDS: neither size, times nor room on the disk.
"""

import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cxr_runtime.arrivals.listing import Listed, WatchedListing, state_of
from cxr_runtime.atomic import file_stamp
from cxr_runtime.errors import UnreadableFilmError, UsageError
from cxr_runtime.files import STORE_FILE
from cxr_runtime.names import printable
from cxr_runtime.sources.answer import Ask
from cxr_runtime.sources.archives import is_zip
from cxr_runtime.sources.film_source import FileOnDisk, FilmSource, OutOfReach, ZipMember
from cxr_runtime.sources.find import LEADS_OUT
from cxr_runtime.sources.kinds import is_hidden, is_member_passed_over, is_passed_over
from cxr_runtime.sources.looking import Members, here, members_of
from cxr_runtime.windows_paths import reachable

SETTLED_SECONDS = 1.5  # a file that has not changed for so long is complete
YOUNG_SECONDS = 30.0  # one that changed since is looked at further: whoever writes it may only have paused
NEVER_GIVEN = 0  # state of folders, and of files that cannot be films


@dataclass
class _Growing:
    """A file that is looked at until it rests."""

    folder: WatchedListing
    listed: Listed
    path: Path
    state: int | None = None
    since: float = 0.0  # when it was first seen in this state
    was_given: bool = False  # it is looked at for a while still

    @property
    def shown(self) -> str:
        """As typed, plus the path below it."""
        start = self.folder.shown
        return f"{start}{'' if start.endswith(('/', os.sep)) else '/'}{self.listed.name}"


@dataclass
class WatchedTree:
    """One watched folder; `look` is all there is to it, so that a test can turn its clock."""

    typed: str
    is_excluded: Callable[[Path], bool] = lambda _: False  # folders below it that are not entered
    bounds: tuple[Path, ...] | None = None  # where links may lead, real paths; None: anywhere
    ask: Ask = here  # reads the lists of zip files
    clock: Callable[[], float] = time.time  # what times of files are compared with
    is_away: bool = False  # the folder is not there, or does not answer
    unlisted: int = 0  # folders below it that may not be read
    _folders: dict[Path, WatchedListing] = field(default_factory=dict)
    _growing: dict[Path, _Growing] = field(default_factory=dict)
    _to_list: list[WatchedListing] = field(default_factory=list)  # in this look; folders that it finds, too

    def __post_init__(self) -> None:
        self._root = reachable(Path(self.typed))
        self._begin()

    @property
    def waiting(self) -> int:
        """Files that are not complete yet; more of them may not have been looked at."""
        return sum(not each.was_given for each in self._growing.values()) + self.has_more

    @property
    def has_more(self) -> bool:
        """Whether there are new names that have not been looked at yet, as after the start."""
        return any(folder.has_more for folder in self._folders.values())

    def look(self, now: float) -> list[FilmSource]:
        """Films that are complete since the last look.

        A folder that was away, as a share is that is mounted again, is looked at as at the start: the store
        knows which of its films are finished.

        Args:
            now: seconds of a clock that is never set back.

        Raises:
            UsageError: the folder has become an output folder.
        """
        was_away, self.is_away, self.unlisted = self.is_away, not _is_folder(self._root), 0
        if was_away and not self.is_away:
            self._begin()
        self._to_list = list(self._folders.values())
        for folder in self._to_list:
            if self.is_away:
                return []
            if self._folders.get(folder.path) is folder:  # it may have gone with another one in this look
                self._list(folder, now)
        return [film for growing in list(self._growing.values()) for film in self._settled(growing, now)]

    def _begin(self) -> None:
        self._growing.clear()
        self._folders = {self._root: WatchedListing(self.typed, self._root)}

    def _list(self, folder: WatchedListing, now: float) -> None:
        """Take up what is new in a folder, and what was written over."""
        is_root = folder.path == self._root
        try:
            is_due = folder.is_due(now)
            if is_due and folder.holds_results:
                if is_root:
                    raise not_watched(self.typed)
                self._leave(folder.path)
                return
            new = [*(folder.new(len(self._growing)) if is_due else ()), *folder.changed(now)]
        except OSError as error:
            if is_root:
                self.is_away = True
            elif isinstance(error, FileNotFoundError | NotADirectoryError):
                self._leave(folder.path)
            else:
                self.unlisted += 1
            return
        for listed in new:
            self._take_up(folder, listed)

    def _leave(self, path: Path) -> None:
        """Look no more at a folder and all below it."""
        gone = {each for each in self._folders if each == path or path in each.parents}
        for each in gone:
            del self._folders[each]
        for each in [each for each in self._growing if each.parent in gone]:
            del self._growing[each]

    def _take_up(self, folder: WatchedListing, listed: Listed) -> None:
        growing = _Growing(folder, listed, folder.path / listed.name)
        path = growing.path
        try:
            is_link = path.is_symlink()
            mode = path.stat().st_mode
        except OSError:  # it has gone again, or leads nowhere
            return
        is_folder = stat.S_ISDIR(mode)
        if is_hidden(listed.name) or (not is_folder and is_passed_over(listed.name)):
            folder.known.add(listed.key, NEVER_GIVEN)
        elif is_folder and not (is_link and self._leads_out(path)):
            folder.known.add(listed.key, NEVER_GIVEN)
            self._enter(path, growing.shown)
        elif path not in self._growing or self._growing[path].listed != listed:
            self._growing[path] = growing

    def _enter(self, path: Path, shown: str) -> None:
        above = (folder for folder in path.parents if folder in self._folders)
        is_loop = any(path.samefile(folder) for folder in above)  # of links
        if not is_loop and not self.is_excluded(path):
            self._folders[path] = WatchedListing(shown, path)
            self._to_list.append(self._folders[path])

    def _leads_out(self, link: Path) -> bool:
        end = Path(os.path.realpath(link))
        return self.bounds is not None and not any(end.is_relative_to(bound) for bound in self.bounds)

    def _settled(self, growing: _Growing, now: float) -> Iterator[FilmSource]:
        """The film, or the films of a zip file, once it rests."""
        state = state_of(growing.path)
        if state is None:
            del self._growing[growing.path]
            return
        if state != growing.state:
            growing.state, growing.since, growing.was_given = state, now, False
        rests = now - growing.since
        is_young = rests < YOUNG_SECONDS and self._is_young(growing.path)
        if rests >= SETTLED_SECONDS and not growing.was_given:
            films = self._films(growing, is_young=is_young)
            if films is None:
                return
            growing.was_given = True
            growing.folder.known.add(growing.listed.key, state)
            yield from films
        if growing.was_given and not is_young:
            del self._growing[growing.path]

    def _is_young(self, path: Path) -> bool:
        try:
            status = path.stat()
        except OSError:
            return True
        return abs(self.clock() - max(status.st_mtime, status.st_ctime)) < YOUNG_SECONDS

    def _films(self, growing: _Growing, *, is_young: bool) -> list[FilmSource] | None:
        """What a file holds; None: a zip file whose list of members may still be written."""
        path, shown = growing.path, printable(growing.shown)
        if path.is_symlink() and self._leads_out(path):
            return [OutOfReach(shown, LEADS_OUT)]
        members = None
        if is_zip(path.name):
            try:
                members = members_of(self.ask, Members(str(path)))
            except UnreadableFilmError as failure:
                return None if is_young else [OutOfReach(shown, failure)]
        if members is None:
            return [FileOnDisk(shown, path, file_stamp(path), is_settled=not is_young)]
        stamp, listing = members
        return [
            ZipMember(
                printable(f"{growing.shown}!{member.name}"),
                path,
                member,
                f"{stamp}!{member.offset}!{member.name}",
            )
            for member in listing
            if not is_member_passed_over(member.name)
        ]


def not_watched(folder: str) -> UsageError:
    """Why a folder with a store in it is not watched."""
    return UsageError(
        f"{printable(folder)} holds {STORE_FILE}: it is an output folder, and what lies there is not "
        "scored; expected folders of films: move the films into one of their own"
    )


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except OSError:
        return False
