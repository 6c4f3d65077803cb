"""Whether data hold a block that is followed by itself, as damaged copies do."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from cxr_runtime.film import GreyPixels
from cxr_runtime.reading.failure import damaged
from cxr_runtime.reading.misread import has_misread_pixels, has_slip

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
        word: bytes, 8 or a multiple, that sound data hardly ever hold twice; where they do, all between is
            compared.
        row: blocks of whole rows of so many bytes do not count: enlarged films repeat theirs; 0: all count.
    """
    anchors = np.flatnonzero((data[: -word - 1] & (ANCHORS - 1)) == ANCHORS // 2 + 5)
    if not anchors.size:
        return False
    words = sliding_window_view(data, word)[anchors].view("<u8")
    factors = np.random.default_rng(SEED).integers(1, 1 << 63, words.shape[1], np.uint64) | np.uint64(1)
    # The upper bits of a number tell words apart, and the lower ones say where its word is: only numbers are
    # sorted. What is alike by chance is compared below.
    bits = np.uint64(len(anchors).bit_length())
    numbers = (words * factors).sum(axis=1, dtype=np.uint64) >> bits << bits
    numbers = np.sort(numbers | np.arange(len(anchors), dtype=np.uint64))
    order = (numbers & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.intp)
    same = np.flatnonzero((numbers[1:] ^ numbers[:-1]) >> bits == 0)
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


STRIDE = 8  # columns from which rows are compared
WORD = 32  # pixels that a film hardly ever holds twice
MIN_SIDE = 128  # pixels; a smaller picture is not looked at
BREAK, BREAK_RATIO = (
    6.0,
    3.0,
)  # grey levels from row to row, and how many times the usual, where it may be torn
USUAL = 30  # percentile of the steps from row to row; damage may have changed many of them
TRIES = 6  # places of these looked at closely
APART = (2, 4)  # rows above and below the place, which may lie in the middle of a row
SHIFTED = 0.97  # correlation of the rows above and below once one of them is moved back
UNSHIFTED = 0.9  # of that at most, as they stand
MIN_SHIFT = 3  # columns
FLAT = 2.0  # grey levels; deviation of an empty row
NOISE, NOISE_RATIO, NOISE_ROWS = 25.0, 10.0, 8  # as BREAK; rows together that are numbers misread
ALIKE = 0.9  # correlation of the rows above and below blank ones: the film went on
LIT = 12  # grey levels from black: film
STRONGLY_LIT, MOSTLY = 40, 0.9  # the same for a thin line, and along how much of it
ENDS, RUN = 8, 64  # pixels of a blank run that are compared with the film around; the shortest run


def check_rows(pixels: GreyPixels) -> None:
    """Refuse a picture, (rows, columns) uint8 stored row by row, that is shifted, doubled or blank
    from one pixel on.

    Raises:
        UnreadableFilmError: `damaged`.
    """
    if min(pixels.shape) < MIN_SIDE:
        return
    doubled = has_doubled_block(pixels.ravel(), WORD, row=pixels.shape[1])
    shifted = _is_shifted(pixels) or has_slip(pixels)
    if doubled or shifted or _has_blank_run(pixels) or has_misread_pixels(pixels):
        raise damaged("its picture is torn")


def _is_shifted(pixels: GreyPixels) -> bool:
    """Whether rows go on somewhere as those above them but moved sideways, or as noise."""
    thin = pixels[:, ::STRIDE].astype(np.int16)
    breaks = np.abs(np.diff(thin, axis=0)).mean(axis=1)
    usual = float(np.percentile(breaks, USUAL))
    is_quiet = np.concatenate([[-1], np.flatnonzero(breaks < max(NOISE, NOISE_RATIO * usual)), [len(breaks)]])
    if np.diff(is_quiet).max() > NOISE_ROWS:
        return True
    limit = max(BREAK, BREAK_RATIO * usual)
    places = [int(place) for place in np.argsort(breaks)[: -TRIES - 1 : -1] if breaks[place] > limit]
    inside = [place for place in places if APART[-1] <= place < len(pixels) - APART[-1] - 2]
    for place in inside:
        shifts = [_shift(pixels[place - gap], pixels[place + 1 + gap]) for gap in APART]
        if all(shifts) and max(shifts) - min(shifts) <= 2:
            return True
    return False


def _shift(above: GreyPixels, below: GreyPixels) -> int:
    """By how many columns one row is moved against another; 0 if it is not, or not surely."""
    first, second = (row - row.mean() for row in (above.astype(np.float64), below.astype(np.float64)))
    if min(first.std(), second.std()) < FLAT:
        return 0
    spectrum = np.conj(np.fft.rfft(first)) * np.fft.rfft(second)
    likeness = np.fft.irfft(spectrum, len(first)) / (len(first) * first.std() * second.std())
    best = int(np.argmax(likeness))
    is_moved = likeness[best] > SHIFTED and likeness[0] < UNSHIFTED * likeness[best]
    return best if is_moved and MIN_SHIFT <= best <= len(first) - MIN_SHIFT else 0


def _has_blank_run(pixels: GreyPixels) -> bool:
    """Whether a run of black, read row by row, begins and ends amid film."""
    columns = pixels.shape[1]
    edges = np.flatnonzero(np.diff(pixels.ravel() == 0, prepend=False, append=False))
    first, last = edges[::2], edges[1::2]
    inside = (first >= 2 * columns) & (last + 2 * columns <= pixels.size)
    runs = np.flatnonzero((last - first >= RUN) & inside)
    return any(
        _hides_rows(pixels, int(start), int(end))
        if end - start >= columns
        else _hides_pixels(pixels.ravel(), int(start), int(end), columns)
        for start, end in zip(first[runs], last[runs], strict=True)
    )


def _hides_rows(pixels: GreyPixels, start: int, end: int) -> bool:
    """Whether a blank run of a row and more lies over film: begins amid it, or lies between like rows."""
    flat, columns = pixels.ravel(), pixels.shape[1]
    head, tail = min(ENDS, columns - start % columns), min(ENDS, end % columns)
    ends = flat[start - columns :][:head], flat[end + columns - tail :][:tail]
    if max(head, tail) >= ENDS and all(part.size < ENDS or part.min() > LIT for part in ends):
        return True
    rows = pixels[start // columns - 1], pixels[end // columns + 1]
    return min(row.std() for row in rows) > 4 * FLAT and float(np.corrcoef(*rows)[0, 1]) > ALIKE


def _hides_pixels(flat: GreyPixels, start: int, end: int, columns: int) -> bool:
    """Whether a blank run shorter than a row has bright film all along, above and below."""
    around = (flat[start - columns : end - columns], flat[start + columns : end + columns])
    return all(np.count_nonzero(part > STRONGLY_LIT) > MOSTLY * part.size for part in around)
