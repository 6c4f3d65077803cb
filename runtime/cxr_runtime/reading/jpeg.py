"""JPEG pictures (ITU-T T.81), decoded strictly: what a decoder would only warn of is damage."""

import imagecodecs
import numpy as np
import simplejpeg

from cxr_runtime.film import Film, FilmFacts, GreyPixels, squared
from cxr_runtime.reading.failure import check_size, damaged, truncated
from cxr_runtime.reading.grey import WITHOUT_ALPHA, Samples, decode_with_opencv, grey_of_bgr, to_8_bits
from cxr_runtime.reading.jpeg_lossless import ends_as_coded
from cxr_runtime.reading.jpeg_markers import (
    APP0,
    APP1,
    APP14,
    PROGRESSIVE,
    SEQUENTIAL,
    SOS,
    JpegFrame,
    complete_frame,
)
from cxr_runtime.reading.orientation import UPRIGHT, exif_orientation, upright
from cxr_runtime.reading.torn_blocks import BLOCK, check_blocks

MORE_BITS = b"\x5a\xa5" * 64  # read only by a decoder that still waits for data
ADOBE_RGB = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"  # says that components are not transformed
END_OF_BLOCK, ZEROS = b"\0", bytes(48)
GREEN = 1  # of three channels in either order; of a grey film any would do
WHOLE_BLOCKS = b"\x00\x3f\x00"  # the end of a scan header of a sequential picture (T.81, B.2.3)


def decode_jpeg(stream: bytes, frame: JpegFrame, *, order: str = "RGB", is_rgb: bool = False) -> Samples:
    """Decode a complete JPEG stream: 8 and 12 bits, lossless up to 16 bits.

    Args:
        stream: from SOI to EOI, with its tables.
        frame: what its markers say.
        order: of three channels in the result, `RGB` or `BGR`.
        is_rgb: three components are left as they are, whatever the stream calls them.

    Returns:
        (rows, columns) or (rows, columns, 3), uint8 or uint16; four components become BGR.

    Raises:
        UnreadableFilmError: `truncated` or `damaged`.
    """
    if frame.process in SEQUENTIAL:
        _check_zeros(stream, frame)
    if frame.bits == 8 and not frame.is_lossless:
        if frame.components == 4:
            return decode_with_opencv(stream, WITHOUT_ALPHA)
        pixels = _decode_8_bits(stream, frame, order, is_rgb=is_rgb)
        check_blocks(_one_channel(pixels), _rows_of_a_block(frame))
        return pixels
    pixels = _decode_deep(stream, frame, is_rgb=is_rgb)
    if int(pixels.max()) >> frame.bits:
        raise damaged(f"its JPEG samples need more than the {frame.bits} bits that it states")
    if not frame.is_lossless and pixels.ndim == 2:
        check_blocks((pixels >> (frame.bits - 8)).astype(np.uint8))
    return pixels[..., ::-1] if pixels.ndim == 3 and order == "BGR" else pixels


def _check_zeros(stream: bytes, frame: JpegFrame) -> None:
    """Refuse zeros that code no empty blocks, but hundreds of equal coefficients.

    The code word of zeros alone is the first of its table (T.81, annex C).
    """
    first = [values[:1] for place, _, values in frame.huffman_tables() if place >> 4 == 1]
    start = next(segment.end for segment in frame.segments if segment.marker == SOS)
    if first and END_OF_BLOCK not in first and stream.find(ZEROS, start, frame.end) >= 0:
        raise damaged("its JPEG data are blank in part")


def _one_channel(pixels: Samples) -> GreyPixels:
    return np.asarray(pixels if pixels.ndim == 2 else pixels[..., GREEN], np.uint8)


def _rows_of_a_block(frame: JpegFrame) -> int:
    """Rows of the picture that are coded together (T.81, A.2)."""
    return (
        BLOCK * max(sampling & 15 for sampling in frame.header.body[7::3]) if frame.components > 1 else BLOCK
    )


def _decode_8_bits(stream: bytes, frame: JpegFrame, order: str, *, is_rgb: bool) -> Samples:
    """Baseline and progressive, by libjpeg-turbo."""
    stream = _with_sound_scan_headers(stream, frame)
    if frame.components == 3 and is_rgb:
        stream = _called_rgb(stream, frame)
    pixels = _strictly(stream, "GRAY" if frame.components == 1 else order)
    return pixels[..., 0] if frame.components == 1 else pixels


