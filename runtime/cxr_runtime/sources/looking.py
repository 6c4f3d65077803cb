"""Questions to a file system, put in whichever process may hang under it, and their answers."""

import glob
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from cxr_runtime.atomic import file_stamp
from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.files import STORE_FILE
from cxr_runtime.sources.answer import Answer, Ask, Question, packed
from cxr_runtime.sources.archives import Member, list_members
from cxr_runtime.sources.disk import disk_failure
from cxr_runtime.sources.kinds import is_hidden, is_passed_over
from cxr_runtime.store_file import is_store
from cxr_runtime.windows_paths import plain

MAX_ENTRIES = 2_000_000  # of one folder that may be films
HEARD_EVERY = 1000  # entries of a folder after which it is said that there are more
TOGETHER = 16  # stamps that are sent at a time


def here(question: Question) -> Iterator[bytes]:
    """Ask in this process, which hangs if the file system does."""
    return question.chunks()


class Kind(StrEnum):
    """What lies at a path, or is an entry of a folder."""

    FILE = "f"
    FOLDER = "d"
    LINK = "l"  # an entry: it leads anywhere
    NOTHING = "n"


class Seen(NamedTuple):
    """What lies at a path, at the end of all links."""

    asked: int  # number of the name that was asked for
    name: str  # as it was asked for, or as a pattern matched it
    kind: Kind
    real: str  # path without links
    folder: str  # that it lies in, without links
    stamp: str


