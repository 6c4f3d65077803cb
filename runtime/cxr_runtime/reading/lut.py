"""Look-up tables of DICOM, used by modality and VOI alike (PS3.3 C.11.1.1 and C.11.2.1.1)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Table:
    """One look-up table."""

    first: int  # input value of the first entry
    entries: Values  # (n,) output values
    top: float  # largest output that the table can hold

    def look_up(self, values: Values) -> Values:
        """Outputs for inputs of any shape; inputs outside the table take its ends."""
        index = np.clip(np.round(values) - self.first, 0, len(self.entries) - 1)
        return self.entries[index.astype(np.int64)]


def table_of(item: Dataset, *, signed_input: bool) -> Table | None:
    """Read LUT Descriptor and LUT Data of a sequence item; None where they are missing or empty.

    Args:
        item: an item of the Modality LUT Sequence or the VOI LUT Sequence.
        signed_input: whether the first input value is to be read as signed; pydicom does not always know.
    """
    descriptor, data = item.get("LUTDescriptor"), item.get("LUTData")
    if descriptor is None or data is None or len(descriptor) != 3:
        return None
    count, first, bits = (int(value) for value in descriptor)
    count = count or 1 << 16
    if signed_input and first >= 1 << 15:
        first -= 1 << 16
    entries = _entries(data, count, bits)
    return Table(first, entries, _top(entries, bits)) if entries.size else None


def _entries(data: bytes | list[int] | int, count: int, bits: int) -> Values:
    """LUT Data as (n,) numbers, n <= count; 8-bit entries may be packed two to a word."""
    if isinstance(data, bytes):
        width = "u1" if bits <= 8 and len(data) < 2 * count else "<u2"
        return np.frombuffer(data[: len(data) // 2 * 2], width)[:count].astype(np.float64)
    words = np.atleast_1d(np.asarray(data)).astype(np.uint16)
    if bits <= 8 and words.size < count:
        words = words.astype("<u2").view("u1")
    return words[:count].astype(np.float64)


def _top(entries: Values, bits: int) -> float:
    """The output that means white: by the descriptor, or by the entries where the descriptor cannot be right.

    Devices are known to state 16 bits for entries of 10 or 12, and 8 for entries of 12.
    """
    stated, needed = min(max(bits, 8), 16), max(int(entries.max()), 1).bit_length()
    is_plausible = needed <= stated < needed + 3
    return float((1 << (stated if is_plausible else needed)) - 1)
