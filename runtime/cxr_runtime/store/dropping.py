"""What of an output folder can be dropped: pictures, results that archives have, and received films."""

import os
import re
import sqlite3
import stat
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from cxr_runtime.atomic import is_unchanged
from cxr_runtime.errors import FullDiskError
from cxr_runtime.files import DICOM_FOLDER, HEATMAPS_FOLDER, WHOLE_FOLDER
from cxr_runtime.names import safe_name
from cxr_runtime.store.ages import AGES, ages
from cxr_runtime.store.beside import StoreBeside
from cxr_runtime.store.deliveries import Deliveries
from cxr_runtime.store.objects import MadeObject
from cxr_runtime.store.rows import RESULT, SEALED_COLUMNS
from cxr_runtime.store.sqlite import transaction
from cxr_runtime.store.writer import StoreWriter
from cxr_runtime.windows_paths import reachable

FILMS_AT_ONCE = 100  # of a transaction: a scan that runs meanwhile waits for no more than these
_BLOBS = ("preview_jpeg", "thumbnail_jpeg", "heat_png", "heat", "outlines", "placement")
_RECEIVED = re.compile(r"([0-9a-f]{64})(?:-deidentified)?\.dcm")
_DIGEST = SEALED_COLUMNS.index("pictures")


class Kind(StrEnum):
    """What can be dropped."""

    PICTURES = "pictures"  # of films: in the store, and in heatmaps/
    RESULTS = "results"  # DICOM objects that the archive has
    RECEIVED = "received"  # films that devices sent, and that have their row


@dataclass(frozen=True)
class PicturedFilm:
    """A film with its pictures."""

    when: datetime  # it was finished
    size: int  # bytes of its pictures
    result: int  # id in the store
    names: tuple[str, ...]  # stems of its files in heatmaps/
    kind = Kind.PICTURES


@dataclass(frozen=True)
class DeliveredResult:
    """A DICOM object that the archive has."""

    when: datetime  # it was made
    size: int  # bytes
    made: MadeObject
    stamp: str  # of its file
    kind = Kind.RESULTS


@dataclass(frozen=True)
class ReceivedFilm:
    """A received film that has its row."""

    when: datetime  # it came
    size: int  # bytes
    path: Path
    kind = Kind.RECEIVED


Droppable = PicturedFilm | DeliveredResult | ReceivedFilm


