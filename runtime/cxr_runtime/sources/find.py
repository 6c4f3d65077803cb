"""Which files are films to scan: INPUTs of the command line, folders below them, and zip files."""

import glob
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from cxr_runtime.errors import UnreadableFilmError, UsageError
from cxr_runtime.files import STORE_FILE, is_store
from cxr_runtime.names import printable
from cxr_runtime.sources import archives
from cxr_runtime.sources.disk import disk_failure
from cxr_runtime.sources.film_source import FileOnDisk, FilmSource, OutOfReach, ZipMember

PASSED_OVER_NAMES = frozenset({"dicomdir"})
_DOCUMENTS = "txt csv tsv json jsonl xml html htm css js pdf md rst log doc docx xls xlsx ppt odt ods rtf"
_PROGRAMS = "py pyc ipynb sh bat cmd ps1 exe dll so ini cfg conf toml yaml yml lock"
_DATA = "db sqlite sqlite-wal sqlite-shm npy npz onnx engine pt pth safetensors sha256 md5"
_LEFTOVERS = "lnk url part tmp bak"
PASSED_OVER_SUFFIXES = frozenset(f"{_DOCUMENTS} {_PROGRAMS} {_DATA} {_LEFTOVERS}".split())

FolderId = tuple[int, int]  # device and inode


@dataclass(frozen=True)
class Found:
    """What there is to scan."""

    sources: tuple[FilmSource, ...]  # in the order of the INPUTs, within one sorted by path
    passed_over: int  # files that cannot be films by their names
    results: tuple[str, ...] = ()  # folders of results, which are not searched


def find_films(inputs: Sequence[str], exclude: Path | None, *, follow_links: bool = False) -> Found:
    """List the films of a command line without opening any of them, zip files excepted.

    Args:
        inputs: films, folders, zip files, or patterns that the shell has not expanded.
        exclude: the output folder, which is never scanned; need not exist.
        follow_links: follow links that lead out of the INPUTs, too; otherwise each is a film out of reach.

    Raises:
        UsageError: an INPUT does not exist.
    """
    names = [name for typed in inputs for name in _expand(typed)]
    excluded = _identity(exclude) if exclude is not None and exclude.is_dir() else None
    search = _Search(excluded, None if follow_links else names)
    for name in names:
        search.add(name)
    return Found(tuple(search.found.values()), search.passed_over, tuple(search.results))


class _Entry(NamedTuple):
    shown: str  # INPUT as typed plus the path below it
    path: Path
    is_folder: bool
    is_link: bool = False  # found below an INPUT; one that was typed is meant


_LEADS_OUT = UnreadableFilmError(
    "link-outside",
    "it is a link that leads out of the scanned folder; scan what it leads to, or scan with --follow-links",
)


