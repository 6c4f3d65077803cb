"""Which files of a folder were given already, in 16 bytes each: a watched folder may hold 100,000."""

import numpy as np
from numpy.typing import NDArray

MERGED_AT = 4096  # new files that are kept apart before the sorted arrays are made anew


class KnownFiles:
    """Numbers that stand for files (`Listed.key`), and for the state in which each was given.

    Two files of one number pass for one; with 64 bits that befalls one of 3.7 billion folders of 100,000.
    """

    def __init__(self) -> None:
        self._keys: NDArray[np.int64] = np.empty(0, np.int64)  # sorted
        self._states: NDArray[np.int64] = np.empty(0, np.int64)  # of the same files
        self._fresh: dict[int, int] = {}  # not in the arrays yet

    def add(self, key: int, state: int) -> None:
        """A file was given in this state."""
        self._fresh[key] = state
        if len(self._fresh) >= MERGED_AT:
            self._merge()

    def unknown(self, keys: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these files were not given.

        Args:
            keys: (N,) int64.
        """
        self._merge()
        if not len(self._keys):
            return np.ones(len(keys), np.bool_)
        at = np.searchsorted(self._keys, keys).clip(max=len(self._keys) - 1)
        return np.asarray(self._keys[at] != keys, np.bool_)

    def forget_others(self, keys: NDArray[np.int64]) -> None:
        """Forget files that are not there any more.

        Args:
            keys: (N,) int64, of all files that are in the folder now.
        """
        self._merge()
        kept = np.isin(self._keys, keys)
        if not kept.all():
            self._keys, self._states = self._keys[kept], self._states[kept]

    def state(self, key: int) -> int | None:
        """In which state a file was given; None: it was not."""
        if key in self._fresh:
            return self._fresh[key]
        at = int(np.searchsorted(self._keys, key))
        return int(self._states[at]) if at < len(self._keys) and self._keys[at] == key else None

    def _merge(self) -> None:
        if not self._fresh:
            return
        keys = np.fromiter(self._fresh.keys(), np.int64, len(self._fresh))
        states = np.fromiter(self._fresh.values(), np.int64, len(self._fresh))
        old = ~np.isin(self._keys, keys)
        keys, states = np.append(self._keys[old], keys), np.append(self._states[old], states)
        order = np.argsort(keys)
        self._keys, self._states = keys[order], states[order]
        self._fresh.clear()
