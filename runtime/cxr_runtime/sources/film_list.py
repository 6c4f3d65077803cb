"""A list of films that fits in memory however long it is: a million in a tenth of what objects take."""

import pickle
from collections.abc import Iterable, Iterator

from isal import isal_zlib

from cxr_runtime.sources.film_source import FilmSource

TOGETHER = 1000  # films that are packed at a time


class FilmList:
    """Films in their order; packed but for the last few, and unpacked as they are gone through.

    Args:
        films: what it holds, taken one after the other.
    """

    def __init__(self, films: Iterable[FilmSource] = ()) -> None:
        self._packed: list[bytes] = []
        self._last: list[FilmSource] = []
        for film in films:
            self._last.append(film)
            if len(self._last) == TOGETHER:
                self._packed.append(isal_zlib.compress(pickle.dumps(self._last), 1))
                self._last = []

    def __len__(self) -> int:
        return TOGETHER * len(self._packed) + len(self._last)

    def __iter__(self) -> Iterator[FilmSource]:
        for packed in self._packed:
            yield from pickle.loads(isal_zlib.decompress(packed))
        yield from self._last
