"""Windows bitmap."""

import struct

from cxr_runtime.film import Film, FilmFacts
from cxr_runtime.reading.failure import check_size, damaged, truncated
from cxr_runtime.reading.grey import WITHOUT_ALPHA, decode_with_opencv, grey_of_bgr, to_8_bits
from cxr_runtime.reading.torn import check_rows

CORE_HEADER = 12  # bytes of the oldest header, with 16-bit sizes
UNCOMPRESSED, BIT_FIELDS = 0, 3  # values of the compression field whose size follows from the header


def read_bmp(content: bytes) -> Film:
    """Decode a BMP file.

    Raises:
        UnreadableFilmError: `truncated`, `damaged`, `no-pixels` or `too-large`.
    """
    bits = _check_header(content)
    pixels = decode_with_opencv(content, WITHOUT_ALPHA)
    grey, coloured = grey_of_bgr(pixels) if pixels.ndim == 3 else (pixels, False)
    shown = to_8_bits(grey)
    check_rows(shown)
    return Film(shown, FilmFacts("bmp", bits_stored=min(bits, 8), source_is_colour=coloured))


def _check_header(content: bytes) -> int:
    """Check size and completeness; returns the bits of one pixel."""
    if len(content) < 54:
        raise truncated("inside the BMP header")
    start, header = struct.unpack_from("<II", content, 10)
    if header == CORE_HEADER:
        columns, rows, _, bits = struct.unpack_from("<HHHH", content, 18)
        compression, stated = UNCOMPRESSED, 0
    else:
        columns, rows, _, bits, compression, stated = struct.unpack_from("<iiHHII", content, 18)
    check_size(abs(rows), columns)
    if bits not in (1, 2, 4, 8, 16, 24, 32):
        raise damaged(f"its BMP header states {bits} bits a pixel")
    needed = stated
    if compression in (UNCOMPRESSED, BIT_FIELDS):
        needed = (columns * bits + 31) // 32 * 4 * abs(rows)
    if start + needed > len(content):
        raise truncated("pixels are missing")
    return int(bits)
