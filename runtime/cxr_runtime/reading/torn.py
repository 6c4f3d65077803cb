"""Whether a picture is torn: what is left of damage in codings without a checksum, once they are decoded.

Such a picture is read in one line from the top left to the bottom right. Where bytes were lost, changed or
doubled, what follows is darker, brighter or shifted, from the middle of one row on; the anatomy goes on all
the same. No sound film looks like that: an edge of the collimator runs along a row, and one of its sides is
empty.
"""

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from cxr_runtime.film import GreyPixels
from cxr_runtime.reading.failure import damaged

Line = NDArray[np.float32]
Bytes = NDArray[np.uint8]  # (n,)

# Blocks of JPEG
BLOCK = 8  # pixels; side of a block
SPAN = 2 * BLOCK  # columns that are averaged
MIN_SPANS, MIN_ROWS = 37, 600  # in a smaller picture chance may look like a tear
MIN_JUMP, MAX_JUMP = 3.0, 60.0  # grey levels between the part before and the part behind
MIN_CONSTANCY = 2.5  # jump over its deviation along the tear
MIN_LIKENESS = 0.8  # correlation of what lies above and below the tear
MIN_SHARE = 0.6  # of the row in which neither side is black or white
MARGIN = 0.1  # share of a row: a tear begins at any column, an edge of the picture near the first or last
BORDER = 0.06  # share of the rows at top and bottom, where films have frames
EDGE = 12.0  # grey levels; larger steps from span to span count as that

# Rows
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

# Doubled blocks
ANCHORS = 64  # one byte in so many is one
MIN_BLOCK, MAX_BLOCK = 64, 1 << 20  # bytes of a block that is looked for
MIN_DISTINCT = 32  # different bytes in it, or it is a pattern
MAX_LENGTHS = 16  # that are tried
SEED = 1  # of the numbers that make one of a word


def check_blocks(pixels: GreyPixels, block_rows: int = BLOCK) -> None:
    """Refuse a JPEG picture, (rows, columns) uint8 as stored, whose blocks are all brighter from one on.

    A block's mean is coded as the difference from the block before, so that one wrong difference moves all
    that follow. In the sequence of steps across the upper edges of blocks, row by row, that is a run as long
    as a row of blocks, of one height.

    Args:
        pixels: of one component, or of all where they are the same.
        block_rows: rows that are coded together: 8, or 16 where chroma has half the resolution.

    Raises:
        UnreadableFilmError: `damaged`.
    """
    width, count = pixels.shape[1] // SPAN, pixels.shape[0] // block_rows - 1
    if width < MIN_SPANS or pixels.shape[0] < MIN_ROWS:
        return
    above, below = (_line(pixels[block_rows + offset :: block_rows][:count], width) for offset in (-1, 0))
    lowest, highest = float(pixels.min()) + 2, float(pixels.max()) - 2
    counts = (np.minimum(above, below) > lowest) & (np.maximum(above, below) < highest)
    steps = np.clip(below - above, -MAX_JUMP, MAX_JUMP) * counts
    jump = _runs(steps, width)
    if np.abs(jump).max() < MIN_JUMP * MIN_SHARE * width:
        return
    number = np.maximum(_runs(counts, width), 1)
    jump /= number
    deviation = np.sqrt(np.maximum(_runs(steps**2, width) / number - jump**2, 0) + 0.25)
    first = np.arange(len(jump))
    torn = (np.abs(jump) >= np.maximum(MIN_JUMP, MIN_CONSTANCY * deviation)) & (
        np.abs(jump) < 0.99 * MAX_JUMP
    )
    torn &= (number >= MIN_SHARE * width) & (np.abs(first % width / width - 0.5) < 0.5 - MARGIN)
    torn &= np.abs(first / len(first) - 0.5) < 0.5 - BORDER
    if torn.any() and (_likeness(above, below, counts, width)[torn] > MIN_LIKENESS).any():
        raise damaged("its picture is torn")


def _line(rows: GreyPixels, width: int) -> Line:
    """Rows averaged over every SPAN columns; (rows, width) grey levels."""
    whole = rows[:, : width * SPAN]
    return np.asarray(cv2.resize(whole, (width, len(whole)), interpolation=cv2.INTER_AREA), np.float32)


def _runs(values: NDArray[np.generic], width: int) -> NDArray[np.float64]:
    """Sums over all runs of `width` values, read row by row."""
    sums = np.cumsum(values.ravel(), dtype=np.float64)
    return np.asarray(sums[width:] - sums[:-width], np.float64)


def _likeness(above: Line, below: Line, counts: NDArray[np.bool_], width: int) -> NDArray[np.float64]:
    """Correlation of the steps from span to span along a row, on both sides of its upper edge."""
    both = counts[:, 1:] & counts[:, :-1]
    steps = [np.zeros_like(above) for _ in range(2)]
    for step, line in zip(steps, (above, below), strict=True):
        step[:, 1:] = np.where(both, np.clip(np.diff(line, axis=1), -EDGE, EDGE), 0)
    first, second = steps
    product = _runs(first * second, width)
    return np.asarray(product / np.sqrt(_runs(first**2, width) * _runs(second**2, width) + 1), np.float64)


def check_rows(pixels: GreyPixels) -> None:
    """Refuse a picture, (rows, columns) uint8 stored row by row, that is shifted, doubled or blank
    from one pixel on.

    Raises:
        UnreadableFilmError: `damaged`.
    """
    if min(pixels.shape) < MIN_SIDE:
        return
    doubled = has_doubled_block(pixels.ravel(), WORD, row=pixels.shape[1])
    if doubled or _is_shifted(pixels) or _has_blank_run(pixels):
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
    return all(float((part > STRONGLY_LIT).mean()) > MOSTLY for part in around)


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