def _called_rgb(stream: bytes, frame: JpegFrame) -> bytes:
    """The stream with a marker that forbids the decoder to convert colours, and none that asks for it."""
    for segment in reversed(frame.segments):
        if segment.marker in (APP0, APP14):
            stream = stream[: segment.end - len(segment.body) - 4] + stream[segment.end :]
    return stream[:2] + ADOBE_RGB + stream[2:]


def _strictly(stream: bytes, order: str) -> Samples:
    """Decode 8 bits; what libjpeg would only warn of is an error."""
    try:
        return np.asarray(simplejpeg.decode_jpeg(stream, order, strict=True))
    except ValueError as error:
        if "premature end" in str(error).lower():
            raise truncated("part of its JPEG picture is missing") from error
        raise damaged("its JPEG data are broken") from error


def _with_sound_scan_headers(stream: bytes, frame: JpegFrame) -> bytes:
    """Old archives leave the last bytes of a sequential picture's scan headers empty, which harms nothing."""
    if frame.process in PROGRESSIVE or frame.is_lossless:
        return stream
    odd = [scan.end for scan in frame.segments if scan.marker == SOS and scan.body[-3:] != WHOLE_BLOCKS]
    for end in odd:
        stream = stream[: end - 3] + WHOLE_BLOCKS + stream[end:]
    return stream


def _decode_deep(stream: bytes, frame: JpegFrame, *, is_rgb: bool) -> Samples:
    """12 bits and lossless, by imagecodecs, which tells nobody of libjpeg's warnings."""
    pixels = _imagecodecs(stream, is_rgb=is_rgb)
    if frame.components != 1:
        again = _imagecodecs(stream[: frame.end] + MORE_BITS + stream[frame.end :], is_rgb=is_rgb)
        if not np.array_equal(again, pixels):
            raise truncated("part of its JPEG picture is missing")
    elif not (frame.is_lossless and ends_as_coded(stream, frame, pixels)):
        _strictly(_as_8_bits(stream, frame), "GRAY")
    return pixels


def _as_8_bits(stream: bytes, frame: JpegFrame) -> bytes:
    """The stream with another depth in its header: its code words are the same, and so is their number."""
    place = frame.header.end - len(frame.header.body)
    return _with_sound_scan_headers(stream[:place] + b"\x08" + stream[place + 1 :], frame)


def _imagecodecs(stream: bytes, *, is_rgb: bool) -> Samples:
    colours = "RGB" if is_rgb else None
    try:
        return np.asarray(imagecodecs.jpeg8_decode(stream, colorspace=colours, outcolorspace=colours))
    except (RuntimeError, ValueError) as error:
        raise damaged("its JPEG data cannot be decoded") from error


def with_tables(stream: bytes, tables: bytes | None) -> bytes:
    """A stream that was written without its Huffman and quantisation tables, as in TIFF, with them."""
    return stream if not tables else stream[:2] + tables[2:-2] + stream[2:]


def read_jpeg(content: bytes) -> Film:
    """Decode a JPEG file, turned as its EXIF says, its pixels made square.

    Raises:
        UnreadableFilmError: `truncated`, `damaged`, `no-pixels` or `too-large`.
    """
    frame = complete_frame(content)
    check_size(frame.rows, frame.columns)
    pixels = decode_jpeg(content, frame, order="BGR")
    grey = grey_of_bgr(pixels) if pixels.ndim == 3 else pixels
    shown = squared(to_8_bits(grey), _row_to_column_spacing(frame))
    return Film(upright(shown, _orientation(frame)), FilmFacts("jpeg"))


def _orientation(frame: JpegFrame) -> int:
    """As the first EXIF segment says."""
    for body in frame.bodies(APP1):
        if body.startswith(b"Exif\0"):
            return exif_orientation(body[6:])
    return UPRIGHT


def _row_to_column_spacing(frame: JpegFrame) -> float:
    """Height of a pixel over its width, by the densities of JFIF (T.871, 10.1)."""
    for body in frame.bodies(APP0):
        if body.startswith(b"JFIF\0") and len(body) >= 12:
            across, down = int.from_bytes(body[8:10], "big"), int.from_bytes(body[10:12], "big")
            return across / down if across and down else 1.0
    return 1.0
