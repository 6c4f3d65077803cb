"""JPEG 2000 and HTJ2K codestreams (ISO/IEC 15444-1 and -15), and what can be known of damage in them."""

import struct
from dataclasses import dataclass

import imagecodecs
import numpy as np

from cxr_runtime.reading.failure import check_size, damaged, truncated
from cxr_runtime.reading.grey import Samples
from cxr_runtime.reading.torn import has_doubled_block

START_OF_CODESTREAM = b"\xff\x4f\xff\x51"  # SOC and SIZ
COD, SOT, EOC = 0xFF52, 0xFF90, 0xFFD9
SOT_LENGTH = 12  # bytes of the marker with its body
WORD = 8  # bytes that arithmetic coding never says twice
SOP, EPH = 0x91, 0x92  # second bytes of the only markers within a tile-part, where COD allows them
LAST_STUFFED = 0x8F  # no coded byte behind 0xFF is larger (annexes B.10.1, C.3.2)
MAX_TILES = 1 << 16
ZEROS = 48  # bytes; coded data are as good as random, so this many together were never coded


@dataclass(frozen=True)
class _Size:
    """SIZ (annex A.5.1)."""

    rows: int
    columns: int
    components: int
    tiles: int


@dataclass(frozen=True)
class _Coding:
    """COD (annex A.6.1), as far as it is needed here."""

    marks_packets: bool  # SOP or EPH may be used
    packets: int  # of one tile, at most
    may_repeat: bool  # a grey picture of three equal components says all of it three times


def decode_jpeg_2000(stream: bytes) -> Samples:
    """Decode a codestream, by itself or in a JP2 file; bytes behind its end mark are ignored.

    Returns:
        (rows, columns) or (rows, columns, 3), integers of its own depth.

    Raises:
        UnreadableFilmError: `truncated`, `damaged`, `no-pixels` or `too-large`.
    """
    start = stream.find(START_OF_CODESTREAM)
    if start < 0 or len(stream) < start + 42:
        raise damaged("it holds no JPEG 2000 picture")
    size = _size(stream, start + 4)
    check_size(size.rows, size.columns)
    if size.components not in (1, 3):
        raise damaged(f"its JPEG 2000 picture has {size.components} components")
    _check_tile_parts(stream, start + 2, size)
    try:
        return np.asarray(imagecodecs.jpeg2k_decode(stream))
    except (RuntimeError, ValueError) as error:
        raise damaged("its JPEG 2000 data cannot be decoded") from error


def _size(stream: bytes, at: int) -> _Size:
    right, bottom, left, top, width, height, tiles_left, tiles_top, components = struct.unpack_from(
        ">8IH", stream, at + 4
    )
    if not width or not height:
        raise damaged("its JPEG 2000 tiles have no size")
    across = -((tiles_left - right) // width)
    down = -((tiles_top - bottom) // height)
    return _Size(bottom - top, right - left, components, across * down)


def _check_tile_parts(stream: bytes, at: int, size: _Size) -> None:
    """Walk from SIZ to EOC: every tile must be there, and every tile-part end where it says."""
    coding = _Coding(marks_packets=False, packets=1, may_repeat=False)
    missing = set(range(size.tiles)) if size.tiles <= MAX_TILES else set()
    while (marker := int.from_bytes(stream[at : at + 2], "big")) != EOC:
        if at + SOT_LENGTH > len(stream):
            raise truncated("its JPEG 2000 end mark is missing")
        (length,) = struct.unpack_from(">H", stream, at + 2)
        if marker < 0xFF00 or at + 2 + length > len(stream):
            raise damaged("its JPEG 2000 markers are broken")
        if marker == COD:
            coding = _coding(stream[at + 4 : at + 2 + length], size)
        if marker == SOT:
            missing.discard(int.from_bytes(stream[at + 4 : at + 6], "big"))
            end = _end_of_tile_part(stream, at)
            _check_coded(stream, at + SOT_LENGTH, end, coding)
            at = end
        else:
            at += 2 + length
    if missing:
        raise truncated("tiles of its JPEG 2000 picture are missing")


def _end_of_tile_part(stream: bytes, at: int) -> int:
    """Position behind a tile-part; the last one may leave its length open (annex A.4.2)."""
    length = int.from_bytes(stream[at + 6 : at + 10], "big")
    end = at + length if length else stream.rfind(b"\xff\xd9")
    if end < at + SOT_LENGTH or end > len(stream) - 2:
        raise truncated("a JPEG 2000 tile-part is not whole")
    return end


def _coding(body: bytes, size: _Size) -> _Coding:
    if len(body) < 10:
        raise damaged("its JPEG 2000 markers are broken")
    style, layers, levels = body[0], int.from_bytes(body[2:4], "big"), body[5]
    precincts = 1
    if style & 1 and len(body) > 10:
        smallest = min(min(side & 15, side >> 4) for side in body[10:])
        precincts = (-(-size.rows >> smallest)) * (-(-size.columns >> smallest))
    is_transformed = body[4] == 1  # then the second and third component are zero where the picture is grey
    packets = layers * (levels + 1) * size.components * precincts
    return _Coding(bool(style & 6), packets, may_repeat=size.components > 1 and not is_transformed)


def _check_coded(stream: bytes, at: int, end: int, coding: _Coding) -> None:
    """Refuse a tile-part whose bytes no coder can have written."""
    start = stream.find(b"\xff\x93", at, end)
    if start < 0:
        raise damaged("its JPEG 2000 markers are broken")
    coded = np.frombuffer(stream, np.uint8)[start + 2 : end]
    after = coded[1:][coded[:-1] == 0xFF]
    strange = after > LAST_STUFFED
    if coding.marks_packets:
        strange &= (after != SOP) & (after != EPH)
    zeros = bytes(ZEROS + coding.packets)
    is_doubled = not coding.may_repeat and has_doubled_block(coded, WORD)
    if is_doubled or strange.any() or stream.find(zeros, start, end) >= 0:
        raise damaged("its JPEG 2000 data hold what no encoder writes")
