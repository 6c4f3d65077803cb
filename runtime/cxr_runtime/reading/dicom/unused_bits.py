"""Whether uncompressed pixels use, from one on, bits that they do not need (PS3.5 8.1.1): bytes are lost.

Overlays use such bits too, one each; a sign repeats itself in them; a film that has more bits than its header
states changes them slowly. Values of which the bytes are swapped or wrong fill them with noise.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.reading.failure import damaged

FREE_ROWS = 1 / 16  # share of the rows in which no sample uses them: the whole film is not written so
FEW = 32  # samples
NOISY = 0.15  # of the samples that use them; sound films with overlays and wrong headers reach 0


def check_unused_bits(samples: NDArray[np.integer[Any]], high: int) -> None:
    """Refuse noise in the bits above the value.

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
    if float((~rows).mean()) < FREE_ROWS or np.count_nonzero(is_used) < FEW:
        return
    is_several = (unused & (unused - 1)) != 0
    noisy = is_several[1:, 1:] & (unused[1:, 1:] != unused[1:, :-1]) & (unused[1:, 1:] != unused[:-1, 1:])
    if np.count_nonzero(noisy) >= NOISY * np.count_nonzero(is_used):
        raise damaged("bits that its pixels do not need hold noise")
