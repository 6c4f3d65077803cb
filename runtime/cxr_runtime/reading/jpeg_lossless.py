"""Whether a lossless JPEG picture ends with what the last bytes of its stream code (ITU-T T.81, annex H).

A decoder that lost its place needs more bytes than there are, or leaves some over, and says neither. Whoever
begins to read such a stream in the middle falls into step with its code words within a few of them, so the
last hundred bytes can be read by themselves: their differences must be those of the last pixels.
"""

import re

import numpy as np

from cxr_runtime.reading.grey import Samples
from cxr_runtime.reading.jpeg_markers import DRI, SOS, JpegFrame

TAIL = 96  # bytes
STARTS = 24  # bits at the tail's beginning at which a code word may begin
COMPARED = 24  # differences
TELLING = 6  # of them must not be 0, or a flat end would agree with any
PADDING = 8  # bits that may follow the last code word, less one

Codes = dict[tuple[int, int], int]  # (bits, code word) to category


def ends_as_coded(stream: bytes, frame: JpegFrame, pixels: Samples) -> bool:
    """Whether the last pixels are surely those which the end of the stream codes; False where in doubt.

    Args:
        stream: the whole stream, of one component and one scan.
        frame: what its markers say.
        pixels: (rows, columns) as decoded, uint8 or uint16.
    """
    scan = frame.bodies(SOS)[-1]
    codes = _codes(frame, table=scan[2] >> 4)
    wanted = _last_differences(pixels, scan[3], scan[5] & 15, _rows_between_restarts(frame))
    if not codes or len(wanted) < COMPARED or np.count_nonzero(wanted) < TELLING:
        return False
    start = max(frame.segments[-1].end, frame.end - TAIL)
    data = re.split(rb"\xff[\xd0-\xd7]", stream[start : frame.end])[-1].replace(b"\xff\x00", b"\xff")
    bits, count = int.from_bytes(data, "big"), 8 * len(data)
    return any(_agrees(_parsed(bits, count, start_bit, codes), wanted) for start_bit in range(STARTS))


def _codes(frame: JpegFrame, table: int) -> Codes:
    """The Huffman code of a table of class 0 (annex C); of several definitions the last."""
    tables = [(counts, values) for place, counts, values in frame.huffman_tables() if place == table]
    return _canonical(*tables[-1]) if tables else {}


def _canonical(counts: bytes, values: bytes) -> Codes:
    codes, code, used = {}, 0, 0
    for length, count in enumerate(counts, start=1):
        for value in values[used : used + count]:
            codes[length, code] = value
            code += 1
        used, code = used + count, code << 1
    return codes


def _rows_between_restarts(frame: JpegFrame) -> int:
    intervals = [int.from_bytes(body[:2], "big") for body in frame.bodies(DRI)]
    return intervals[-1] // max(1, frame.columns) if intervals else 0


def _last_differences(pixels: Samples, predictor: int, shift: int, rows_between_restarts: int) -> list[int]:
    """The last differences of the last row from their predictions, modulo 65536 (H.1.2)."""
    rows, columns = pixels.shape
    count = min(4 * COMPARED, columns - 1)
    is_first_row = rows == 1 or (rows_between_restarts > 0 and (rows - 1) % rows_between_restarts == 0)
    last = pixels[-1, -count - 1 :].astype(np.int64) >> shift
    above = last if rows == 1 else pixels[-2, -count - 1 :].astype(np.int64) >> shift
    a, b, c = last[:-1], above[1:], above[:-1]
    predicted = {
        1: a,
        2: b,
        3: c,
        4: a + b - c,
        5: a + ((b - c) >> 1),
        6: b + ((a - c) >> 1),
        7: (a + b) >> 1,
    }.get(1 if is_first_row else predictor, a)
    differences: list[int] = ((last[1:] - predicted) & 0xFFFF).tolist()
    return differences[-COMPARED:]


def _parsed(bits: int, count: int, at: int, codes: Codes) -> list[tuple[int, int]]:
    """(difference modulo 65536, bits left behind it) of every code word from a bit on."""
    found: list[tuple[int, int]] = []
    while True:
        for length in range(1, min(16, count - at) + 1):
            category = codes.get((length, (bits >> (count - at - length)) & ((1 << length) - 1)))
            if category is not None:
                break
        else:
            return found
        extra = category if category < 16 else 0
        at += length + extra
        if at > count:
            return found
        value = (bits >> (count - at)) & ((1 << extra) - 1)
        if category == 16:
            value = 32768
        elif extra and value < 1 << (extra - 1):
            value += 1 - (1 << extra)
        found.append((value & 0xFFFF, count - at))


def _agrees(found: list[tuple[int, int]], wanted: list[int]) -> bool:
    """Whether the code words end with the wanted differences, but for the padding of the last byte."""
    values = [value for value, _ in found]
    for end in range(len(found), max(0, len(found) - PADDING), -1):
        if found[end - 1][1] >= PADDING:
            return False
        if values[end - len(wanted) : end] == wanted:
            return True
    return False