class _Search:
    """Gathers films; one file is listed once, under the first name it was come by."""

    def __init__(self, excluded: FolderId | None, bounds: Sequence[str] | None) -> None:
        self.found: dict[object, FilmSource] = {}  # by folder and name, in a zip file with the member
        self._folders: dict[Path, str] = {}  # the real paths of folders
        self.passed_over = 0
        self.results: list[str] = []  # folders of results
        self._bounds = None if bounds is None else [Path(os.path.realpath(name)) for name in bounds]
        self._shown = Counter[str]()  # names of films so far, and how many would have borne each
        self._entered = {excluded}

    def add(self, typed: str) -> None:
        """List an INPUT that exists, and what is below it, in the order of names."""
        pending = [_Entry(typed, Path(typed), Path(typed).is_dir())]
        while pending:
            entry = pending.pop()
            if entry.is_link and self._leads_out(entry.path):
                self._keep(entry.path, OutOfReach(printable(entry.shown), _LEADS_OUT))
            elif entry.is_folder:
                pending += reversed(self._enter(entry))
            else:
                self._add_file(entry.shown, entry.path)

    def _enter(self, folder: _Entry) -> list[_Entry]:
        """What a folder holds; nothing the second time, by whatever name, which cuts loops of links, too."""
        try:
            identity = _identity(folder.path)
            with os.scandir(folder.path) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            failure = disk_failure(error, "folder")
            self._keep(folder.path, OutOfReach(printable(folder.shown), failure))
            return []
        if identity in self._entered:
            return []
        self._entered.add(identity)
        if is_store(folder.path / STORE_FILE):
            self.results.append(printable(folder.shown))
            return []
        start = folder.shown if folder.shown.endswith(("/", os.sep)) else f"{folder.shown}/"
        wanted = [entry for entry in entries if not self._passes_over(entry)]
        return [
            _Entry(start + entry.name, Path(entry.path), _is_folder(entry), _is_link(entry))
            for entry in wanted
        ]

    def _leads_out(self, link: Path) -> bool:
        """Whether a link ends outside of every INPUT; one that ends nowhere is a film that is missing."""
        if self._bounds is None or not link.exists():
            return False
        end = Path(os.path.realpath(link))
        return not any(end.is_relative_to(bound) for bound in self._bounds)

    def _passes_over(self, entry: os.DirEntry[str]) -> bool:
        passed = is_hidden(entry.name) or (is_passed_over(entry.name) and not _is_folder(entry))
        self.passed_over += passed
        return passed

    def _add_file(self, shown: str, path: Path) -> None:
        if archives.is_archive(path):
            self._add_archive(shown, path)
        else:
            self._keep(path, FileOnDisk(printable(shown), path))

    def _add_archive(self, shown: str, path: Path) -> None:
        try:
            members = archives.list_members(path)
        except UnreadableFilmError as failure:
            self._keep(path, OutOfReach(printable(shown), failure))
            return
        for member in members:
            if is_member_passed_over(member.name):
                self.passed_over += 1
            else:
                self._keep(path, ZipMember(printable(f"{shown}!{member.name}"), path, member), member)

    def _keep(self, path: Path, source: FilmSource, member: archives.Member | None = None) -> None:
        folder = self._folders.get(path.parent)  # by whichever way it was reached
        if folder is None:
            folder = self._folders[path.parent] = os.path.realpath(path.parent)
        key = folder, path.name, member
        if key not in self.found:
            self.found[key] = replace(source, file=self._unique(source.file))

    def _unique(self, shown: str) -> str:
        """A name of its own for each film: spelt out, `a` with a line feed in it looks like another name."""
        self._shown[shown] += 1
        if self._shown[shown] == 1:
            return shown
        return self._unique(f"{shown} ({self._shown[shown]})")


def _expand(typed: str) -> Iterator[str]:
    """The INPUT itself, or the matches of a pattern, which some shells leave to the program."""
    if os.path.exists(typed):  # noqa: PTH110 - Path("") would be the current folder
        yield typed
        return
    found = glob.iglob(typed, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
    matches = sorted(found) if glob.has_magic(typed) else []
    if not matches:
        raise UsageError(
            f"{printable(typed)} does not exist; expected films, folders or zip files: check the spelling"
        )
    yield from matches


def _identity(folder: Path) -> FolderId:
    """Device and inode: the same for all names of one folder."""
    status = folder.stat()
    return status.st_dev, status.st_ino


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself: a file that cannot be read
        return False


def _is_link(entry: os.DirEntry[str]) -> bool:
    is_junction = getattr(entry, "is_junction", None)  # of Windows; Python 3.12
    return entry.is_symlink() or (is_junction is not None and bool(is_junction()))


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name, without its path, is hidden."""
    return name.startswith(".") and name not in (".", "..")


def is_passed_over(name: str) -> bool:
    """Whether a file of this name, without its path, is hidden or of a kind that holds no film."""
    lower = name.lower()
    if is_hidden(lower) or lower in PASSED_OVER_NAMES:
        return True
    stem, dot, suffix = lower.rpartition(".")
    return bool(stem and dot) and suffix in PASSED_OVER_SUFFIXES


def is_member_passed_over(name: str) -> bool:
    """The same for a member of a zip file, whose name bears its path."""
    *folders, last = name.replace("\\", "/").split("/")  # some programs on Windows write the wrong one
    return is_passed_over(last) or any(is_hidden(folder) for folder in folders)
