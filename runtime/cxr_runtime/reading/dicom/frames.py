"""The first compressed frame of a DICOM file, and what its own header says (PS3.5 annex A.4)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from cxr_runtime.reading.dicom.syntaxes import Codec
from cxr_runtime.reading.failure import damaged, truncated
from cxr_runtime.reading.jpeg_markers import FRAME_HEADERS, LOSSLESS, SOS

ITEM, DELIMITER = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
JPEG_START, JPEG_LS_FRAME = b"\xff\xd8\xff", 0xF7
CODESTREAM_START, JP2_START = b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  "
END_OF_IMAGE = b"\xff\xd9"  # EOI of JPEG and JPEG-LS, EOC of JPEG 2000
FILLING = b"\0\xff \r\n"  # what writers put behind the end of a stream
RLE_HEADER, MAX_SEGMENTS = 64, 15  # bytes: the number of segments and their offsets (PS3.5 annex G.5)
APP0, APP14 = 0xE0, 0xEE


class Colours(StrEnum):
    """What the three components of a stream are, where the stream says so."""

    RGB = "RGB"
    YCBCR = "YCbCr"
    UNSTATED = ""


@dataclass(frozen=True)
class FrameHeader:
    """What a compressed stream says about itself; None where its kind has no such statement."""

    codec: Codec
    rows: int | None = None
    columns: int | None = None
    components: int | None = None
    bits: int | None = None  # of one sample, the precision
    is_signed: bool | None = None
    is_lossy: bool = False
    colours: Colours = Colours.UNSTATED


def first_frame(pixel_data: bytes, frames: int) -> bytes:
    """Join the fragments of the first frame; offset tables are used only where the fragments leave it open.

    Raises:
        UnreadableFilmError: `truncated` or `damaged`.
    """
    table, *fragments = _items(pixel_data)
    if codec_of(table) is not None:
        table, fragments = b"", [table, *fragments]
    if not any(fragments):
        raise truncated("its compressed picture is missing")
    if frames > len(fragments):
        raise truncated(f"it holds {len(fragments)} of {frames} compressed pictures")
    if frames == len(fragments):
        return fragments[0]
    count = len(fragments) if frames == 1 else _fragments_of_first(fragments, table)
    return b"".join(fragments[:count])


def _items(pixel_data: bytes) -> Iterator[bytes]:
    at = 0
    while pixel_data[at : at + 4] == ITEM:
        (length,) = struct.unpack_from("<I", pixel_data.ljust(at + 8, b"\0"), at + 4)
        if at + 8 + length > len(pixel_data):
            raise truncated("inside a fragment of its compressed picture")
        yield pixel_data[at + 8 : at + 8 + length]
        at += 8 + length
    if pixel_data[at : at + 4] != DELIMITER and pixel_data[at:].strip(FILLING):
        raise damaged("the fragments of its compressed picture do not follow each other")


def _fragments_of_first(fragments: list[bytes], table: bytes) -> int:
    """How many fragments the first of several frames has: by the table, or up to an end mark."""
    second = struct.unpack_from("<I", table, 4)[0] if len(table) >= 8 else 0
    at = 0
    for count, fragment in enumerate(fragments, start=1):
        at += 8 + len(fragment)
        if at == second or (not second and END_OF_IMAGE in fragment[-10:]):
            return count
    raise damaged("the beginning of its second compressed picture cannot be found")


def codec_of(stream: bytes) -> Codec | None:
    """What a stream is by its first bytes; None for anything else."""
    if stream.startswith((CODESTREAM_START, JP2_START)):
        return Codec.JPEG_2000
    if stream.startswith(JPEG_START):
        process = next((marker for marker, _ in _jpeg_segments(stream) if marker in FRAME_HEADERS), None)
        return Codec.JPEG_LS if process == JPEG_LS_FRAME else Codec.JPEG
    if len(stream) > RLE_HEADER:
        segments, first = struct.unpack_from("<II", stream)
        if 1 <= segments <= MAX_SEGMENTS and first == RLE_HEADER:
            return Codec.RLE
    return None


def header_of(stream: bytes, codec: Codec) -> FrameHeader:
    """Read the header of a stream; what cannot be found is left to the decoder."""
    if codec is Codec.JPEG_2000:
        return _jpeg_2000_header(stream)
    if codec is Codec.RLE:
        return FrameHeader(codec)
    return _jpeg_header(stream, codec)


def without_filling(stream: bytes, codec: Codec) -> bytes:
    """A stream up to its end mark; none occurs within the data of JPEG 2000 (ISO/IEC 15444-1 A.1)."""
    if codec is Codec.RLE:
        return stream
    if codec is Codec.JPEG_2000:
        end = stream.rfind(END_OF_IMAGE)
        return stream[: end + 2] if end > 0 else stream
    return stream.rstrip(FILLING)


def without_rle_filling(stream: bytes, pixels: int) -> bytes:
    """A frame of run lengths without zeros behind its last segment; two of them would mean one more pixel."""
    if not stream.endswith(b"\0\0") or len(stream) <= RLE_HEADER:
        return stream
    from imagecodecs import packbits_decode

    count = int.from_bytes(stream[:4], "little") if stream[0] <= MAX_SEGMENTS else 0
    start = int.from_bytes(stream[4 * count : 4 * count + 4], "little")
    try:
        spare = len(packbits_decode(stream[start:])) - pixels if count else 0
    except RuntimeError:  # left to the decoder
        return stream
    return stream[: -2 * spare] if spare > 0 and not any(stream[-2 * spare :]) else stream


def _jpeg_segments(stream: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and body of the segments of a JPEG or JPEG-LS stream, up to its first scan."""
    at = 2
    while at + 4 <= len(stream) and stream[at] == 0xFF:
        marker = stream[at + 1]
        if marker in (0xFF, 0x01) or 0xD0 <= marker <= 0xD8:  # filling, and markers without a body
            at += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(stream[at + 2 : at + 4], "big")
        yield marker, stream[at + 4 : at + 2 + length]
        if marker == SOS:
            return
        at += 2 + max(length, 2)


