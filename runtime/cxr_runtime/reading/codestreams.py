"""Compressed frames of a DICOM file: JPEG, JPEG-LS and RLE; JPEG 2000 has a file of its own."""

import struct
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.reading.failure import check_size, damaged
from cxr_runtime.reading.jpeg import decode_jpeg
from cxr_runtime.reading.jpeg_markers import complete_frame

Stored = NDArray[np.integer[Any]]  # (rows, columns) or (rows, columns, 3)


def jpeg(stream: bytes, *, is_rgb: bool) -> Stored:
    """A JPEG frame, lossy or lossless, of 8 to 16 bits (ITU-T T.81).

    Args:
        stream: the frame, with its tables.
        is_rgb: three components are left as they are, whatever the stream calls them.

    Returns:
        (rows, columns) or (rows, columns, 3), uint8 or uint16.

    Raises:
        UnreadableFilmError: `truncated`, `damaged`, `no-pixels` or `too-large`.
    """
    frame = complete_frame(stream)
    check_size(frame.rows, frame.columns)
    return decode_jpeg(stream, frame, is_rgb=is_rgb)


def jpeg_ls(stream: bytes) -> Stored:
    """A JPEG-LS frame (ISO/IEC 14495-1), lossless or near-lossless."""
    frame = complete_frame(stream)
    check_size(frame.rows, frame.columns)
    try:
        return np.asarray(imagecodecs.jpegls_decode(stream))
    except (RuntimeError, ValueError) as error:
        raise damaged("its JPEG-LS data cannot be decoded") from error


RLE_HEADER = 64  # bytes: the number of segments and up to 15 offsets (PS3.5 annex G.5)


def decode_rle(stream: bytes, hw: tuple[int, int], samples: int, sample_bytes: int) -> Stored:
    """Decode one frame of run lengths (PS3.5 annex G).

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
    if len(stream) < RLE_HEADER:
        raise damaged("its RLE header is broken")
    segments, *offsets = struct.unpack_from("<16I", stream)
    if segments != samples * sample_bytes:
        raise damaged(f"it holds {segments} RLE segments of {samples * sample_bytes}")
    edges = [RLE_HEADER, *offsets[:segments], len(stream)]
    if edges != sorted(edges):  # the decoder would read wherever they point
        raise damaged("its RLE segments do not lie one behind the other within the frame")
    needed = hw[0] * hw[1] * segments
    try:
        decoded = imagecodecs.dicomrle_decode(stream, f"<u{sample_bytes}")
    except (RuntimeError, ValueError) as error:
        raise damaged("its RLE data cannot be decoded") from error
    if len(decoded) != needed:
        raise damaged(f"its RLE data hold {len(decoded)} of {needed} bytes")
    values = np.frombuffer(decoded, f"<u{sample_bytes}")
    return values.reshape(hw) if samples == 1 else np.moveaxis(values.reshape(samples, *hw), 0, -1)
