"""Where the file of a film may lie now: by the name under which it was found, wherever that was typed."""

import re
from collections.abc import Iterator
from pathlib import Path

from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.sources.answer import Ask
from cxr_runtime.sources.film_source import FileOnDisk, FilmSource, ZipMember
from cxr_runtime.sources.looking import Members, members_of
from cxr_runtime.store.desk import Desk

MOST_PLACES = 4  # of one film, the latest first
MOST_PARENTS = 8  # folders above the output folder that a name may begin at
_IN_ZIP = re.compile(r"(?i)(.+?\.zip)!(.+)", re.DOTALL)


def sources(desk: Desk, folder: Path, sha256: str, ask: Ask) -> Iterator[FilmSource]:
    """Files that may be a film, the likeliest first; whoever opens one checks its bytes.

    Only places that this machine has sealed count, so that a store from elsewhere names no file here.

    Args:
        desk: open.
        folder: the output folder; names are tried from the working folder, it, and those above it.
        sha256: of the film.
        ask: puts questions to the file system.
    """
    bases = [Path.cwd(), folder.absolute(), *folder.absolute().parents[:MOST_PARENTS]]
    tried = set[tuple[Path, str]]()
    for file in desk.sealed_places(sha256)[:MOST_PLACES]:
        found = _IN_ZIP.fullmatch(file)
        name, member = (found[1], found[2]) if found else (file, "")
        for base in bases:
            path = base / name
            if (path, member) not in tried:
                tried.add((path, member))
                yield from _members(path, file, member, ask) if found else [FileOnDisk(file, path)]


def _members(path: Path, file: str, member: str, ask: Ask) -> Iterator[FilmSource]:
    """Those of that name in a zip file, if it is there."""
    try:
        members = members_of(ask, Members(str(path)))
    except UnreadableFilmError:
        return
    for each in members[1] if members is not None else ():
        if each.name == member:
            yield ZipMember(file, path, each)