class PruningStore(StoreWriter, StoreBeside):
    """A store of which old things can be dropped."""

    def films_by_age(self, folder: Path, now: datetime | None = None) -> list[PicturedFilm]:
        """Films that have pictures, the oldest first; the arguments are those of `prune`.

        A file in heatmaps/ that several models drew is that of the latest: it goes with the youngest.
        """
        heatmaps, scored = _heatmaps(folder), ages(self._rows(AGES), now or datetime.now(UTC))
        size = " + ".join(f"coalesce(length({blob}), 0)" for blob in _BLOBS)
        places = "SELECT DISTINCT file FROM places WHERE result = ?"
        films = list[PicturedFilm]()
        sizes = dict[int, int](self._rows(f"SELECT result, {size} FROM pictures"))
        for result in sorted(sizes, key=lambda result: (scored[result].when, result), reverse=True):
            film = scored[result]
            files = {safe_name(str(file), film.sha256) for (file,) in self._rows(places, result)}
            names = tuple(sorted(files & heatmaps.keys()))
            drawn = sum(heatmaps.pop(name) for name in names)
            films.append(PicturedFilm(film.when, sizes[result] + drawn, result, names))
        return films[::-1]

    def delivered_results(self, folder: Path, archive: str | None) -> list[DeliveredResult]:
        """Results that are in the archive; the arguments are those of `prune`."""
        sizes = {path.name: size for path, size in files_with_sizes(folder / DICOM_FOLDER)}
        return [
            DeliveredResult(
                datetime.fromisoformat(each.made.made),
                sizes.get(Path(each.made.file).name, 0),
                each.made,
                each.stamp,
            )
            for each in Deliveries(self).delivered(archive)
        ]

    def received_films(self, folder: Path) -> list[ReceivedFilm]:
        """Received films that have a row in this store, as they came or as copies."""
        found = dict[str, list[ReceivedFilm]]()
        for path, size in received_files(folder):
            if name := _RECEIVED.fullmatch(path.name):
                with suppress(FileNotFoundError):
                    when = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                    found.setdefault(name[1], []).append(ReceivedFilm(when, size, path))
        return [film for digest in self.lasting(found) for film in found[digest]]

    def count_pictures(self) -> int:
        """Films that have pictures."""
        ((films,),) = self._rows("SELECT count(*) FROM pictures")
        return int(films)

    def free_bytes(self) -> int:
        """Room in the store's file that nothing uses."""
        ((pages,),), ((size,),) = self._rows("PRAGMA freelist_count"), self._rows("PRAGMA page_size")
        return int(pages) * int(size)

    def drop(self, folder: Path, doomed: Sequence[Droppable]) -> Counter[Kind]:
        """Drop things; how many of each kind went.

        Raises:
            FullDiskError: there is not even room for the transaction of one film.
            StoreError: the store cannot be written.
        """
        results = [each for each in doomed if isinstance(each, DeliveredResult)]
        gone = Counter({Kind.RECEIVED: delete_files(folder, doomed)})  # first: this makes room
        gone[Kind.PICTURES] = self._drop_pictures([each for each in doomed if isinstance(each, PicturedFilm)])
        for first in range(0, len(results), FILMS_AT_ONCE):
            gone[Kind.RESULTS] += self._drop_results(folder, results[first : first + FILMS_AT_ONCE])
        return gone

    def _drop_pictures(self, films: Sequence[PicturedFilm]) -> int:
        """Drop films' pictures from the store, fewer at once where the disk is full; how many."""
        done, at_once = 0, FILMS_AT_ONCE
        while done < len(films):
            try:
                self._drop_pictures_of(films[done : done + at_once])
                done += at_once
            except FullDiskError:
                if at_once == 1:
                    raise
                at_once //= 10
            if at_once < FILMS_AT_ONCE:
                self._empty_log()
        return len(films)

    def _empty_log(self) -> None:
        with suppress(sqlite3.OperationalError):  # somebody reads it, or the disk is full
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _drop_pictures_of(self, films: Sequence[PicturedFilm]) -> None:
        """Drop films' pictures in one transaction; rows keep a right seal."""
        columns = ", ".join(SEALED_COLUMNS)
        with transaction(self._db, self.name):
            for film in films:
                for table in ("pictures", "features"):
                    self._db.execute(f"DELETE FROM {table} WHERE result = ?", (film.result,))
                read = f"SELECT seal, {columns} FROM results WHERE id = ?"
                ((seal, *row),) = self._rows(read, film.result)
                without = (*row[:_DIGEST], "")
                again = self._sealer.seal(RESULT, without) if self._sealer.is_right(seal, RESULT, row) else ""
                self._db.execute(
                    "UPDATE results SET pictures = '', seal = ? WHERE id = ?", (again, film.result)
                )

    def _drop_results(self, folder: Path, results: Sequence[DeliveredResult]) -> int:
        """Delete files, and note it: no others are made. A file that was made anew meanwhile stays.

        Returns:
            How many were there, and were deleted.
        """
        deleted = 0
        with transaction(self._db, self.name):
            for each in results:
                path = folder / each.made.file
                if is_unchanged(path, each.stamp) or not path.exists():
                    deleted += _delete(path)
                    if not path.exists():  # else a viewer has it open: it goes another time
                        self._note(each.made.uid, [(each.made.file, "")])
        return deleted

    def shrink(self) -> None:
        """Give room back to the disk.

        Raises:
            sqlite3.OperationalError: the disk has no room for the copy that this takes, or a scan writes.
        """
        self._db.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 1)  # the copy
        try:
            self._db.execute("VACUUM")
        finally:
            self._empty_log()
            self._db.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)


def delete_files(folder: Path, doomed: Iterable[Droppable]) -> int:
    """Delete what lies outside the store and can be missed in it: pictures in heatmaps/, and received films.

    Returns:
        How many received films went.
    """
    received = 0
    for each in doomed:
        match each:
            case PicturedFilm():
                for name in (f"{name}.{kind}" for name in each.names for kind in ("png", "npz")):
                    with suppress(FileNotFoundError, PermissionError):  # a viewer has it open: it stays
                        reachable(folder / HEATMAPS_FOLDER / name).unlink()
            case ReceivedFilm():
                received += _delete(each.path)
            case DeliveredResult():
                pass  # the store notes that it went
    return received


def received_files(folder: Path) -> Iterator[tuple[Path, int]]:
    """Received films and their bytes, with those that are kept whole."""
    yield from files_with_sizes(folder)
    yield from files_with_sizes(folder / WHOLE_FOLDER)


def by_age(thing: Droppable) -> datetime:
    return thing.when


def _delete(path: Path) -> bool:
    """Delete a file; False where it had gone before, or where Windows keeps one that a viewer has open."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except PermissionError:
        if sys.platform != "win32":
            raise
        return False
    return True


def _heatmaps(folder: Path) -> dict[str, int]:
    """Bytes of the files in heatmaps/ by their stem."""
    sizes = dict[str, int]()
    for path, size in files_with_sizes(folder / HEATMAPS_FOLDER):
        sizes[path.stem] = sizes.get(path.stem, 0) + size
    return sizes


def files_with_sizes(folder: Path) -> Iterator[tuple[Path, int]]:
    """Files of a folder and their bytes; those that go while they are looked at, as logs do, are left out."""
    with suppress(FileNotFoundError), os.scandir(reachable(folder)) as listing:
        for entry in listing:
            with suppress(FileNotFoundError):
                status = entry.stat(follow_symlinks=False)
                if not stat.S_ISDIR(status.st_mode):
                    yield Path(entry.path), status.st_size