def _jpeg_header(stream: bytes, codec: Codec) -> FrameHeader:
    """JPEG (ITU-T T.81 B.2.2) and JPEG-LS (ITU-T T.87 C.2)."""
    segments = list(_jpeg_segments(stream))
    process, frame = next(((code, body) for code, body in segments if code in FRAME_HEADERS), (0, b""))
    if len(frame) < 6:
        return FrameHeader(codec)
    scan = segments[-1][1] if segments[-1][0] == SOS else b""
    near = scan[-3] if process == JPEG_LS_FRAME and len(scan) >= 3 else 0
    is_lossy = near > 0 if codec is Codec.JPEG_LS else process not in LOSSLESS
    rows, columns = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    is_transformed = codec is Codec.JPEG and is_lossy  # lossless processes leave components as they are
    colours = _jpeg_colours(segments, frame[6::3]) if is_transformed else Colours.UNSTATED
    return FrameHeader(codec, rows or None, columns, frame[5], frame[0], None, is_lossy, colours)


def _jpeg_colours(segments: list[tuple[int, bytes]], names: bytes) -> Colours:
    """What the components are by Adobe, else by JFIF, else by their names; as libjpeg reads them."""
    adobe = [body[5:] for code, body in segments if code == APP14 and body[:5] == b"Adobe"]
    if adobe and len(adobe[0]) > 6:
        return Colours.YCBCR if adobe[0][6] else Colours.RGB
    if any(code == APP0 and body[:5] == b"JFIF\0" for code, body in segments):
        return Colours.YCBCR
    return Colours.RGB if names == b"RGB" else Colours.UNSTATED


def _jpeg_2000_header(stream: bytes) -> FrameHeader:
    """SIZ (ISO/IEC 15444-1 A.5.1); a reversible stream may still have lost its last layers."""
    start = stream.find(CODESTREAM_START)
    if start < 0 or len(stream) < start + 43:
        return FrameHeader(Codec.JPEG_2000)
    right, bottom, left, top = struct.unpack_from(">IIII", stream, start + 8)
    (components,) = struct.unpack_from(">H", stream, start + 40)
    depth = stream[start + 42]
    return FrameHeader(
        Codec.JPEG_2000,
        bottom - top,
        right - left,
        components,
        (depth & 0x7F) + 1,
        depth >= 0x80,
        is_lossy=True,
    )
