"""Pictures of a PDF: what our own files hold compressed, which a PDF takes as it is."""

from collections.abc import Callable
from hashlib import sha256
from struct import error, unpack_from

import cv2
import numpy as np
from fpdf.image_datastructures import RasterImageInfo
from isal import isal_zlib
from simplejpeg import decode_jpeg_header

from cxr_runtime.pictures import DEFLATE_LEVEL, INDEXED, MOST_SHOWN, SIGNATURE
from cxr_runtime.reports.pdf.sheet import Sheet

COLOURS = 256  # of a palette at most


def film_image(sheet: Sheet, jpeg: bytes) -> str | None:
    """Make a grey JPEG known to a sheet, without Pillow, which fpdf2 asks each time it is drawn.

    Returns:
        The name by which the sheet knows it; None where the picture is of another kind.
    """
    return _known(sheet, jpeg, _info_of_jpeg)


def heat_image(sheet: Sheet, png: bytes) -> str | None:
    """Make a layer of heat known to a sheet.

    Both kinds of file hold rows of bytes, each after the byte of its filter, in one zlib stream (W3C PNG 9,
    PDF 32000-1 7.4.4.4). Through Pillow, fpdf2 would draw the picture and compress it twice.

    Args:
        sheet: the PDF.
        png: as `pictures.encode_indexed_png` writes it.

    Returns:
        The name by which the sheet knows it; None where the picture is of another kind.
    """
    return _known(sheet, png, _info_of_png)


def _known(sheet: Sheet, content: bytes, read: Callable[[bytes], RasterImageInfo | None]) -> str | None:
    name, images = sha256(content).hexdigest(), sheet.image_cache.images
    if name not in images:
        info = read(content)
        if info is None:
            return None
        info.update(i=len(images) + 1, usages=0, iccp_i=None)
        images[name] = info
    return name


def _info_of_jpeg(jpeg: bytes) -> RasterImageInfo | None:
    try:
        height, width, colours, _ = decode_jpeg_header(jpeg)
    except ValueError:
        return None
    if colours != "Gray":
        return None
    return RasterImageInfo(
        w=width, h=height, cs="DeviceGray", bpc=8, dpn=1, f="DCTDecode", inverted=False, iccp=None, data=jpeg,
        dp=f"/Predictor 15 /Colors 1 /Columns {width}",
    )  # fmt: skip


def _info_of_png(png: bytes) -> RasterImageInfo | None:
    try:
        chunks = _chunks(png)
        width, height, *kind = unpack_from(">IIBBBBB", chunks[b"IHDR"])
        if kind != [8, INDEXED, 0, 0, 0] or not 0 < max(width, height) <= MOST_SHOWN:
            return None
        stream, palette, opacity = chunks[b"IDAT"], chunks[b"PLTE"], chunks[b"tRNS"]
        rows = isal_zlib.decompressobj().decompress(stream, height * (width + 1) + 1)
        laid = np.frombuffer(rows, np.uint8).reshape(height, width + 1)
    except (ValueError, KeyError, error, isal_zlib.IsalError):  # type: ignore[misc]  # as its stubs say
        return None
    if laid[:, 0].any() or laid.max() >= min(len(palette) // 3, len(opacity)):
        return None
    table = np.zeros(COLOURS, np.uint8)
    table[: len(opacity)] = bytearray(opacity)
    mask = np.asarray(cv2.LUT(laid, table))
    mask[:, 0] = 0
    return RasterImageInfo(
        w=width, h=height, cs="Indexed", pal=palette, bpc=8, dpn=1, f="FlateDecode", inverted=False,
        dp=f"/Predictor 15 /Colors 1 /Columns {width}",
        iccp=None, data=stream, smask=isal_zlib.compress(mask, DEFLATE_LEVEL),
    )  # fmt: skip


def _chunks(png: bytes) -> dict[bytes, bytes]:
    """The contents of a PNG's chunks by name, those of the same name joined.

    Raises:
        ValueError: it is no PNG.
        struct.error: it is cut.
    """
    if not png.startswith(SIGNATURE):
        raise ValueError("no PNG")
    parts: dict[bytes, list[bytes]] = {}
    at, name = len(SIGNATURE), b""
    while name != b"IEND":
        length, name = unpack_from(">I4s", png, at)
        parts.setdefault(name, []).append(png[at + 8 : at + 8 + length])
        at += 12 + length
    return {name: b"".join(each) for name, each in parts.items()}
