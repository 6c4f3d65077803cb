"""Which bits of a sample are its value (PS3.5 8.1.1), and what they are where header and frame disagree.

Bits beside the stored ones are not part of the value: old files hide overlays in them, others fill them with
the sign. But a header may also state too few bits, or the wrong sign. Then the picture decides: neighbouring
pixels have similar values, so a wrong reading tears it where the doubtful bits change.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.reading.failure import damaged

Stored = NDArray[np.integer[Any]]  # (rows, columns), or (rows, columns, 3)

OVERSHOOT = 1 / 8  # of the stored range, by which lossy compression may go beyond it
FEW = 0.01  # share of pixels that may go farther, or hold more bits than stated: they hide nothing
SMALL_STEP = 1 / 4  # of a reading's range; a step between neighbours below it does not tear the picture
WHOLE = 0.85  # share of small steps from which a reading holds together
MIN_STEPS = 64  # fewer changes of the doubtful bits decide nothing
LOOKED_AT = 1 << 19  # pixels, in whole rows, in which steps are counted
CLEARLY = 0.6  # so much more of the steps must be small for a sign that the header denies
GLANCED_AT = 1 << 15  # pixels, likewise, where nothing but the picture itself speaks against the sign
DEEP = 1 / 16  # of a reading's range, from the value at which the signs differ
BROAD = 0.02  # share of pixels on either side that are deeper: letters and borders are no side of a film


@dataclass(frozen=True)
class Depth:
    """What header and frame say about the bits of a sample."""

    held: int  # in the frame: of native pixels those allocated, else the stream's precision
    stored: int  # Bits Stored
    high: int  # High Bit
    is_signed: bool | None  # Pixel Representation; None where it is missing
    frame_is_signed: bool | None = None  # by the stream; None where it cannot say
    is_lossy: bool = False
    padding: tuple[int, int] | None = None  # values, both included, that are not part of the film
    is_index: bool = False  # into a palette: its values have no sign, and neighbours may be unlike

    @property
    def signed(self) -> bool:
        """The sign that holds unless the picture says otherwise."""
        return bool(self.frame_is_signed if self.is_signed is None else self.is_signed)

    @property
    def top(self) -> int:
        """The number of the highest bit that both frame and header know."""
        return min(self.stored, self.held) - 1

    @property
    def is_sign_doubtful(self) -> bool:
        """Whether header and frame leave the sign open."""
        if self.frame_is_signed is None:
            return self.is_signed is None or (self.is_signed and self.held < self.stored)
        return self.frame_is_signed != self.signed


@dataclass(frozen=True)
class Reading:
    """Values of a picture, and the bits they have."""

    values: Stored
    bits: int


def stored_values(frame: Stored, depth: Depth) -> Reading:
    """Take the stored bits out of a decoded frame.

    Args:
        frame: (rows, columns) integers as decoded; of a signed type only where the stream states a sign.
        depth: what is known about their bits.

    Returns:
        (rows, columns) values with their sign; padding beyond the stored bits keeps its value.

    Raises:
        UnreadableFilmError: `damaged` where header and frame contradict each other and the frame decides not.
    """
    held = frame if frame.dtype.kind == "u" else frame.astype(np.int64) & _mask(depth.held)
    bits = _right_aligned(held, depth)
    stated = _read(bits, depth.stored, signed=depth.signed)
    is_all_stored = _has_no_more(bits, stated, depth)
    if is_all_stored and not (depth.is_sign_doubtful and (bits & (1 << depth.top)).any()):
        return Reading(_with_sign_of_picture(bits, stated, depth), depth.stored)
    full = _read(bits, depth.held, signed=depth.signed)
    if depth.padding is not None and not is_all_stored:
        outside = (full != stated) & (full >= depth.padding[0]) & (full <= depth.padding[1])
        if outside.any() and not outside.all():
            film = np.where(outside, bits[~outside][0], bits)
            inner = stored_values(film, replace(depth, high=depth.stored - 1, padding=None))
            return Reading(np.where(outside, full, inner.values), inner.bits)
    if depth.is_lossy and not is_all_stored and _overshoots(full, depth):
        return Reading(np.clip(full, *_range(depth)), depth.stored)
    return _unbroken(bits, stated, depth, is_all_stored=is_all_stored)


def _with_sign_of_picture(bits: Stored, stated: Stored, depth: Depth) -> Stored:
    """The stated reading, unless it tears the picture and the other sign makes a film of it."""
    some = bits[:: max(1, bits.size // GLANCED_AT)]
    is_high = (some & some.dtype.type(1 << (depth.stored - 1))) != 0
    changes = is_high[:, 1:] != is_high[:, :-1]
    if depth.is_index or np.count_nonzero(changes) < MIN_STEPS:
        return stated
    wholeness = []
    for signed in (depth.signed, not depth.signed):
        values = _read(some, depth.stored, signed=signed).astype(np.int64)
        span = int(values.max()) - int(values.min()) + 1
        steps = np.abs(np.diff(values, axis=1))[changes]
        wholeness.append(float((steps < span * SMALL_STEP).mean()))
    away = values - (1 << (depth.stored - 1) if depth.signed else 0)
    sides = float((away < -span * DEEP).mean()), float((away > span * DEEP).mean())
    if wholeness[0] >= WHOLE or wholeness[1] - wholeness[0] < CLEARLY or min(sides) < BROAD:
        return stated
    return _read(bits, depth.stored, signed=not depth.signed)


def _mask(count: int) -> int:
    return (1 << count) - 1


def _right_aligned(held: Stored, depth: Depth) -> Stored:
    """Shift by High Bit, unless no pixel has bits so high: then High Bit is wrong."""
    shift = depth.high + 1 - depth.stored
    if shift <= 0 or depth.high >= depth.held or int(held.max(initial=0)) <= _mask(depth.stored):
        return held
    return held >> shift


def _read(bits: Stored, count: int, *, signed: bool) -> Stored:
    """The lowest `count` bits as numbers."""
    if signed:
        sign = 1 << (count - 1)
        return np.asarray(((bits.astype(np.int64) & _mask(count)) ^ sign) - sign)
    if int(bits.max(initial=0)) <= _mask(count):
        return bits
    return np.asarray(bits & bits.dtype.type(_mask(count)))


def _has_no_more(bits: Stored, stated: Stored, depth: Depth) -> bool:
    """Whether the bits beside the stored ones are empty, or repeat the sign."""
    if depth.held <= depth.stored or int(bits.max(initial=0)) <= _mask(depth.stored):
        return True
    return depth.signed and np.array_equal(stated & _mask(depth.held), bits)


def _range(depth: Depth) -> tuple[int, int]:
    half = 1 << (depth.stored - 1)
    return (-half, half - 1) if depth.signed else (0, 2 * half - 1)


def _overshoots(full: Stored, depth: Depth) -> bool:
    """Whether values lie beyond the stored range as lossy compression puts them there: near it, or few."""
    low, high = _range(depth)
    margin = int((high - low + 1) * OVERSHOOT)
    is_near = int(full.min()) >= low - margin and int(full.max()) <= high + margin
    return is_near or float(((full < low) | (full > high)).mean()) < FEW


def _unbroken(bits: Stored, stated: Stored, depth: Depth, *, is_all_stored: bool) -> Reading:
    """The first reading, the header's before others, that does not tear the picture where bits change."""
    rows = slice(None, None, max(1, bits.size // LOOKED_AT))
    doubtful = bits[rows] >> depth.top
    changes = doubtful[:, 1:] != doubtful[:, :-1]
    if np.count_nonzero(changes) < MIN_STEPS or _is_whole(stated[rows], changes, 1 << depth.stored):
        return Reading(stated, depth.stored)
    others = [(depth.stored, not depth.signed), (depth.held, depth.signed), (depth.held, not depth.signed)]
    for count, signed in others:
        other = _read(bits[rows], count, signed=signed)
        if _is_whole(other, changes, int(other.max()) - int(other.min()) + 1):
            return Reading(_read(bits, count, signed=signed), count)
    if is_all_stored or float((bits > _mask(depth.stored)).mean()) < FEW:
        return Reading(stated, depth.stored)
    raise damaged(
        f"its header states {depth.stored} {'signed' if depth.signed else 'unsigned'} bits a pixel, but its "
        "pixels use others and do not show which"
    )


def _is_whole(values: Stored, changes: NDArray[np.bool_], span: int) -> bool:
    """Whether neighbours on both sides of a change are alike; (rows, columns) values within `span`."""
    steps = np.abs(np.diff(values.astype(np.int64), axis=1))[changes]
    return float((steps < span * SMALL_STEP).mean()) >= WHOLE


FREE_ROWS = 1 / 16  # share of the rows in which no sample uses them: the whole film is not written so
FEWEST_NOISY = 32  # samples
NOISY = 0.15  # of the samples that use them; sound films with overlays and wrong headers reach 0


def check_unused_bits(samples: Stored, high: int) -> None:
    """Refuse noise in the bits above the value: from one pixel on, bytes are lost or swapped.

    Overlays use such bits too, one each; a sign repeats itself in them; a film that has more bits than its
    header states changes them slowly.

    Args:
        samples: (rows, columns) or (rows, columns, 3) as stored, unsigned.
        high: number of the highest bit of a value, High Bit.

    Raises:
        UnreadableFilmError: `damaged`.
    """
    bits = 8 * samples.dtype.itemsize
    if samples.ndim != 2 or bits - high < 3 or int(samples.max(initial=0)) >> (high + 1) == 0:
        return
    unused = (samples >> (high + 1)).astype(np.int32)
    unused[unused == (1 << (bits - high - 1)) - 1] = 0
    is_used = unused != 0
    rows = is_used.any(axis=1)
    if float((~rows).mean()) < FREE_ROWS or np.count_nonzero(is_used) < FEWEST_NOISY:
        return
    is_several = (unused & (unused - 1)) != 0
    noisy = is_several[1:, 1:] & (unused[1:, 1:] != unused[1:, :-1]) & (unused[1:, 1:] != unused[:-1, 1:])
    if np.count_nonzero(noisy) >= NOISY * np.count_nonzero(is_used):
        raise damaged("bits that its pixels do not need hold noise")
