"""Which files are films to scan. The file system is asked by `looking`, for it may never answer."""

import glob
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePath
from typing import NamedTuple

from cxr_runtime.errors import UnreadableFilmError, UsageError
from cxr_runtime.names import printable
from cxr_runtime.sources.answer import Ask
from cxr_runtime.sources.archives import is_zip
from cxr_runtime.sources.film_list import FilmList
from cxr_runtime.sources.film_source import FileOnDisk, FilmSource, OutOfReach, ZipMember
from cxr_runtime.sources.kinds import is_member_passed_over, is_passed_over
from cxr_runtime.sources.looking import (
    Entries,
    Kind,
    Look,
    Members,
    Seen,
    Stamps,
    here,
    listed,
    looked,
    members_of,
    stamps_of,
)
from cxr_runtime.sources.remote import is_url
from cxr_runtime.windows_paths import plain, reachable

ASKED_AT_ONCE = 8  # INPUTs; a path may have 4096 bytes
STAMPED_AT_ONCE = 256  # files of a folder; a name may have 255 bytes


@dataclass(frozen=True)
class Found:
    """What there is to scan."""

    sources: FilmList  # in the order of the INPUTs, within one sorted by path
    passed_over: int  # files that cannot be films by their names
    results: tuple[str, ...] = ()  # folders of results, which are not searched


def find_films(
    inputs: Sequence[str], exclude: Path | None, *, follow_links: bool = False, ask: Ask = here
) -> Found:
    """List the films of a command line without opening any of them, zip files excepted.

    Args:
        inputs: films, folders, zip files, or patterns that the shell has not expanded.
        exclude: the output folder, which is never scanned; need not exist.
        follow_links: follow links that lead out of the INPUTs, too; otherwise each is a film out of reach.
        ask: puts questions to the file system.

    Raises:
        UsageError: an INPUT does not exist.
    """
    search = Search(exclude, follow_links=follow_links, ask=ask)
    return Found(FilmList(search.films(inputs)), search.passed_over, tuple(search.results))


def place_of(typed: str) -> str:
    """An INPUT itself; of a pattern that the shell has not expanded, the folder that it begins in."""
    if not glob.has_magic(typed) or os.path.lexists(typed):
        return typed
    return next(str(folder) for folder in Path(plain(typed)).parents if not glob.has_magic(str(folder)))


class _Entry(NamedTuple):
    shown: str  # INPUT as typed plus the path below it
    path: Path
    kind: Kind
    folder: str  # that it lies in, without links
    stamp: str = ""


# Only such a name can be another film's, too: of spelt out characters, of a zip file, or numbered.
_AMBIGUOUS = re.compile(r"[\\!]|\)$")
LEADS_OUT = UnreadableFilmError(
    "link-outside",
    "it is a link that leads out of the scanned folder; scan what it leads to, or scan with --follow-links",
)


