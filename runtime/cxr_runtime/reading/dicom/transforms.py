"""Modality LUT and VOI LUT: from stored values to values that are shown (PS3.3 C.11)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, FileDataset

from cxr_runtime.reading.dicom.header import integer, keyword, number

Values = NDArray[np.float64]
Voi = Callable[[Values], Values]


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


def modality_of(ds: FileDataset) -> Callable[[Values], Values]:
    """The transform of stored values, any shape; the sequence goes before slope and intercept."""
    for item in ds.get("ModalityLUTSequence") or []:
        table = table_of(item, signed_input=integer(ds, "PixelRepresentation") == 1)
        if table is not None:
            return table.look_up
    slope, intercept = number(ds, "RescaleSlope") or 1.0, number(ds, "RescaleIntercept") or 0.0
    return lambda values: values * slope + intercept


def voi_of(ds: FileDataset) -> Voi | None:
    """The first VOI LUT, else the first window, as light 0..1; None where the file states no usable one."""
    signed = integer(ds, "PixelRepresentation") == 1 or (number(ds, "RescaleIntercept") or 0) < 0
    for item in ds.get("VOILUTSequence") or []:
        table = table_of(item, signed_input=signed)
        if table is not None:
            return lambda values: np.clip(table.look_up(values) / table.top, 0, 1)
    centre, width = number(ds, "WindowCenter"), number(ds, "WindowWidth")
    if centre is None or width is None:
        return None
    return window(centre, width, keyword(ds, "VOILUTFunction"))


def window(centre: float, width: float, function: str) -> Voi | None:
    """A window as light 0..1 (PS3.3 C.11.2.1.2 and C.11.2.1.3); None if its width is not allowed."""
    match function:
        case "SIGMOID" if width > 0:
            return lambda values: 1 / (1 + np.exp(np.clip(-4 * (values - centre) / width, -700, 700)))
        case "LINEAR_EXACT" if width > 0:
            return lambda values: np.clip((values - centre) / width + 0.5, 0, 1)
        case "SIGMOID" | "LINEAR_EXACT":
            return None
    if width < 1:
        return None
    if width == 1:
        return lambda values: (values > centre - 0.5).astype(np.float64)
    return lambda values: np.clip((values - (centre - 0.5)) / (width - 1) + 0.5, 0, 1)
