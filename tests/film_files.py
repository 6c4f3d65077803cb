"""Phantoms written as PNG, JPEG, TIFF and BMP files, in every way that readers must understand."""

import struct
import zlib
from functools import cache
from io import BytesIO
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

from cxr_runtime.film import GreyPixels
from cxr_runtime.phantom import draw_phantom

PNG_GREY, PNG_RGB, PNG_PALETTE, PNG_GREY_ALPHA, PNG_RGB_ALPHA = 0, 2, 3, 4, 6
ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
Samples = NDArray[np.integer[Any]]


@cache
def phantom(rows: int = 96, columns: int = 80) -> GreyPixels:
    """A small film with black and white in it, so that its range is that of its bit depth."""
    pixels = draw_phantom(5, hw=(rows, columns))
    pixels[:2], pixels[-2:] = 0, 255
    pixels.setflags(write=False)
    return pixels


def colour_picture(rows: int = 96, columns: int = 80) -> NDArray[np.uint8]:
    """An RGB picture whose channels differ."""
    grey = phantom(rows, columns)
    return np.stack([grey, np.roll(grey, 11, axis=1), 255 - grey], axis=2)


def png_file(
    samples: Samples,
    *,
    bits: int = 8,
    colour: int = PNG_GREY,
    interlaced: bool = False,
    extra: tuple[tuple[bytes, bytes], ...] = (),
) -> bytes:
    """Write (H, W) or (H, W, channels) samples; `extra` chunks go before the pixels."""
    rows, columns = samples.shape[:2]
    passes = ADAM7 if interlaced else ((0, 0, 1, 1),)
    data = b"".join(_png_rows(samples[y::dy, x::dx], bits) for y, x, dy, dx in passes)
    header = struct.pack(">IIBBBBB", columns, rows, bits, colour, 0, 0, int(interlaced))
    chunks = ((b"IHDR", header), *extra, (b"IDAT", zlib.compress(data)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(name, body) for name, body in chunks)


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _png_rows(samples: Samples, bits: int) -> bytes:
    if not samples.size:
        return b""
    flat = samples.reshape(samples.shape[0], -1)
    if bits == 16:
        packed = flat.astype(">u2").view(np.uint8)
    elif bits == 8:
        packed = flat.astype(np.uint8)
    else:
        each = (flat[..., None].astype(np.uint8) >> np.arange(bits - 1, -1, -1, dtype=np.uint8)) & 1
        packed = np.packbits(each.reshape(samples.shape[0], -1), axis=1)
    return b"".join(b"\0" + row.tobytes() for row in packed)


def jpeg_file(pixels: NDArray[np.uint8], *, progressive: bool = False, orientation: int = 1) -> bytes:
    """Write grey or RGB pixels with quality 95; `orientation` as in EXIF."""
    picture = pixels[..., ::-1] if pixels.ndim == 3 else pixels
    flags = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)]
    content = cv2.imencode(".jpg", picture, flags)[1].tobytes()
    segment = b"Exif\0\0" + exif(orientation)
    return content[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + content[2:]


def exif(orientation: int) -> bytes:
    """EXIF that states an orientation and nothing else."""
    return b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def turned(upright: GreyPixels, orientation: int) -> GreyPixels:
    """A picture as it must be stored with an orientation so that it is shown upright."""
    stored = {
        1: upright,
        2: np.fliplr(upright),
        3: np.rot90(upright, 2),
        4: np.flipud(upright),
        5: upright.T,
        6: np.rot90(upright, 1),
        7: np.rot90(upright, 2).T,
        8: np.rot90(upright, -1),
    }[orientation]
    return np.ascontiguousarray(stored)


def tiff_file(*pages: NDArray[Any], **options: Any) -> bytes:
    """Write pages; `options` as of tifffile's writer."""
    return tiff_pages(*((page, options) for page in pages))


def tiff_pages(*pages: tuple[NDArray[Any], dict[str, Any]]) -> bytes:
    """Write pages, each with options of its own."""
    file = BytesIO()
    with tifffile.TiffWriter(file) as writer:
        for page, options in pages:
            writer.write(page, **{"photometric": "minisblack", "metadata": None, **options})
    return file.getvalue()


def bmp_file(pixels: NDArray[np.uint8]) -> bytes:
    """Write grey (with a palette) or RGB (24 bits) pixels."""
    picture = pixels[..., ::-1] if pixels.ndim == 3 else pixels
    return cv2.imencode(".bmp", picture)[1].tobytes()


def bmp_run_file(pixels: NDArray[np.uint8], *, last_rows_lost: int = 0) -> bytes:
    """Write grey pixels as BI_RLE8; of a picture that ends early, some rows at its end are never coded."""
    rows = [b"".join(bytes([1, value]) for value in row) for row in pixels[::-1]]
    data = b"\0\0".join(rows[: len(rows) - last_rows_lost]) + b"\0\1"
    palette = b"".join(bytes([grey, grey, grey, 0]) for grey in range(256))
    header = struct.pack("<IiiHHIIiiII", 40, *pixels.shape[::-1], 1, 8, 1, len(data), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 1078 + len(data), 0, 0, 1078) + header + palette + data


def subsampled_tiff(luma: GreyPixels, compression: int, blocks: int = 2) -> bytes:
    """Write a grey picture as YCbCr whose chroma has half the resolution, in one strip of data units."""
    rows, columns = luma.shape
    units = luma.reshape(rows // blocks, blocks, columns // blocks, blocks).swapaxes(1, 2)
    flat = units.reshape(rows // blocks, columns // blocks, blocks * blocks)
    chroma = np.full((*flat.shape[:2], 2), 128, np.uint8)
    data = np.concatenate([flat, chroma], axis=2).astype(np.uint8).tobytes()
    data = zlib.compress(data) if compression == 8 else data
    entries = (
        (256, 3, 1, columns),
        (257, 3, 1, rows),
        (258, 3, 3, 8 + 2),  # position of three times 8
        (259, 3, 1, compression),
        (262, 3, 1, 6),
        (273, 4, 1, 200),
        (277, 3, 1, 3),
        (278, 3, 1, rows),
        (279, 4, 1, len(data)),
        (530, 3, 2, blocks | blocks << 16),
    )
    tags = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    body = struct.pack("<H", 16) + struct.pack("<HHH", 8, 8, 8)
    directory = struct.pack("<H", len(entries)) + tags + bytes(4)
    content = b"II*\0" + struct.pack("<I", 8 + len(body)) + body + directory
    return content.ljust(200, b"\0") + data
