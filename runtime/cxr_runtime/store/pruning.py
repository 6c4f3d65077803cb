"""Pictures of old films are dropped, so that a store does not grow for ever; every row stays."""

import os
import re
import sqlite3
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cxr_runtime.errors import StoreError, UsageError
from cxr_runtime.files import HEATMAPS_FOLDER
from cxr_runtime.names import safe_name
from cxr_runtime.store.folder import held, refuse_links
from cxr_runtime.store.opening import store_in
from cxr_runtime.store.rows import RESULT, SEALED_COLUMNS, time_of
from cxr_runtime.store.writer import StoreWriter

FILMS_AT_ONCE = 100  # of a transaction: a scan that runs meanwhile waits for no more than these
MOST_DAYS = 36_500
_DAYS = {"d": 1, "w": 7, "y": 365}
_AGE = re.compile(r"(\d{1,5})\s*([dwy])", re.IGNORECASE)
_BLOBS = ("preview_jpeg", "thumbnail_jpeg", "heat_png", "heat", "outlines", "placement")
_DIGEST = SEALED_COLUMNS.index("pictures")


@dataclass(frozen=True)
class Pruned:
    """What was dropped."""

    films: int  # whose pictures were
    pictures_left: int  # films that still have theirs
    before: int  # bytes of the output folder
    after: int
    is_shrunk: bool  # the store gave the room back to the disk; if not, its next films use it


@dataclass(frozen=True)
class _PicturedFilm:
    result: int  # id in the store
    finished: datetime
    size: int  # bytes of its pictures in the store
    names: tuple[str, ...]  # stems of its files in heatmaps/


def parse_age(text: str, option: str = "--older-than") -> timedelta:
    """Read `90d`, `12w` or `2y`; a year has 365 days.

    Raises:
        UsageError: it is no such age.
    """
    found = _AGE.fullmatch(text.strip())
    days = int(found[1]) * _DAYS[found[2].lower()] if found else MOST_DAYS + 1
    if days > MOST_DAYS:
        raise UsageError(f"{option} {text!r} is not an age; expected days, weeks or years: 90d, 12w or 2y")
    return timedelta(days=days)


def prune(
    folder: Path,
    older_than: timedelta | None = None,
    keep_under: int | None = None,
    now: datetime | None = None,
) -> Pruned:
    """Drop pictures, the oldest films' first: from the store, and from heatmaps/. A scan may run meanwhile.

    Args:
        folder: of a scan.
        older_than: drop those of films that were finished longer ago than this.
        keep_under: bytes that the folder may have; drop until it has no more.
        now: None: the machine's clock.

    Raises:
        UsageError: neither limit is given.
        StoreError: the folder holds no store, or it cannot be written.
    """
    if older_than is None and keep_under is None:
        raise UsageError("prune needs a limit; expected --older-than 90d, or --keep-under 20GB, or both")
    store_in(folder)
    refuse_links(folder)
    before = bytes_of_results(folder)
    with PruningStore.open(folder) as store:
        films = store.films_by_age()
        latest = (now or datetime.now(UTC)) - older_than if older_than is not None else None
        excess = 0 if keep_under is None else before - store.free_bytes() - keep_under
        doomed = _chosen(films, latest, excess, _heatmaps(folder))
        for first in range(0, len(doomed), FILMS_AT_ONCE):
            store.drop_pictures(folder, doomed[first : first + FILMS_AT_ONCE])
        is_shrunk = not doomed or _shrunk(folder, store)
    return Pruned(len(doomed), len(films) - len(doomed), before, bytes_of_results(folder), is_shrunk)


class PruningStore(StoreWriter):
    """A store whose pictures can be dropped."""

    def films_by_age(self) -> list[_PicturedFilm]:
        """Films that have pictures, the oldest first."""
        size = " + ".join(f"coalesce(length({blob}), 0)" for blob in _BLOBS)
        query = (
            f"SELECT results.id, finished, {size}, sha256 FROM pictures"
            " JOIN results ON results.id = pictures.result"
        )
        places = "SELECT DISTINCT file FROM places WHERE result = ?"
        films = [
            _PicturedFilm(
                result,
                time_of(finished),
                bytes_,
                tuple(safe_name(str(file), str(sha256)) for (file,) in self._rows(places, result)),
            )
            for result, finished, bytes_, sha256 in list(self._rows(query))
        ]
        return sorted(films, key=lambda film: film.finished)

    def free_bytes(self) -> int:
        """Room in the store's file that nothing uses."""
        ((pages,),), ((size,),) = self._rows("PRAGMA freelist_count"), self._rows("PRAGMA page_size")
        return int(pages) * int(size)

    def drop_pictures(self, folder: Path, films: Sequence[_PicturedFilm]) -> None:
        """Drop films' pictures in one transaction, then their files; rows keep a right seal."""
        columns = ", ".join(SEALED_COLUMNS)
        with self._transaction():
            for film in films:
                self._db.execute("DELETE FROM pictures WHERE result = ?", (film.result,))
                read = self._rows(f"SELECT seal, {columns} FROM results WHERE id = ?", film.result)
                seal, *row = next(read)
                without = (*row[:_DIGEST], "")
                again = self._sealer.seal(RESULT, without) if self._sealer.is_right(seal, RESULT, row) else ""
                self._db.execute(
                    "UPDATE results SET pictures = '', seal = ? WHERE id = ?", (again, film.result)
                )
        for name in (f"{name}.{kind}" for film in films for name in film.names for kind in ("png", "npz")):
            with suppress(FileNotFoundError, PermissionError):  # a viewer has it open: it stays
                (folder / HEATMAPS_FOLDER / name).unlink()

    def shrink(self) -> None:
        """Give room back to the disk.

        Raises:
            sqlite3.OperationalError: the disk has no room for the copy that this takes, or a scan writes.
        """
        self._db.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 1)  # the copy
        try:
            self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            self._db.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)


def _chosen(
    films: Iterable[_PicturedFilm], latest: datetime | None, excess: int, heatmaps: Mapping[str, int]
) -> list[_PicturedFilm]:
    """Films to be dropped: those finished before `latest`, and more until `excess` bytes are gone."""
    doomed, freed = [], 0
    for film in films:
        if (latest is None or film.finished >= latest) and freed >= excess:
            break
        doomed.append(film)
        freed += film.size + sum(heatmaps.get(name, 0) for name in film.names)
    return doomed


def _shrunk(folder: Path, store: PruningStore) -> bool:
    try:
        with held(folder):
            store.shrink()
    except (StoreError, sqlite3.OperationalError):
        return False
    return True


def _heatmaps(folder: Path) -> dict[str, int]:
    """Bytes of the files in heatmaps/ by their stem."""
    sizes = dict[str, int]()
    for path, size in files_with_sizes(folder / HEATMAPS_FOLDER):
        sizes[path.stem] = sizes.get(path.stem, 0) + size
    return sizes


def bytes_of_results(folder: Path) -> int:
    """Bytes of the files of an output folder, pictures included; folders of days in it do not count."""
    return sum(size for place in (folder, folder / HEATMAPS_FOLDER) for _, size in files_with_sizes(place))


def files_with_sizes(folder: Path) -> Iterator[tuple[Path, int]]:
    """Files of a folder and their bytes; those that go while they are looked at, as logs do, are left out."""
    with suppress(FileNotFoundError), os.scandir(folder) as listing:
        for entry in listing:
            with suppress(FileNotFoundError):
                status = entry.stat(follow_symlinks=False)
                if not stat.S_ISDIR(status.st_mode):
                    yield Path(entry.path), status.st_size
