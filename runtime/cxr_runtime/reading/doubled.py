"""Whether data hold a block that is followed by itself, as damaged copies do."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]  # (n,)

ANCHORS = 64  # one byte in so many is one
MIN_BLOCK, MAX_BLOCK = 64, 1 << 20  # bytes of a block that is looked for
MIN_DISTINCT = 32  # different bytes in it, or it is a pattern
MAX_LENGTHS = 16  # that are tried
SEED = 1  # of the numbers that make one of a word


def has_doubled_block(data: Bytes, word: int, row: int = 0) -> bool:
    """Look for a block that is followed by itself.

    Args:
        data: (n,) uint8.
        word: bytes that sound data hardly ever hold twice; where they do, what is between is compared.
        row: blocks of whole rows of so many bytes do not count: enlarged films repeat theirs; 0: all count.
    """
    anchors = np.flatnonzero((data[: -word - 1] & (ANCHORS - 1)) == ANCHORS // 2 + 5)
    if not anchors.size:
        return False
    factors = np.random.default_rng(SEED).integers(1, 1 << 63, word, np.uint64) | np.uint64(1)
    words = (sliding_window_view(data, word)[anchors] * factors).sum(axis=1, dtype=np.uint64)
    order = np.argsort(words, kind="stable")
    same = np.flatnonzero(np.diff(words[order]) == 0)
    first = anchors[order[same]]
    lengths, places, times = np.unique(
        anchors[order[same + 1]] - first, return_index=True, return_counts=True
    )
    often = np.argsort(times)[: -MAX_LENGTHS - 1 : -1]
    return any(
        _is_doubled(data, int(first[places[i]]), int(lengths[i]))
        for i in often
        if not row or lengths[i] % row
    )


def _is_doubled(data: Bytes, first: int, length: int) -> bool:
    """Whether a block of a length, around a place, is followed by itself; not so of a pattern that recurs."""
    second = first + length
    start, end = max(0, first - length), min(second, len(data) - length)
    if not MIN_BLOCK <= length <= MAX_BLOCK or end <= first:
        return False
    other = np.flatnonzero(data[start:end] != data[start + length : end + length]) + start
    before, behind = other[other < first], other[other > first]
    run = (behind[0] if behind.size else end) - (before[-1] + 1 if before.size else start)
    return bool(run >= length and len(np.unique(data[first:second])) >= MIN_DISTINCT)
