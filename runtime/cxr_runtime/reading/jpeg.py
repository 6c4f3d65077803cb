"""JPEG files, and what their markers say (ITU-T T.81)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cxr_runtime.film import Film, FilmFacts
from cxr_runtime.reading import opencv
from cxr_runtime.reading.failure import check_size, damaged, truncated
from cxr_runtime.reading.grey import Samples, grey_of_bgr, to_8_bits

SOI, EOI, SOS = 0xD8, 0xD9, 0xDA
PROGRESSIVE = (0xC2, 0xC6, 0xCA, 0xCE)
LOSSLESS = (0xC3, 0xC7, 0xCB, 0xCF)
FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}  # 0xF7: JPEG-LS
MORE_BITS = b"\x5a\xa5" * 64  # read only by a decoder that still waits for data


@dataclass(frozen=True)
class JpegFrame:
    """What the frame header says, and where the stream ends."""

    rows: int
    columns: int
    components: int
    bits: int  # of one sample
    process: int  # marker of the frame header, 0xC0 baseline .. 0xCF
    end: int  # position of the end marker

    @property
    def is_lossless(self) -> bool:
        return self.process in LOSSLESS


def complete_frame(stream: bytes) -> JpegFrame:
    """Walk over all markers up to the end of the picture, without decoding.

    Raises:
        UnreadableFilmError: `truncated` when the end marker is missing, `damaged` when there is no frame.
    """
    header: tuple[int, int, int, int, int] | None = None
    at = 2
    while True:
        at, marker = _next_marker(stream, at)
        if marker == EOI:
            break
        if marker == 0x01 or 0xD0 <= marker <= SOI:  # markers without a body
            continue
        length = int.from_bytes(stream[at : at + 2], "big")
        if at + max(length, 2) > len(stream):
            raise truncated("inside a JPEG header")
        if marker in FRAME_HEADERS and header is None:
            header = _frame_header(marker, stream[at + 2 : at + length])
        at += length
        if marker == SOS:
            at = _skip_scan(stream, at, is_ls=header is not None and header[4] == 0xF7)
    if header is None:
        raise damaged("it holds no JPEG picture")
    rows, columns, components, bits, process = header
    return JpegFrame(rows, columns, components, bits, process, end=at - 2)


def ends_early(stream: bytes, frame: JpegFrame, pixels: Samples, decode: Callable[[bytes], Samples]) -> bool:
    """Whether an end marker was set behind an incomplete picture.

    Bits put in front of the end marker change the picture only if the decoder was still waiting for some.
    That costs a second decoding, so it is done only where data can be missing unseen: in progressive
    streams, and where a corner is flat, as the filling is.
    """
    if frame.process not in PROGRESSIVE and not _has_flat_corner(pixels, frame):
        return False
    again = decode(stream[: frame.end] + MORE_BITS + stream[frame.end :])
    return not np.array_equal(again, pixels)


def _next_marker(stream: bytes, at: int) -> tuple[int, int]:
    """Position behind the marker at `at`, and its code; fill bytes before it are skipped."""
    while stream[at : at + 2] == b"\xff\xff":
        at += 1
    if at + 2 > len(stream):
        raise truncated("its JPEG end mark is missing")
    if stream[at] != 0xFF:
        raise damaged("its JPEG markers are broken")
    return at + 2, stream[at + 1]


def _frame_header(marker: int, body: bytes) -> tuple[int, int, int, int, int]:
    if len(body) < 6:
        raise damaged("its JPEG frame header is broken")
    rows, columns = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    return rows, columns, body[5], body[0], marker


def _skip_scan(stream: bytes, at: int, *, is_ls: bool) -> int:
    """Position of the marker behind the entropy-coded data that begins at `at`."""
    codes = np.frombuffer(stream, np.uint8)
    marks = np.flatnonzero(codes[at:-1] == 0xFF) + at
    after = codes[marks + 1]
    if is_ls:  # stuffs a bit, not a byte
        ends = marks[(after >= 0x80) & (after != 0xFF)]
    else:
        ends = marks[(after != 0) & (after != 0xFF) & ((after < 0xD0) | (after > 0xD7))]
    if not ends.size:
        raise truncated("its JPEG end mark is missing")
    return int(ends[0])


def _has_flat_corner(pixels: Samples, frame: JpegFrame) -> bool:
    """A corner of one value: mid grey, or any in a lossless stream, whose filling repeats its neighbour."""
    middle = 1 << (frame.bits - 1)
    corners = (pixels[y, x] for y in (slice(4), slice(-4, None)) for x in (slice(4), slice(-4, None)))
    return any(
        corner.min() == corner.max() and (frame.is_lossless or corner.min() == middle) for corner in corners
    )


def read_jpeg(content: bytes) -> Film:
    """Decode a JPEG file.

    Raises:
        UnreadableFilmError: `truncated`, `damaged`, `no-pixels` or `too-large`.
    """
    frame = complete_frame(content)
    check_size(frame.rows, frame.columns)
    pixels = _decode(content, frame)
    if ends_early(content, frame, pixels, lambda changed: _decode(changed, frame)):
        raise truncated("part of its JPEG picture is missing")
    grey, coloured = grey_of_bgr(pixels) if pixels.ndim == 3 else (pixels, False)
    return Film(to_8_bits(grey), FilmFacts("jpeg", bits_stored=frame.bits, source_is_colour=coloured))


def _decode(content: bytes, frame: JpegFrame) -> Samples:
    if frame.bits == 8 and not frame.is_lossless:
        return opencv.decode(content, opencv.UPRIGHT)
    from cxr_runtime.reading.codestreams import decode_jpeg

    pixels = decode_jpeg(content)
    return pixels[..., ::-1] if pixels.ndim == 3 else pixels
