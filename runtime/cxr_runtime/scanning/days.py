"""One output folder a day, DIR/2026-11-29: each is complete in itself, and no film has its row in two."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import chain
from pathlib import Path

import numpy as np

from cxr_runtime.errors import StoreError
from cxr_runtime.store.beside import StoreBeside
from cxr_runtime.store.folder import days_of


def folder_of(out: Path, day: date) -> Path:
    """The output folder of a day."""
    return out / day.isoformat()


def next_midnight(now: datetime) -> datetime:
    """When the day of `now` ends, by the clock on the wall."""
    midnight = datetime.combine(now.date() + timedelta(days=1), time())
    # A time of this machine bears the offset of its moment; that of midnight is another one where summer time
    # begins or ends in between.
    is_local = now.tzinfo is None or now.utcoffset() == now.astimezone().utcoffset()
    return midnight.astimezone() if is_local else midnight.replace(tzinfo=now.tzinfo)


class EarlierFilms:
    """Which films have their row in the folder of another day: by their file as it stands, or by their bytes.

    Holds 16 bytes a film, so that years of nights fit. Two marks of one number pass for one: with 64 bits and
    a million films that befalls one film in nine million million.

    Args:
        out: the folder that holds those of the days.
        today: whose films do not count as earlier ones.
    """

    def __init__(self, out: Path, today: date) -> None:
        marks = chain.from_iterable(
            _marks(folder) for folder in days_of(out) if folder.name != today.isoformat()
        )
        self._marks = np.unique(np.fromiter(map(hash, marks), np.int64))

    def __contains__(self, mark: object) -> bool:
        number = hash(mark)
        at = int(np.searchsorted(self._marks, number))
        return bool(mark) and at < len(self._marks) and int(self._marks[at]) == number


def _marks(folder: Path) -> Iterator[str]:
    """Stamps and digests of a day; of a store that is damaged as many as can be read."""
    try:
        with StoreBeside.open(folder) as store:
            yield from store.marks()
    except StoreError:
        return