@dataclass(frozen=True)
class Look:
    """What lies at these paths?"""

    names: tuple[str, ...]
    are_patterns: bool = False  # a name of nothing may be a pattern, which some shells leave to the program

    def chunks(self) -> Iterator[bytes]:
        """A `Seen` for each name, or for each match; none where a pattern matches nothing."""
        for asked, name in enumerate(self.names):
            matches = [name]
            if self.are_patterns and not _mode(name):
                matches = []
                found = glob.iglob(name, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
                for match in found if glob.has_magic(name) else ():
                    matches.append(match)
                    yield b""
            for match in sorted(matches):
                path, mode = Path(match), _mode(match)
                kind = Kind.NOTHING if not mode else Kind.FOLDER if stat.S_ISDIR(mode) else Kind.FILE
                real, folder = _real(match), _real(path.parent)
                yield packed(asked, match, kind, real, folder, file_stamp(path))


def looked(ask: Ask, question: Look) -> list[Seen]:
    """The answer to `Look`."""
    with Answer(ask, question) as texts:
        seen = []
        while not texts.is_over:
            asked, name, kind = texts.number(), texts.text(), Kind(texts.text())
            seen.append(Seen(asked, name, kind, texts.text(), texts.text(), texts.stamp()))
        asked_for = range(len(question.names))
        if not {one.asked for one in seen} <= set(asked_for):
            raise ValueError("a name that was not asked for")
        if not question.are_patterns and [one.asked for one in seen] != list(asked_for):
            raise ValueError("another number of names")
        return seen


@dataclass(frozen=True)
class Entries:
    """What does a folder hold?"""

    folder: str

    def chunks(self) -> Iterator[bytes]:
        """Device, inode, real path, whether it holds results, files passed over; names and kinds, sorted."""
        names: list[str] = []
        passed_over = 0
        try:
            status = Path(self.folder).stat()
            with os.scandir(self.folder) as listing:
                for at, entry in enumerate(listing):
                    if at % HEARD_EVERY == 0:
                        yield b""
                    kind = _kind(entry)
                    is_file = kind is Kind.FILE
                    if is_hidden(entry.name) or (is_file and is_passed_over(entry.name)):
                        passed_over += 1
                    elif len(names) >= MAX_ENTRIES:
                        raise UnreadableFilmError(
                            "too-large",
                            f"the folder holds more than {MAX_ENTRIES} files; spread them over folders",
                        )
                    else:
                        names.append(f"{entry.name}\0{kind}\0")  # in the order of the names
        except OSError as error:
            raise disk_failure(error, "folder") from error
        names.sort()
        is_results = is_store(Path(self.folder) / STORE_FILE)
        real = _real(self.folder)
        yield packed(status.st_dev, status.st_ino, real, int(is_results), passed_over)
        for start in range(0, len(names), HEARD_EVERY):
            yield os.fsencode("".join(names[start : start + HEARD_EVERY]))


class Listing(NamedTuple):
    """What a folder holds."""

    identity: tuple[int, int]  # device and inode: the same for all names of one folder
    real: str  # path without links
    is_results: bool
    passed_over: int  # files that are hidden, or cannot be films by their names
    entries: Iterator[tuple[str, Kind]]  # the others, sorted by name; raises UnreadableFilmError as below


def listed(ask: Ask, question: Entries) -> Listing:
    """The answer to `Entries`; of its entries no more is kept than their names."""
    with Answer(ask, question) as texts:
        identity, real = (texts.number(), texts.number()), texts.text()
        return Listing(identity, real, bool(texts.number()), texts.number(), _entries(texts))


def _entries(texts: Answer) -> Iterator[tuple[str, Kind]]:
    with texts:
        while not texts.is_over:
            name, kind = texts.text(), Kind(texts.text())
            if name in ("", ".", "..") or "/" in name or os.sep in name:
                raise ValueError("no name")
            yield name, kind


@dataclass(frozen=True)
class Stamps:
    """How do these files of a folder stand?"""

    folder: str
    names: tuple[str, ...]

    def chunks(self) -> Iterator[bytes]:
        """A stamp for each."""
        for start in range(0, len(self.names), TOGETHER):
            together = self.names[start : start + TOGETHER]
            paths = (os.path.join(self.folder, name) for name in together)  # noqa: PTH118 - one a film
            yield packed(*map(file_stamp, paths))


def stamps_of(ask: Ask, question: Stamps) -> list[str]:
    """The answer to `Stamps`."""
    if not question.names:
        return []
    with Answer(ask, question) as texts:
        return [texts.stamp() for _ in question.names]


@dataclass(frozen=True)
class Members:
    """What does a zip file hold?"""

    path: str

    def chunks(self) -> Iterator[bytes]:
        """Its stamp; name, offset and size of each member, sorted; nothing where it is no file at all."""
        path = Path(self.path)
        if not stat.S_ISREG(_mode(self.path)):
            return
        stamp = file_stamp(path)  # before it is read, so that a change is noticed
        members = list_members(path)
        yield packed(stamp)
        for member in members:
            yield packed(member.name, member.offset, member.size)


def members_of(ask: Ask, question: Members) -> tuple[str, list[Member]] | None:
    """The answer to `Members`: the stamp and the members; None where it is no file."""
    with Answer(ask, question) as texts:
        if texts.is_over:
            return None
        stamp, members = texts.stamp(), []
        while not texts.is_over:
            members.append(Member(texts.text(), texts.number(), texts.number()))
        return stamp, members


def _kind(entry: os.DirEntry[str]) -> Kind:
    is_junction = getattr(entry, "is_junction", None)  # of Windows; Python 3.12
    try:
        if entry.is_symlink() or (is_junction is not None and is_junction()):
            return Kind.LINK
        return Kind.FOLDER if entry.is_dir(follow_symlinks=False) else Kind.FILE
    except OSError:  # the file system does not say: a file that cannot be read
        return Kind.FILE


def _real(path: str | Path) -> str:
    """The path without links."""
    return plain(os.path.realpath(path)) if sys.platform == "win32" else os.path.realpath(path)


def _mode(name: str) -> int:
    """Kind and rights of what lies there; 0: nothing that may be known."""
    try:
        return os.stat(name).st_mode  # noqa: PTH116 - Path("") is the current folder
    except (OSError, ValueError):
        return 0
