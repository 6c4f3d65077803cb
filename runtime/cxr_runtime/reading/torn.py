"""Whether a picture is torn: what is left of damage in codings without a checksum, once they are decoded.

Such a picture is read in one line from the top left to the bottom right. Where bytes were lost, changed or
doubled, what follows is shifted, blank or noise, from the middle of one row on; the anatomy goes on all the
same. No sound film looks like that: an edge of the collimator runs along a row, and one of its sides is
empty.
"""

import numpy as np

from cxr_runtime.film import GreyPixels
from cxr_runtime.reading.doubled import has_doubled_block
from cxr_runtime.reading.failure import damaged
from cxr_runtime.reading.misread import has_misread_pixels
from cxr_runtime.reading.slipped import has_slip

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
    return all(float((part > STRONGLY_LIT).mean()) > MOSTLY for part in around)
