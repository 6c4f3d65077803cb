"""JPEG files (ISO/IEC 10918-1): baseline, progressive, 12-bit and lossless, turned as EXIF says."""

from cxr_runtime.film import Film, FilmFacts
from cxr_runtime.reading import opencv
from cxr_runtime.reading.failure import truncated
from cxr_runtime.reading.grey import Samples, grey_of_bgr, to_8_bits
from cxr_runtime.reading.jpeg_markers import JpegFrame, complete_frame, ends_early
from cxr_runtime.reading.limits import check_size


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
    from cxr_runtime.reading.codestream import decode_jpeg

    pixels = decode_jpeg(content)
    return pixels[..., ::-1] if pixels.ndim == 3 else pixels
