"""PNG films are inflated by ISA-L, two and a half times as fast as by zlib; libpng undoes the row filters."""

from collections.abc import Sequence
from struct import pack

import imagecodecs
import numpy as np
from isal import isal_zlib

from cxr_runtime.reading.failure import damaged
from cxr_runtime.reading.grey import Samples

SIGNATURE = b"\x89PNG\r\n\x1a\n"
SAMPLES = {0: 1, 2: 3}  # of a pixel, by colour type: grey and RGB; others are rare among films
DEPTHS = (8, 16)  # bits of a sample
NO_INTERLACE = b"\0\0\0"  # compression, filter and interlace methods (W3C PNG 11.2.1)
MOST_BYTES = (
    1 << 26
)  # of a picture's rows; a larger one is inflated while it is decoded: it needs less memory
END = b"\0\0\0\0IEND\xaeB`\x82"  # the last chunk (W3C PNG 11.2.5)


def inflated_png(header: bytes, data: Sequence[bytes | memoryview]) -> memoryview | None:
    """The same picture as a PNG file that is not compressed, so that its decoder need not inflate.

    Args:
        header: the 13 bytes of IHDR.
        data: the contents of all IDAT chunks, in their order.

    Returns:
        The file, with no chunks but IHDR, IDAT and IEND. None where the picture is very large or of a rarer
        kind, or its data are not to the letter as they should be: its decoder then says what they are.
    """
    rows, columns = int.from_bytes(header[4:8], "big"), int.from_bytes(header[:4], "big")
    depth, colour_type = header[8], header[9]
    if colour_type not in SAMPLES or depth not in DEPTHS or header[10:] != NO_INTERLACE:
        return None
    size = rows * (1 + columns * SAMPLES[colour_type] * depth // 8)
    if size > MOST_BYTES:
        return None
    inflate = isal_zlib.decompressobj()
    try:
        raw = inflate.decompress(b"".join(data), size + 1)
    except isal_zlib.IsalError:  # type: ignore[misc]  # its stubs have an instance, not a class
        return None
    if len(raw) != size or not inflate.eof:
        return None
    return _stored(header, raw)


def decode_grey(file: memoryview) -> Samples:
    """Decode a grey film of `inflated_png`; OpenCV would lay it down in fresh memory once more.

    Returns:
        (rows, columns) uint8 or uint16, as stored.

    Raises:
        UnreadableFilmError: `damaged`.
    """
    try:
        return np.asarray(imagecodecs.png_decode(file))  # type: ignore[arg-type]  # it takes any buffer
    except imagecodecs.PngError as error:
        raise damaged("its pixels cannot be decoded") from error


def _stored(header: bytes, raw: bytes) -> memoryview:
    """A file whose rows are a zlib stream of stored blocks (RFC 1951, 3.2.4), laid down in one place."""
    head = SIGNATURE + _chunk(b"IHDR", header)
    start = len(head) + 8  # of the stream: behind the length and the name of its chunk
    file = np.empty(start + len(raw) + len(raw) // 1000 + 100, np.uint8)
    stream = imagecodecs.deflate_encode(raw, level=0, out=file[start:])  # type: ignore[arg-type]  # any buffer
    end = start + len(stream)
    file[:start] = bytearray(head + pack(">I", len(stream)) + b"IDAT")
    checksum = isal_zlib.crc32(file[start - 4 : end].data)  # it covers a chunk's name, too
    file[end : end + 4 + len(END)] = bytearray(pack(">I", checksum) + END)
    return file[: end + 4 + len(END)].data


def _chunk(name: bytes, body: bytes | memoryview) -> bytes:
    checksum = isal_zlib.crc32(body, isal_zlib.crc32(name))
    return b"".join([pack(">I", len(body)), name, body, pack(">I", checksum)])