class Search:
    """Gives films one after the other, without keeping them; one file is given once, under its first name.

    Args:
        exclude: as of `find_films`.
        follow_links: as of `find_films`.
        ask: as of `find_films`.
    """

    def __init__(self, exclude: Path | None, *, follow_links: bool = False, ask: Ask = here) -> None:
        self.passed_over = 0  # so far
        self.results: list[str] = []  # folders of results so far
        self._ask, self._follow_links = ask, follow_links
        self._bounds: list[str] = []  # real paths of the INPUTs
        self._typed: set[tuple[str, str]] = set()  # folder and name of files that were typed
        self._searched: set[str] = set()  # real paths of folders
        self._entered: set[tuple[int, int]] = set()  # folders, by device and inode
        self._failed: set[tuple[str, str]] = set()  # folders that could not be listed, as `_typed`
        self._shown = Counter[str]()  # names that others might bear, and how many would have borne each
        if exclude is not None and exclude.is_dir():
            status = exclude.stat()
            self._entered.add((status.st_dev, status.st_ino))

    def films(self, inputs: Sequence[str]) -> Iterator[FilmSource]:
        """The films of a command line, in the order of the INPUTs, within one sorted by path.

        Raises:
            UsageError: an INPUT does not exist.
        """
        found = [one for start in range(0, len(inputs), ASKED_AT_ONCE)
                 for one in self._expanded(inputs[start : start + ASKED_AT_ONCE])]  # fmt: skip
        self._bounds = [one.real for one in found if isinstance(one, Seen)]
        for one in found:
            if isinstance(one, OutOfReach):
                yield from self._failure(one.file, ("", one.file), one.failure)
            else:
                path = reachable(Path(one.name))
                yield from self._below(_Entry(one.name, path, one.kind, one.folder, one.stamp))

    def _expanded(self, inputs: Sequence[str]) -> Iterator[Seen | OutOfReach]:
        """INPUTs that exist, or the matches of a pattern; where one hangs, the others are asked for alone."""
        try:
            seen = looked(self._ask, Look(tuple(inputs), are_patterns=True))
        except UnreadableFilmError as failure:
            if len(inputs) == 1:
                yield OutOfReach(inputs[0], failure)
            else:
                for one in inputs:
                    yield from self._expanded([one])
            return
        for missing in set(range(len(inputs))) - {one.asked for one in seen}:
            name = inputs[missing]
            if is_url(name):
                raise UsageError(f"{printable(name)} is in an object store; add --cluster local to read it")
            raise UsageError(
                f"{printable(name) or repr('')} does not exist; expected films, folders or zip files: check "
                "the spelling"
            )
        yield from seen

    def _below(self, typed: _Entry) -> Iterator[FilmSource]:
        """What was typed, and all below it."""
        pending: list[Iterator[FilmSource | _Entry]] = [iter([typed])]
        if typed.kind is not Kind.FOLDER:
            pending = [self._typed_file(typed)]
        while pending:
            found = next(pending[-1], None)
            if found is None:
                pending.pop()
            elif isinstance(found, _Entry):
                pending.append(self._inside(found))
            else:
                yield found

    def _typed_file(self, entry: _Entry) -> Iterator[FilmSource]:
        """A file that was typed, unless it was found in its folder, or typed before."""
        name = entry.path.name
        was_found = entry.folder in self._searched and not is_passed_over(name)
        if not was_found and (entry.folder, name) not in self._typed:
            self._typed.add((entry.folder, name))
            yield from self._file(entry)

    def _inside(self, folder: _Entry) -> Iterator[FilmSource | _Entry]:
        """Films in a folder, and folders; nothing the second time, which cuts loops of links, too."""
        try:
            listing = listed(self._ask, Entries(str(folder.path)))
            if listing.identity in self._entered:
                return
            self._entered.add(listing.identity)
            if listing.is_results:
                self.results.append(printable(folder.shown))
                return
            self._searched.add(listing.real)
            self.passed_over += listing.passed_over
            start = folder.shown if folder.shown.endswith(("/", os.sep)) else f"{folder.shown}/"
            while group := list(islice(listing.entries, STAMPED_AT_ONCE)):
                stamps = self._stamps(folder.path, group)
                for name, kind in group:
                    path, stamp = folder.path / name, stamps.get(name, "")
                    yield from self._entry(_Entry(start + name, path, kind, listing.real, stamp))
        except UnreadableFilmError as failure:
            yield from self._failure(folder.shown, (folder.folder, folder.path.name), failure)

    def _stamps(self, folder: Path, group: Sequence[tuple[str, Kind]]) -> dict[str, str]:
        """By name; none where one hangs: these films are read to know them, each at its own risk."""
        names = tuple(name for name, kind in group if kind is Kind.FILE and not is_zip(name))
        try:
            return dict(zip(names, stamps_of(self._ask, Stamps(str(folder), names)), strict=True))
        except UnreadableFilmError:
            return {}

    def _entry(self, entry: _Entry) -> Iterator[FilmSource | _Entry]:
        if entry.kind is Kind.FOLDER:
            yield entry
        elif entry.kind is Kind.LINK:
            yield from self._link(entry)
        elif (entry.folder, entry.path.name) not in self._typed:
            yield from self._file(entry)

    def _link(self, entry: _Entry) -> Iterator[FilmSource | _Entry]:
        """Where a link leads; to nothing: a film that is missing."""
        try:
            [seen] = looked(self._ask, Look((str(entry.path),)))
        except UnreadableFilmError as failure:
            yield OutOfReach(self._name(entry.shown), failure)
            return
        if seen.kind is not Kind.FOLDER and is_passed_over(entry.path.name):
            self.passed_over += 1
        elif seen.kind is not Kind.NOTHING and self._leads_out(seen.real):
            yield OutOfReach(self._name(entry.shown), LEADS_OUT)
        else:
            yield from self._entry(entry._replace(kind=seen.kind, stamp=seen.stamp))

    def _leads_out(self, end: str) -> bool:
        """Whether a link ends outside of every INPUT."""
        return not (self._follow_links or any(PurePath(end).is_relative_to(bound) for bound in self._bounds))

    def _file(self, entry: _Entry) -> Iterator[FilmSource]:
        """A film, or those in a zip file; pipes and the like are never taken for one."""
        members = None
        if entry.kind is Kind.FILE and is_zip(entry.path.name):
            try:
                members = members_of(self._ask, Members(str(entry.path)))
            except UnreadableFilmError as failure:
                yield OutOfReach(self._name(entry.shown), failure)
                return
        if members is None:
            yield FileOnDisk(self._name(entry.shown), entry.path, entry.stamp)
            return
        stamp, listing = members
        for member in listing:
            if is_member_passed_over(member.name):
                self.passed_over += 1
            else:
                name = self._name(f"{entry.shown}!{member.name}")
                of_member = f"{stamp}!{member.offset}!{member.name}" if stamp else ""
                yield ZipMember(name, entry.path, member, of_member)

    def _failure(
        self, shown: str, key: tuple[str, str], failure: UnreadableFilmError
    ) -> Iterator[OutOfReach]:
        """A folder that cannot be listed, once."""
        if key not in self._failed:
            self._failed.add(key)
            yield OutOfReach(self._name(shown), failure)

    def _name(self, shown: str) -> str:
        """A name of its own for each film: spelt out, `a` with a line feed in it looks like another name."""
        name = printable(shown)
        if not _AMBIGUOUS.search(name):
            return name
        self._shown[name] += 1
        return name if self._shown[name] == 1 else self._name(f"{name} ({self._shown[name]})")
