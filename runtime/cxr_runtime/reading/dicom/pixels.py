"""The first frame of a DICOM file: decoded, right-aligned and with its sign (PS3.5 section 8)."""

from dataclasses import dataclass
from typing import Any

from pydicom import Dataset
from pydicom.pixels.decoders.base import get_decoder

from cxr_runtime.reading.dicom import frames
from cxr_runtime.reading.dicom.bits import Depth, Stored, check_unused_bits, stored_values
from cxr_runtime.reading.dicom.frames import FrameHeader
from cxr_runtime.reading.dicom.header import raw_value, stated_syntax
from cxr_runtime.reading.dicom.image_pixel import (
    PALETTE,
    ImagePixel,
    coded_module,
    frames_of,
    native_length,
    native_module,
)
from cxr_runtime.reading.dicom.syntaxes import NOT_READ, SYNTAXES, Codec, native_syntax
from cxr_runtime.reading.failure import damaged, unsupported


@dataclass(frozen=True)
class Picture:
    """The first frame as it is stored."""

    module: ImagePixel
    header: FrameHeader
    values: Stored  # (rows, columns) values or palette indices; (rows, columns, 3) components
    bits: int  # of one sample, as the frame shows


def first_picture(ds: Dataset) -> Picture:
    """Decode the first frame.

    Raises:
        UnreadableFilmError: `unsupported`, `truncated`, `damaged`, `no-pixels` or `too-large`.
    """
    data = raw_value(ds, "PixelData").content
    codec, stream = _coded(ds, data)
    if codec is Codec.NATIVE:
        header, module = FrameHeader(codec), native_module(ds, len(data))
        decoded = _native(ds, data, module)
        check_unused_bits(decoded, module.high)
    else:
        header = frames.header_of(stream, codec)
        module = coded_module(ds, header, stream)
        decoded = _decoded(stream, header, module)
    hw = (module.rows, module.columns)
    if decoded.shape[:2] != hw:
        raise damaged(
            f"its header states {hw[0]} x {hw[1]} pixels but it holds {decoded.shape[0]} x {decoded.shape[1]}"
        )
    if decoded.ndim == 3:
        return Picture(module, header, decoded, min(module.stored, header.bits or module.stored))
    held = header.bits or decoded.dtype.itemsize * 8
    is_index = module.photometric == PALETTE
    depth = Depth(
        held,
        module.stored,
        module.high,
        False if is_index else module.is_signed,
        header.is_signed,
        header.is_lossy,
        module.padding,
        is_index,
    )
    reading = stored_values(decoded, depth)
    return Picture(module, header, reading.values, reading.bits)


def _coded(ds: Dataset, data: bytes) -> tuple[Codec, bytes]:
    """How the pixel data are coded, by their first bytes before the transfer syntax, and the first frame."""
    stated = stated_syntax(ds)
    if stated and stated not in SYNTAXES:
        raise unsupported(f"the transfer syntax {NOT_READ.get(stated, stated)}")
    codec = SYNTAXES[stated].codec if stated else None
    is_items = data[:4] == frames.ITEM  # whatever the transfer syntax says
    is_stream = is_items or frames.codec_of(data) not in (None, Codec.RLE)
    if not is_stream or (codec is Codec.NATIVE and native_length(ds) == len(data)):
        return Codec.NATIVE, data
    stream = frames.first_frame(data, frames_of(ds)) if is_items else data
    found = frames.codec_of(stream) or codec
    if found is None or found is Codec.NATIVE:
        raise unsupported("a compressed picture whose transfer syntax is not stated")
    return found, frames.without_filling(stream, found)


def _native(ds: Dataset, data: bytes, module: ImagePixel) -> Stored:
    """Uncompressed pixel data, by pydicom; components as they are, unsigned."""
    implicit, little = ds.original_encoding
    options: Any = {  # Any: pydicom's own types for these are wrong
        "rows": module.rows,
        "columns": module.columns,
        "number_of_frames": module.frames,
        "samples_per_pixel": module.samples,
        "photometric_interpretation": module.photometric,
        "bits_allocated": module.allocated,
        "bits_stored": module.allocated,
        "pixel_representation": 0,
        "planar_configuration": int(module.is_planar),
        "pixel_keyword": "PixelData",
        "pixel_vr": raw_value(ds, "PixelData").vr or "OW",
        "correct_unused_bits": False,
    }
    decoder = get_decoder(native_syntax(implicit=bool(implicit), little=bool(little)))
    decoded, _ = decoder.as_array(data, index=0, raw=True, **options)
    return decoded.astype(decoded.dtype.newbyteorder("="), copy=False)


def _decoded(stream: bytes, header: FrameHeader, module: ImagePixel) -> Stored:
    """A compressed frame, by imagecodecs; components as they are."""
    if header.codec is Codec.JPEG_2000:
        from cxr_runtime.reading.jpeg_2000 import decode_jpeg_2000

        return decode_jpeg_2000(stream)
    from cxr_runtime.reading import codestreams

    match header.codec:
        case Codec.RLE:
            hw = (module.rows, module.columns)
            stream = frames.without_rle_filling(stream, module.rows * module.columns)
            return codestreams.decode_rle(stream, hw, module.samples, module.allocated // 8)
        case Codec.JPEG:
            return codestreams.jpeg(stream, is_rgb=header.components == 3)
        case _:
            return codestreams.jpeg_ls(stream)
