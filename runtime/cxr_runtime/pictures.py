"""Pictures as files: JPEG, and PNG written fast (one row filter, ISA-L's deflate: fewer bytes, too)."""

from struct import error, pack, unpack

import cv2
import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from cxr_runtime.files import PREVIEW_QUALITY
from cxr_runtime.film import GreyPixels, shrunk_hw

SIGNATURE = b"\x89PNG\r\n\x1a\n"  # W3C PNG 5.2
COLOUR_TYPES = {1: 0, 3: 2, 4: 6}  # channels -> grey, RGB, RGBA (W3C PNG 11.2.1)
INDEXED = 3  # colour type of a palette picture
FILTER_NONE, FILTER_UP = 0, 2  # W3C PNG 9.2
MOST_SHOWN = 4096  # rows or columns of a picture of a report; ours have 1024
DEFLATE_LEVEL = 1  # of ISA-L's 0..3; 0 is no faster here
KEPT_LONG_SIDE = 736  # pixels of the film that the store keeps, at a quality below WHOLE_QUALITY
WHOLE_QUALITY = 88  # of a JPEG, from which on the store keeps a film at reading size


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode a picture without loss.

    Args:
        pixels: (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA, uint8.
    """
    height, width, channels = pixels.shape if pixels.ndim == 3 else (*pixels.shape, 1)
    rows = pixels.reshape(height, width * channels)
    filtered = np.empty((height, width * channels + 1), np.uint8)
    filtered[:, 0] = FILTER_UP
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    return _file((width, height, 8, COLOUR_TYPES[channels]), filtered)


def encode_indexed_png(indexes: NDArray[np.uint8], palette: bytes) -> bytes:
    """Encode a picture of few colours without loss.

    Args:
        indexes: (H, W) uint8, entries of the palette.
        palette: as `palette_chunks` gives it.
    """
    height, width = indexes.shape
    rows = np.zeros((height, width + 1), np.uint8)
    rows[:, 0] = FILTER_NONE
    rows[:, 1:] = indexes
    return _file((width, height, 8, INDEXED), rows, palette)


def with_palette(content: bytes, palette: bytes) -> bytes:
    """An indexed PNG of `encode_indexed_png` in other colours; its pixels are not touched.

    Args:
        content: of at most N colours.
        palette: as of `encode_indexed_png`.
    """
    start = content.find(b"PLTE") - 4
    end = content.find(b"IDAT") - 4
    return content if start < 0 or end < start else content[:start] + palette + content[end:]


def palette_chunks(rgba: NDArray[np.uint8]) -> bytes:
    """A palette as chunks of a PNG, of (N, 4) uint8, N <= 256: red, green, blue, opacity of each colour."""
    return b"".join([*_chunk(b"PLTE", rgba[:, :3].tobytes()), *_chunk(b"tRNS", rgba[:, 3].tobytes())])


def _file(header: tuple[int, int, int, int], rows: NDArray[np.uint8], palette: bytes = b"") -> bytes:
    """A whole file, of width, height, bit depth and colour type, filtered rows, and chunks of a palette."""
    head, data = pack(">IIBBBBB", *header, 0, 0, 0), isal_zlib.compress(rows.data, DEFLATE_LEVEL)
    before, after = [SIGNATURE, *_chunk(b"IHDR", head), palette], _chunk(b"IEND", b"")
    return b"".join([*before, *_chunk(b"IDAT", data), *after])


def _chunk(kind: bytes, data: bytes) -> tuple[bytes, ...]:
    """A chunk in its parts, so that a whole file is laid down once."""
    checksum = isal_zlib.crc32(data, isal_zlib.crc32(kind))
    return pack(">I", len(data)), kind, data, pack(">I", checksum)


def decode_jpeg(content: bytes) -> GreyPixels:
    """(rows, columns) uint8 of a JPEG that `encode_jpeg` wrote."""
    return np.asarray(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)


def jpeg_hw(content: bytes) -> tuple[int, int]:
    """Rows and columns of a JPEG, from its header.

    Raises:
        ValueError: it is no JPEG.
    """
    from simplejpeg import decode_jpeg_header  # the first film is drawn without it

    rows, columns, *_ = decode_jpeg_header(content)
    return rows, columns


def smaller_jpeg(content: bytes, long_side: int) -> bytes:
    """A grey JPEG at a half or a quarter of its sides, the first whose longer side is at most `long_side`.

    It is decoded at that size (ITU T.81, A.3.3), which takes a third of the time. One that is small enough
    stays as it is; a quarter is the least.
    """
    side = max(jpeg_hw(content))
    if side <= long_side:
        return content
    is_half = side <= 2 * long_side
    how = cv2.IMREAD_REDUCED_GRAYSCALE_2 if is_half else cv2.IMREAD_REDUCED_GRAYSCALE_4
    return encode_jpeg(np.asarray(cv2.imdecode(np.frombuffer(content, np.uint8), how), np.uint8))


def is_shown_picture(content: bytes, kind: str) -> bool:
    """Whether a stranger's bytes are a whole picture that reports can show.

    Args:
        content: of at most 16 MiB.
        kind: `jpeg` or `png`.
    """
    if kind == "png" and not content.startswith(SIGNATURE):
        return False
    try:  # IHDR comes first (W3C PNG 5.6)
        sides = jpeg_hw(content) if kind == "jpeg" else unpack(">II", content[16:24])
        if not all(0 < side <= MOST_SHOWN for side in sides):
            return False
        return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED) is not None
    except (ValueError, error, cv2.error):
        return False


def kept_jpeg(preview: GreyPixels, quality: int = PREVIEW_QUALITY) -> bytes:
    """A film as the store keeps it: a grey JPEG.

    Below WHOLE_QUALITY it is made smaller. Coarser steps alone would save as much, but they show the squares
    of 8 x 8 pixels in which JPEG works, for film grain then goes from some squares and not from others.

    Args:
        preview: the film at reading size, (rows, columns) uint8.
        quality: from 60 to 95.
    """
    rows, columns = shrunk_hw((preview.shape[0], preview.shape[1]), KEPT_LONG_SIDE)
    kept: cv2.typing.MatLike = preview
    if quality < WHOLE_QUALITY and (rows, columns) != preview.shape:
        # Faint lines keep more of their contrast than by area, in a third of the time.
        kept = cv2.resize(preview, (columns, rows), interpolation=cv2.INTER_CUBIC)
    return bytes(cv2.imencode(".jpg", kept, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])


def encode_jpeg(pixels: GreyPixels, quality: int = WHOLE_QUALITY) -> bytes:
    """A grey JPEG of (rows, columns) uint8, of a quality from 1 to 100."""
    return bytes(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])
