"""What the markers of a JPEG stream say, without decoding it (ITU-T T.81, annex B)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cxr_runtime.reading.failure import damaged, truncated

SOI, EOI, SOS, DHT, DRI, APP0, APP1, APP14 = 0xD8, 0xD9, 0xDA, 0xC4, 0xDD, 0xE0, 0xE1, 0xEE
SEQUENTIAL = (0xC0, 0xC1)  # by Huffman codes
PROGRESSIVE = (0xC2, 0xC6, 0xCA, 0xCE)
LOSSLESS = (0xC3, 0xC7, 0xCB, 0xCF)
JPEG_LS = 0xF7
FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {DHT, 0xC8, 0xCC} | {JPEG_LS}
COEFFICIENTS = 64  # of a block


@dataclass(frozen=True)
class Segment:
    """One marker with a body."""

    marker: int
    body: bytes
    end: int  # position behind the body; of a scan header: where its entropy-coded data begin


@dataclass(frozen=True)
class JpegFrame:
    """What the headers say, and where the stream ends."""

    process: int  # marker of the frame header, 0xC0 baseline .. 0xCF, 0xF7 JPEG-LS
    header: Segment
    segments: tuple[Segment, ...]  # all of them, in order
    end: int  # position of the end marker

    @property
    def bits(self) -> int:
        """Of one sample."""
        return self.header.body[0]

    @property
    def rows(self) -> int:
        return int.from_bytes(self.header.body[1:3], "big")

    @property
    def columns(self) -> int:
        return int.from_bytes(self.header.body[3:5], "big")

    @property
    def components(self) -> int:
        return self.header.body[5]

    @property
    def is_lossless(self) -> bool:
        return self.process in LOSSLESS

    def huffman_tables(self) -> Iterator[tuple[int, bytes, bytes]]:
        """Class and place of each table, how many code words of 1 to 16 bits it has, and what they mean."""
        for body in self.bodies(DHT):
            at = 0
            while at + 17 <= len(body):
                counts = body[at + 1 : at + 17]
                yield body[at], counts, body[at + 17 : at + 17 + sum(counts)]
                at += 17 + sum(counts)

    def bodies(self, marker: int) -> list[bytes]:
        """The bodies of all segments of one kind."""
        return [segment.body for segment in self.segments if segment.marker == marker]


def complete_frame(stream: bytes) -> JpegFrame:
    """Walk over all markers up to the end of the picture, without decoding.

    Raises:
        UnreadableFilmError: `truncated` when the end marker or a scan is missing, `damaged` when there is no
            frame or its headers are broken.
    """
    segments, end = _walk(stream)
    header = next((segment for segment in segments if segment.marker in FRAME_HEADERS), None)
    if header is None:
        raise damaged("it holds no JPEG picture")
    if len(header.body) < 6 or len(header.body) != 6 + 3 * header.body[5]:
        raise damaged("its JPEG frame header is broken")
    frame = JpegFrame(header.marker, header, tuple(segments), end)
    if frame.process != JPEG_LS:
        _check_scans(frame)
    return frame


def _walk(stream: bytes) -> tuple[list[Segment], int]:
    """All segments, and the position of the end marker."""
    segments: list[Segment] = []
    at = 2
    while True:
        at, marker = _next_marker(stream, at)
        if marker == EOI:
            return segments, at - 2
        if marker == 0x01 or 0xD0 <= marker <= SOI:  # markers without a body
            continue
        length = max(2, int.from_bytes(stream[at : at + 2], "big"))
        if at + length > len(stream):
            raise truncated("inside a JPEG header")
        segments.append(Segment(marker, stream[at + 2 : at + length], at + length))
        at += length
        if marker == SOS:
            at = _skip_scan(stream, at, is_ls=any(segment.marker == JPEG_LS for segment in segments))


def _next_marker(stream: bytes, at: int) -> tuple[int, int]:
    """Position behind the marker at `at`, and its code; fill bytes before it are skipped."""
    while stream[at : at + 2] == b"\xff\xff":
        at += 1
    if at + 2 > len(stream):
        raise truncated("its JPEG end mark is missing")
    if stream[at] != 0xFF:
        raise damaged("its JPEG markers are broken")
    return at + 2, stream[at + 1]


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


def _check_scans(frame: JpegFrame) -> None:
    """Refuse a picture of which whole scans are missing: a decoder would show what there is.

    A progressive picture is complete once every coefficient of every component has its last bit (annex G).
    """
    names = frame.header.body[6::3]
    missing = {name: np.ones(COEFFICIENTS, bool) for name in names}
    for body in frame.bodies(SOS):
        count = body[0] if body else 0
        if len(body) != 4 + 2 * count:
            raise damaged("its JPEG scan header is broken")
        first, last, bit = body[-3], body[-2], body[-1] & 15
        whole = frame.process not in PROGRESSIVE
        for name in body[1 : 1 + 2 * count : 2]:
            if name not in missing:
                raise damaged("its JPEG scan header is broken")
            missing[name][slice(None) if whole else slice(first, last + 1)] = bit > 0 and not whole
    if any(coefficients.any() for coefficients in missing.values()):
        raise truncated("scans of its JPEG picture are missing")
