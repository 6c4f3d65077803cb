"""What is old is dropped, so that an output folder does not grow for ever; every row stays."""

import re
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cxr_runtime.errors import FullDiskError, StoreError, UsageError
from cxr_runtime.files import DICOM_FOLDER, HEATMAPS_FOLDER, RECEIVED_FOLDER
from cxr_runtime.store.dropping import (
    Droppable,
    Kind,
    PruningStore,
    by_age,
    delete_files,
    files_with_sizes,
    received_files,
)
from cxr_runtime.store.folder import folders_with_stores, held, refuse_links
from cxr_runtime.store.opening import store_in

MOST_DAYS = 36_500
_DAYS = {"d": 1, "w": 7, "y": 365}
_AGE = re.compile(r"(\d{1,5})\s*([dwy])", re.IGNORECASE)


@dataclass(frozen=True)
class Pruned:
    """What was dropped."""

    films: int  # whose pictures were
    pictures_left: int  # films that still have theirs
    results: int
    received: int  # files of films
    before: int  # bytes of the output folder
    after: int
    is_shrunk: bool  # the store gave the room back to the disk; if not, its next films use it


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
    *,
    kinds: Collection[Kind] = frozenset(Kind),
    received: Path | None = None,
    archive: str | None = None,
) -> Pruned:
    """Drop what is old, the oldest first; a scan or a service may run meanwhile.

    Args:
        folder: of a scan.
        older_than: drop what is older than this.
        keep_under: bytes that the folder may have, with that of received films; drop until it has no more.
        now: None: the machine's clock.
        kinds: of what is dropped.
        received: folder of received films; None: that in `folder`.
        archive: that has results; None: every one to which any were sent.

    Raises:
        UsageError: neither limit is given.
        StoreError: the folder holds no store, or it cannot be written.
    """
    if older_than is None and keep_under is None:
        raise UsageError("prune needs a limit; expected --older-than 90d, or --keep-under 20GB, or both")
    store_in(folder)
    refuse_links(folder)
    received = received or folder / RECEIVED_FOLDER
    before = _bytes_of(folder, received)
    latest = (now or datetime.now(UTC)) - older_than if older_than is not None else None

    def doomed(store: PruningStore, has: int) -> list[Droppable]:
        pictures = store.films_by_age(folder, now) if Kind.PICTURES in kinds else []
        results = store.delivered_results(folder, archive) if Kind.RESULTS in kinds else []
        films = store.received_films(received) if Kind.RECEIVED in kinds else []
        excess = 0 if keep_under is None else has - store.free_bytes() - keep_under
        return list(_chosen(sorted([*pictures, *results, *films], key=by_age), latest, excess))

    has, received_gone = before, 0
    try:
        store = PruningStore.open(folder)
    except FullDiskError:  # it cannot be changed without any room: files that lie outside it go first
        with PruningStore.open_file(store_in(folder)) as as_it_lies:
            received_gone = delete_files(folder, doomed(as_it_lies, has))
        has, store = _bytes_of(folder, received), PruningStore.open(folder)
    with store:
        gone = store.drop(folder, doomed(store, has))
        left = store.count_pictures() if Kind.PICTURES in kinds else 0
        is_shrunk = not gone[Kind.PICTURES] or _shrunk(folder, store)
    counts = gone[Kind.PICTURES], left, gone[Kind.RESULTS], gone[Kind.RECEIVED] + received_gone
    return Pruned(*counts, before, _bytes_of(folder, received), is_shrunk)


def prune_days(
    out: Path,
    older_than: timedelta | None = None,
    keep_under: int | None = None,
    now: datetime | None = None,
) -> Pruned:
    """The same of an output folder and of the folders of days in it, the earliest first.

    Args:
        out: holds a store, or folders of days, or both.
        older_than: as of `prune`.
        keep_under: bytes that all of them may have, with received films.
        now: as of `prune`.

    Raises:
        UsageError: neither limit is given.
        StoreError: it holds no store, or one cannot be written.
    """
    folders, received = folders_with_stores(out), out / RECEIVED_FOLDER
    if folders in ([], [out]):
        return prune(out, older_than, keep_under, now)
    of_received = sum(size for _, size in received_files(received))
    before = sum(_bytes_of(folder, received) - of_received for folder in folders) + of_received
    excess, done = 0 if keep_under is None else before - keep_under, list[Pruned]()
    for folder in folders:
        most = None if keep_under is None else max(0, _bytes_of(folder, received) - max(0, excess))
        done.append(prune(folder, older_than, most, now, received=received))
        excess -= done[-1].before - done[-1].after
    return Pruned(
        sum(each.films for each in done),
        sum(each.pictures_left for each in done),
        sum(each.results for each in done),
        sum(each.received for each in done),
        before,
        before - sum(each.before - each.after for each in done),
        all(each.is_shrunk for each in done),
    )


def _chosen(things: Iterable[Droppable], latest: datetime | None, excess: int) -> Iterator[Droppable]:
    """What is dropped: all from before `latest`, and more until `excess` bytes are gone."""
    freed = 0
    for each in things:
        if (latest is None or each.when >= latest) and freed >= excess:
            return
        freed += each.size
        yield each


def _shrunk(folder: Path, store: PruningStore) -> bool:
    try:
        with held(folder):
            store.shrink()
    except (StoreError, sqlite3.OperationalError):
        return False
    return True


def bytes_of_results(folder: Path) -> int:
    """Bytes of the files of an output folder, pictures, DICOM results and received films included.

    Folders of days in it do not count.
    """
    return _bytes_of(folder, folder / RECEIVED_FOLDER)


def _bytes_of(folder: Path, received: Path) -> int:
    places = (folder, folder / HEATMAPS_FOLDER, folder / DICOM_FOLDER)
    results = sum(size for place in places for _, size in files_with_sizes(place))
    return results + sum(size for _, size in received_files(received))
