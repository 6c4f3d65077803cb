"""Compressed frames of a DICOM file: JPEG, JPEG-LS, JPEG 2000 and RLE."""

import struct
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.reading.failure import check_size, damaged, truncated
from cxr_runtime.reading.grey import Samples
from cxr_runtime.reading.jpeg import complete_frame, ends_early

Stored = NDArray[np.integer[Any]]  # (rows, columns) or (rows, columns, 3)

START_OF_CODESTREAM = b"\xff\x4f\xff\x51"  # SOC and SIZ of JPEG 2000
END_OF_CODESTREAM = b"\xff\xd9"  # EOC of JPEG 2000


def decode_jpeg(stream: bytes, *, is_rgb: bool = False, tables: bytes | None = None) -> Samples:
    """Decode any JPEG stream of ISO/IEC 10918-1: 8 and 12 bits, lossless up to 16 bits.

    Args:
        stream: the stream, complete.
        is_rgb: three components are red, green and blue, whatever the stream says.
        tables: the Huffman and quantisation tables, where the stream has none, as in TIFF.

    Returns:
        (rows, columns) or (rows, columns, 3) RGB, uint8 or uint16.
    """
    colours = "RGB" if is_rgb else None
    try:
        return np.asarray(
            imagecodecs.jpeg8_decode(stream, tables=tables, colorspace=colours, outcolorspace=colours)
        )
    except (RuntimeError, ValueError) as error:
        raise damaged("its JPEG data cannot be decoded") from error


def jpeg(stream: bytes, *, is_rgb: bool) -> Stored:
    """A complete JPEG frame of a DICOM file; raises as `complete_frame` and `decode_jpeg` do."""
    frame = complete_frame(stream)
    check_size(frame.rows, frame.columns)
    pixels = decode_jpeg(stream, is_rgb=is_rgb)
    if ends_early(stream, frame, pixels, lambda changed: decode_jpeg(changed, is_rgb=is_rgb)):
        raise truncated("part of its JPEG picture is missing")
    return pixels


def jpeg_ls(stream: bytes) -> Stored:
    """A JPEG-LS frame (ISO/IEC 14495-1), lossless or near-lossless."""
    frame = complete_frame(stream)
    check_size(frame.rows, frame.columns)
    try:
        return np.asarray(imagecodecs.jpegls_decode(stream))
    except (RuntimeError, ValueError) as error:
        raise damaged("its JPEG-LS data cannot be decoded") from error


def jpeg_2000(stream: bytes) -> Stored:
    """A JPEG 2000 or HTJ2K frame (ISO/IEC 15444-1 and -15), lossless or lossy."""
    start = stream.find(START_OF_CODESTREAM)
    if start < 0 or len(stream) < start + 42:
        raise damaged("it holds no JPEG 2000 picture")
    right, bottom, left, top = struct.unpack_from(">IIII", stream, start + 8)  # SIZ, annex A.5.1
    check_size(bottom - top, right - left)
    (components,) = struct.unpack_from(">H", stream, start + 40)
    if components not in (1, 3):
        raise damaged(f"its JPEG 2000 picture has {components} components")
    if END_OF_CODESTREAM not in stream[-16:]:
        raise truncated("its JPEG 2000 end mark is missing")
    try:
        return np.asarray(imagecodecs.jpeg2k_decode(stream))
    except (RuntimeError, ValueError) as error:
        raise damaged("its JPEG 2000 data cannot be decoded") from error


def is_lossless_jpeg(stream: bytes) -> bool:
    """Whether a complete JPEG stream is of a lossless process, whose components are left as they are."""
    return complete_frame(stream).is_lossless


HEADER = 64  # bytes: the number of segments and up to 15 offsets
MAX_PADDING = 1  # bytes; a segment may be filled up to an even length


def decode_rle(stream: bytes, hw: tuple[int, int], samples: int, sample_bytes: int) -> Stored:
    """Decode one frame.

    Args:
        stream: the frame, with its header.
        hw: rows and columns.
        samples: of one pixel, 1 or 3.
        sample_bytes: bytes allocated for one sample.

    Returns:
        `hw`, or `hw` and the samples last; unsigned integers of `sample_bytes`.

    Raises:
        UnreadableFilmError: `damaged`, also where the segments are too short or too long.
    """
    segments = _segments(stream)
    if len(segments) != samples * sample_bytes:
        raise damaged(f"it holds {len(segments)} RLE segments of {samples * sample_bytes}")
    planes = np.stack([_decode_segment(segment, hw[0] * hw[1]) for segment in segments], axis=1)
    big_endian = np.ascontiguousarray(planes).view(f">u{sample_bytes}")
    values = big_endian.astype(f"u{sample_bytes}")
    return values.reshape(hw if samples == 1 else (*hw, samples))


def _segments(stream: bytes) -> list[bytes]:
    if len(stream) < HEADER:
        raise damaged("its RLE header is broken")
    count, *offsets = struct.unpack_from("<16I", stream)
    ends = [*offsets[1:count], len(stream)]
    return [stream[start:end] for start, end in zip(offsets[:count], ends, strict=True)]


def _decode_segment(segment: bytes, pixels: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    try:
        decoded = imagecodecs.packbits_decode(segment)
    except RuntimeError as error:
        raise damaged("its RLE data cannot be decoded") from error
    if not pixels <= len(decoded) <= pixels + MAX_PADDING:
        raise damaged(f"an RLE segment holds {len(decoded)} bytes for {pixels} pixels")
    return np.frombuffer(decoded, np.uint8, pixels)
