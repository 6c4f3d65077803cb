"""Whether the blocks of a JPEG picture are torn: what is left of damage where its code words still fit.

The first coefficient of a block is coded as the difference from the block before (ITU-T T.81, F.1.2.1). Where
one is wrong, all that follow are darker or brighter, from the middle of a row of blocks on; the anatomy goes
on all the same.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.film import GreyPixels
from cxr_runtime.reading.failure import damaged
from cxr_runtime.reading.misread import has_slip

Line = NDArray[np.float32]

BLOCK = 8  # pixels; side of a block
SPAN = 2 * BLOCK  # columns that are averaged
MIN_SPANS, MIN_ROWS = 37, 600  # in a smaller picture chance may look like a tear
MIN_JUMP, MAX_JUMP = 3.0, 60.0  # grey levels between the part before and the part behind
MIN_CONSTANCY = 2.5  # jump over its deviation along the tear
MIN_LIKENESS = 0.8  # correlation of what lies above and below the tear
MIN_SHARE = 0.6  # of the row in which neither side is black or white
MARGIN = 0.1  # share of a row: a tear begins at any column, an edge of the picture near the first or last
BORDER = 0.06  # share of the rows at top and bottom, where films have frames
DROP, LIT = 15.0, 12.0  # grey levels to where all is black or white; from there to where it is not
DROPPED, NOT_YET = 0.85, 0.2  # shares of lit spans that drop along the staircase, and beside it: or one
MIN_LIT, MIN_STEP = 0.5, 3  # share of a row of blocks that must be lit above it; of each of its two parts
EDGE = 12.0  # grey levels; larger steps from span to span count as that


def check_blocks(pixels: GreyPixels, block_rows: int = BLOCK) -> None:
    """Refuse a JPEG picture, (rows, columns) uint8 as stored, that goes on brighter, blank or moved from one
    block on.

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
    if has_slip(pixels):
        raise damaged("its picture is torn")
    if width < MIN_SPANS or pixels.shape[0] < MIN_ROWS:
        return
    above, below = (_line(pixels[block_rows + offset :: block_rows][:count], width) for offset in (-1, 0))
    lowest, highest = float(pixels.min()) + 2, float(pixels.max()) - 2
    is_lit = (above > lowest + LIT) & (above < highest - LIT)
    if any(_has_staircase(is_lit, is_lit & (drop >= DROP)) for drop in (above - below, below - above)):
        raise damaged("its picture is torn")
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


def _has_staircase(is_lit: NDArray[np.bool_], drops: NDArray[np.bool_]) -> bool:
    """Whether all that is lit drops along the upper edges of one row of blocks, from its middle on.

    Args:
        is_lit: (rows of blocks, spans), whether film lies above.
        drops: the same, and whether it ends there.
    """
    width = is_lit.shape[1]
    beside = max(4, width // 10)
    lit, dropped = (np.concatenate([[0], np.cumsum(flags.ravel())]) for flags in (is_lit, drops))
    first = np.arange(beside, lit.size - 1 - width - beside)
    turn, last = (first // width + 1) * width, first + width
    parts = ((first, turn), (turn, last))
    is_step = np.abs(first % width / width - 0.5) < 0.5 - MARGIN
    is_step &= lit[last] - lit[first] >= MIN_LIT * width
    is_step &= lit[first] - lit[first - beside] >= MIN_LIT * beside
    for start, end in ((first - beside, first), (last, last + beside)):
        is_step &= dropped[end] - dropped[start] <= max(1.0, NOT_YET * beside)
    for start, end in parts:
        count = lit[end] - lit[start]
        is_step &= (count >= MIN_STEP) & (dropped[end] - dropped[start] >= DROPPED * count)
    return bool(is_step.any())


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
