"""PNG (ISO/IEC 15948): every depth, palette, transparency, interlacing; of an animation the first picture."""

import struct
from dataclasses import dataclass

import numpy as np
from isal import isal_zlib

from cxr_runtime.film import DeepFilm, Film, FilmFacts, squared
from cxr_runtime.reading.failure import check_size, damaged, truncated
from cxr_runtime.reading.grey import (
    AS_STORED,
    WITHOUT_ALPHA,
    Samples,
    decode_with_opencv,
    grey_of_bgr,
    on_black,
    shown_range,
    to_8_bits,
)
from cxr_runtime.reading.orientation import UPRIGHT, exif_orientation, upright
from cxr_runtime.reading.png_inflating import decode_grey, inflated_png

SIGNATURE = 8  # bytes
GREY, GREY_ALPHA, RGB_ALPHA = 0, 4, 6  # colour types; the last two with transparency
COLOUR_TYPE = 9  # byte of the IHDR chunk (PNG 11.2.2)


@dataclass(frozen=True)
class _Header:
    colour_type: int
    transparent: bool  # an alpha channel or a tRNS chunk
    frames: int  # pictures of an animation, else 1
    orientation: int  # as EXIF says
    spacing: float  # height of a pixel over its width
    inflated: memoryview | None  # the same picture, not compressed, where it is of a common kind


def read_png(content: bytes) -> Film:
    """Decode a PNG file, turned as its EXIF says, its pixels made square; transparent parts lie on black.

    Raises:
        UnreadableFilmError: `truncated`, `damaged`, `no-pixels` or `too-large`.
    """
    header = _walk(content)
    shown = squared(to_8_bits(_grey(content, header)), header.spacing)
    return Film(upright(shown, header.orientation), FilmFacts("png", frames=header.frames))


def deep_png(content: bytes) -> DeepFilm | None:
    """The same with all of 16 bits; None where there are 8."""
    header = _walk(content)
    pixels = _grey(content, header)
    if pixels.dtype != np.uint16:
        return None
    black, white = shown_range(pixels)
    whole = upright(squared(pixels.astype(np.uint16, copy=False), header.spacing), header.orientation)
    return DeepFilm(whole, ((black + white) / 2, max(white - black, 1.0)))


def _grey(content: bytes, header: _Header) -> Samples:
    """One channel of whatever depth."""
    if header.inflated is not None and header.colour_type == GREY:
        return decode_grey(header.inflated)
    flags = AS_STORED if header.transparent else WITHOUT_ALPHA
    pixels = decode_with_opencv(header.inflated or content, flags)
    if pixels.ndim != 3:
        return pixels
    grey = grey_of_bgr(pixels)
    return on_black(grey, pixels[..., 3]) if pixels.shape[2] == 4 else grey


def _walk(content: bytes) -> _Header:
    """Check that every chunk is there and whole, without decoding."""
    chunks: dict[bytes, bytes] = {}
    data: list[memoryview] = []
    whole, at, name = memoryview(content), SIGNATURE, b""
    while name != b"IEND":
        if at + 12 > len(content):
            raise truncated("its PNG end mark is missing")
        length, name = struct.unpack_from(">I4s", content, at)
        end = at + 12 + length
        if end > len(content):
            raise truncated("inside a PNG chunk")
        if name[:1].isupper():  # critical
            _check_sum(name, whole[at + 4 : end - 4], content[end - 4 : end])
        body = whole[at + 8 : end - 4]
        if name == b"IDAT":
            data.append(body)
        else:
            chunks[name] = bytes(body)
        if at == SIGNATURE:
            _check_header(name, body)
        at = end
    return _header(chunks, data)


def _check_sum(name: bytes, named: memoryview, stated: bytes) -> None:
    """Check a chunk's sum, which is of its name and its content."""
    if isal_zlib.crc32(named) != int.from_bytes(stated, "big"):
        raise damaged(f"the checksum of PNG chunk {name.decode('ascii', 'replace')} is wrong")


def _check_header(name: bytes, body: memoryview) -> None:
    if name != b"IHDR" or len(body) != 13:
        raise damaged("it does not begin with a PNG header")
    columns, rows = struct.unpack_from(">II", body)
    check_size(rows, columns)


def _header(chunks: dict[bytes, bytes], data: list[memoryview]) -> _Header:
    colour_type = chunks[b"IHDR"][COLOUR_TYPE]
    transparent = colour_type in (GREY_ALPHA, RGB_ALPHA) or b"tRNS" in chunks
    animation = chunks.get(b"acTL", b"\0\0\0\1")
    return _Header(
        colour_type,
        transparent,
        max(1, int.from_bytes(animation[:4], "big")),
        exif_orientation(chunks[b"eXIf"]) if b"eXIf" in chunks else UPRIGHT,
        _row_to_column_spacing(chunks.get(b"pHYs", b"")),
        None if transparent or b"acTL" in chunks else inflated_png(chunks[b"IHDR"], data),
    )


def _row_to_column_spacing(physical: bytes) -> float:
    """Height of a pixel over its width (11.3.4.3); square where the file does not say."""
    if len(physical) != 9:
        return 1.0
    across, down = struct.unpack_from(">II", physical)  # pixels a unit
    return across / down if across and down else 1.0
