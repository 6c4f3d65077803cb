"""Windows bitmap."""

import struct

import numpy as np

from cxr_runtime.film import Film, FilmFacts
from cxr_runtime.reading.failure import check_rest, check_size, damaged, truncated, unsupported
from cxr_runtime.reading.grey import WITHOUT_ALPHA, decode_with_opencv, grey_of_bgr, to_8_bits
from cxr_runtime.reading.torn import check_rows

END, MOVE, MAX_ESCAPE = 1, 2, 2  # codes of run lengths; 0 ends a row
CORE_HEADER = 12  # bytes of the oldest header, with 16-bit sizes
UNCOMPRESSED, RUNS_8, RUNS_4, BIT_FIELDS = 0, 1, 2, 3  # values of the compression field


def read_bmp(content: bytes) -> Film:
    """Decode a BMP file.

    Raises:
        UnreadableFilmError: `truncated`, `damaged`, `no-pixels` or `too-large`.
    """
    is_top_down = _check_header(content)
    pixels = decode_with_opencv(content, WITHOUT_ALPHA)
    shown = to_8_bits(grey_of_bgr(pixels) if pixels.ndim == 3 else pixels)
    check_rows(shown if is_top_down else np.ascontiguousarray(shown[::-1]))
    return Film(shown, FilmFacts("bmp"))


def _check_header(content: bytes) -> bool:
    """Check size and completeness; returns whether the first row is the top."""
    if len(content) < 54:
        raise truncated("inside the BMP header")
    size, start, header = struct.unpack_from("<I4xII", content, 2)
    if header == CORE_HEADER:
        columns, rows, _, bits = struct.unpack_from("<HHHH", content, 18)
        compression, stated = UNCOMPRESSED, 0
    else:
        columns, rows, _, bits, compression, stated = struct.unpack_from("<iiHHII", content, 18)
    check_size(abs(rows), columns)
    if bits not in (1, 2, 4, 8, 16, 24, 32):
        raise damaged(f"its BMP header states {bits} bits a pixel")
    if compression not in (UNCOMPRESSED, RUNS_8, RUNS_4, BIT_FIELDS):
        raise unsupported(f"a BMP picture of compression {compression}")
    is_run = compression in (RUNS_8, RUNS_4)
    needed = stated if is_run else (columns * bits + 31) // 32 * 4 * abs(rows)
    if start + needed > len(content):
        raise truncated("pixels are missing")
    if is_run:
        _check_runs(content[start:], (abs(rows), columns), pixels_a_byte=compression)
    elif size == start + needed:
        check_rest(content[size:])
    return bool(rows < 0)


def _check_runs(data: bytes, hw: tuple[int, int], pixels_a_byte: int) -> None:
    """Check that run lengths fill every row to its end; a decoder would show what is missing as black."""
    rows, columns = hw
    at = row = column = 0
    while row < rows:
        if at + 2 > len(data):
            raise truncated("pixels are missing")
        count, code = data[at], data[at + 1]
        at += 2
        if count or code > MAX_ESCAPE:
            column += count or code
            at += (
                0 if count else (-(-code // pixels_a_byte) + 1) // 2 * 2
            )  # pixels as they are, an even number
        elif code == MOVE:
            raise unsupported("a BMP picture with parts left out")
        elif code == END and not (row == rows - 1 and column >= columns):
            raise truncated("pixels are missing")
        elif column < columns:
            raise damaged("its BMP rows differ in length")
        else:
            row, column = row + 1, 0
        if column > columns + pixels_a_byte - 1:
            raise damaged("its BMP rows differ in length")
