"""Look-up tables of a DICOM header: modality and VOI LUTs (PS3.3 C.11), and palettes (PS3.3 C.7.9)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from cxr_runtime.reading.dicom.header import RawValue, raw_value

Values = NDArray[np.float64]
Ends = tuple[float, float]  # lowest and highest value of the film
SPARE_ENTRIES = 1  # beyond those stated: LUT Data are filled up to an even length
ROUGH = 8  # times; a curve so much rougher than with its bytes exchanged was written in the other order


@dataclass(frozen=True)
class Table:
    """One look-up table."""

    first: int  # input value of the first entry, 0..65535; those of signed values count from 65536 down
    entries: Values  # (n,) output values
    top: float  # largest output that the table can hold
    is_whole: bool  # holds as many entries as it states

    def covers(self, ends: Ends) -> bool:
        """Whether it tells the output of all values between two; outside a whole table, its ends go on."""
        first = self._first(ends)
        return self.is_whole or (first <= ends[0] and ends[1] < first + len(self.entries))

    def look_up(self, values: Values, ends: Ends) -> Values:
        """Outputs for inputs of any shape of a film with these ends."""
        index = np.clip(np.round(values) - self._first(ends), 0, len(self.entries) - 1)
        return self.entries[index.astype(np.int64)]

    def _first(self, ends: Ends) -> int:
        """The first input with its sign: one beyond all of the film is a negative one."""
        return self.first - (1 << 16) if self.first >= 1 << 15 and self.first > ends[1] else self.first


def table_of(item: Dataset, prefix: str = "LUT") -> Table | None:
    """Read the descriptor and data of a look-up table; None where there is none.

    Args:
        item: an item of the Modality LUT Sequence or the VOI LUT Sequence, or a data set with a palette.
        prefix: of the keywords, e.g. `RedPaletteColorLookupTable`.

    Raises:
        UnreadableFilmError: `damaged` where descriptor or data are broken.
    """
    descriptor, data = raw_value(item, f"{prefix}Descriptor"), raw_value(item, f"{prefix}Data")
    if not data.content:
        return None
    stated = [int(word) for word in data_words(descriptor)]
    count, first, bits = (*stated, 0, 0, 0)[:3] if len(stated) < 3 else stated[:3]
    count = count or 1 << 16
    entries = _entries(data, count, bits)
    is_whole = count <= len(entries) <= count + SPARE_ENTRIES
    return Table(first, entries[:count], _top(entries, bits), is_whole) if entries.size else None


def data_words(raw: RawValue) -> NDArray[np.uint16]:
    """A value as unsigned words, whatever its VR."""
    content = raw.content[: len(raw.content) // 2 * 2]
    return np.frombuffer(content, "<u2" if raw.is_little else ">u2").astype(np.uint16)


def _entries(data: RawValue, count: int, bits: int) -> Values:
    """LUT Data as numbers; 8-bit entries may be packed two to a word, the first in its low byte."""
    words = data_words(data)
    if 0 < bits <= 8 and len(data.content) < 2 * count:
        if data.vr in ("OB", "UN"):
            return np.frombuffer(data.content, np.uint8).astype(np.float64)
        return words.astype("<u2").view(np.uint8).astype(np.float64)
    exchanged = words.byteswap()
    return (exchanged if _roughness(words) > ROUGH * _roughness(exchanged) else words).astype(np.float64)


def _roughness(words: NDArray[np.uint16]) -> float:
    return float(np.abs(np.diff(words.astype(np.int64))).sum())


def _top(entries: Values, bits: int) -> float:
    """The output that means white: by the descriptor, or by the entries where the descriptor cannot be right.

    Devices are known to state 16 bits for entries of 10 or 12, and 8 for entries of 12.
    """
    stated, needed = min(max(bits, 8), 16), max(int(entries.max()), 1).bit_length()
    is_plausible = needed <= stated < needed + 3
    return float((1 << (stated if is_plausible else needed)) - 1)
