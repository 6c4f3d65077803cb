"""RLE Lossless (DICOM PS3.5 annex G): one PackBits segment for each byte of each sample."""

import struct

import imagecodecs
import numpy as np

from cxr_runtime.reading.codestream import Stored
from cxr_runtime.reading.failure import damaged

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
