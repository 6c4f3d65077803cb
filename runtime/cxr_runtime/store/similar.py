"""Similar films of a store: by the cosine between what the network saw in them.

An exact comparison with every film: for 100,000 of 512 numbers it reads 51 MB of memory and takes some 40 ms.
"""

from dataclasses import dataclass, field
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.store.desk import Desk
from cxr_runtime.store.features import features_in
from cxr_runtime.store.listing import Listed, one
from cxr_runtime.store.sqlite import store_errors

READ_AT_ONCE = 20_000  # films
COMPARED_AT_ONCE = 8192  # films, as float32: 16 MB for 512 channels
CANDIDATES = 60  # the most similar ones that are looked at, until there are enough that can be shown


@dataclass(frozen=True)
class Similar:
    """A film that is like another one."""

    film: Listed
    cosine: float  # of what the network saw in both, 1: the same; those of two films by chance are near 0.7


@dataclass
class _Known:
    """The films of one fingerprint that were read so far."""

    results: NDArray[np.int64]  # (N,) ids in the store, rising
    numbers: NDArray[np.int8]  # (N, C)
    norms: NDArray[np.float32]  # (N,)


@dataclass
class SimilarFilms:
    """Finds similar films; what it has read of the store it keeps, so that only new films are read again."""

    _lock: Lock = field(default_factory=Lock)
    _known: dict[tuple[str, int], _Known] = field(default_factory=dict)  # by fingerprint and channels

    def of(self, desk: Desk, film: Listed, many: int, without: frozenset[str] = frozenset()) -> list[Similar]:
        """The films that are most similar to one, the most similar first; none where nothing is kept of it.

        Args:
            desk: open.
            film: of this store.
            many: films.
            without: sha256 of films that are left out.

        Raises:
            StoreError: the store cannot be read, or a row is not what a scan stores.
        """
        asked = features_in(desk, film.result)
        if asked is None or not asked.is_ours:
            return []
        with self._lock, store_errors(desk.name):
            known = self._brought_up(desk, asked.fingerprint, len(asked.numbers))
            cosines = _cosines(known, np.frombuffer(asked.numbers, np.int8))
        left_out = {*without, film.outcome.sha256}
        found = list[Similar]()
        for at in _largest(cosines, CANDIDATES):
            other = self._shown(desk, int(known.results[at]), known.numbers[at].tobytes())
            if other is not None and other.outcome.sha256 not in left_out:
                found.append(Similar(other, float(cosines[at])))
                if len(found) == many:
                    break
        return found

    def _shown(self, desk: Desk, result: int, numbers: bytes) -> Listed | None:
        """A film that was found, as the list has it; None where it is there no more, or was changed."""
        stands = features_in(desk, result)
        if stands is None or not stands.is_ours:
            return None
        if stands.numbers != numbers:
            self._known = {}  # films were dropped, and others have their numbers: all is read again
            return None
        film = one(desk, stands.sha256)
        return film if film is not None and film.result == result else None

    def _brought_up(self, desk: Desk, fingerprint: str, channels: int) -> _Known:
        """All films of a fingerprint; those that are new since the last time are read."""
        key = (fingerprint, channels)
        if key not in self._known:  # of one network and size at a time
            nothing = np.empty(0, np.int64), np.empty((0, channels), np.int8), np.empty(0, np.float32)
            self._known = {key: _Known(*nothing)}
        known = self._known[key]
        last = int(known.results[-1]) if len(known.results) else 0
        query = (
            "SELECT features.result, numbers FROM features JOIN results ON results.id = features.result"
            " WHERE features.result > ? AND fingerprint = ? AND length(numbers) = ?"
            " AND typeof(numbers) = 'blob' ORDER BY features.result"
        )
        rows = desk._db.execute(query, (last, *key))
        while some := rows.fetchmany(READ_AT_ONCE):
            numbers = np.frombuffer(b"".join(row[1] for row in some), np.int8).reshape(len(some), channels)
            norms = np.sqrt(np.einsum("nc,nc->n", numbers, numbers, dtype=np.float32))
            results = np.array([row[0] for row in some], np.int64)
            known.results = np.concatenate([known.results, results])
            known.numbers = np.concatenate([known.numbers, numbers])
            known.norms = np.concatenate([known.norms, np.maximum(norms, 1)])
        return known


def _cosines(known: _Known, numbers: NDArray[np.int8]) -> NDArray[np.float32]:
    """(N,) float32 in -1..1, of every known film with one."""
    asked = numbers.astype(np.float32)
    asked /= max(float(np.linalg.norm(asked)), 1.0)
    cosines = np.empty(len(known.results), np.float32)
    for first in range(0, len(cosines), COMPARED_AT_ONCE):
        part = slice(first, first + COMPARED_AT_ONCE)
        cosines[part] = known.numbers[part].astype(np.float32) @ asked
    return np.asarray(cosines / known.norms, np.float32)


def _largest(values: NDArray[np.float32], many: int) -> NDArray[np.intp]:
    """Places of the largest values, the largest first."""
    some = np.argpartition(-values, many)[:many] if len(values) > many else np.arange(len(values))
    return np.asarray(some[np.argsort(-values[some], kind="stable")], np.intp)
