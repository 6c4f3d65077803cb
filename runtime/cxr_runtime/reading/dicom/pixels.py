"""Stored values of the first frame of a DICOM file, right-aligned and with their sign (PS3.5 section 8)."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydicom import FileDataset
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import UID

from cxr_runtime.reading.dicom.header import integer, keyword
from cxr_runtime.reading.dicom.syntaxes import NOT_READ, SYNTAXES, transfer_syntax
from cxr_runtime.reading.failure import damaged, truncated, unsupported

Stored = NDArray[np.integer[Any]]  # (rows, columns), or (rows, columns, 3) RGB


class Bits(NamedTuple):
    """Depth of one sample."""

    stored: int
    allocated: int


def stored_pixels(ds: FileDataset) -> Stored:
    """Decode the first frame.

    Returns:
        (rows, columns) stored values or palette indices, or (rows, columns, 3) RGB; integers.

    Raises:
        UnreadableFilmError: `unsupported`, `truncated`, `damaged` or `too-large`.
    """
    uid = transfer_syntax(ds)
    if uid not in SYNTAXES:
        raise unsupported(f"the transfer syntax {NOT_READ.get(uid, uid or 'that is missing')}")
    bits = _bits(ds)
    decoder = SYNTAXES[uid].decoder
    values = _native(ds, uid, bits) if decoder == "pydicom" else _compressed(ds, decoder, bits)
    hw = (integer(ds, "Rows"), integer(ds, "Columns"))
    if values.shape[:2] != hw:
        raise damaged(
            f"its header states {hw[0]} x {hw[1]} pixels but it holds {values.shape[0]} x {values.shape[1]}"
        )
    return values


def _native(ds: FileDataset, uid: str, bits: Bits) -> Stored:
    """Pixel data that are not compressed, by pydicom."""
    _check_length(ds, bits)
    is_ybr = keyword(ds, "PhotometricInterpretation").startswith("YBR")
    options: Any = {"correct_unused_bits": False}  # Any: pydicom's own types for these are wrong
    decoded, _ = get_decoder(UID(uid)).as_array(ds, index=0, raw=not is_ybr, **options)
    values = decoded.astype(decoded.dtype.newbyteorder("="), copy=False)
    return values if values.ndim == 3 else _significant(values, ds, bits)


def _significant(values: Stored, ds: FileDataset, bits: Bits) -> Stored:
    """Keep the stored bits alone: old files hide overlays in the others (PS3.5 8.1.1)."""
    if bits.stored == bits.allocated:
        return _signed(values, ds, bits)
    high = integer(ds, "HighBit")
    shift = 0 if high is None else min(max(0, high + 1 - bits.stored), bits.allocated - bits.stored)
    unsigned = values.view(f"u{values.dtype.itemsize}")
    return _signed((unsigned >> shift) & unsigned.dtype.type((1 << bits.stored) - 1), ds, bits)


def _check_length(ds: FileDataset, bits: Bits) -> None:
    """Compare the length of native pixel data with what the header needs."""
    samples, frames = integer(ds, "SamplesPerPixel") or 1, max(1, integer(ds, "NumberOfFrames") or 1)
    pixels = (integer(ds, "Rows") or 0) * (integer(ds, "Columns") or 0) * frames
    needed = pixels * samples * bits.allocated
    if keyword(ds, "PhotometricInterpretation") == "YBR_FULL_422":
        needed = needed * 2 // 3  # two pixels share their chroma (PS3.3 C.7.6.3.1.2)
    needed = (needed + 7) // 8
    if len(ds.PixelData) < needed:
        raise truncated(f"it holds {len(ds.PixelData)} of {needed} bytes of pixel data")


def _compressed(ds: FileDataset, decoder: str, bits: Bits) -> Stored:
    """RLE, JPEG, JPEG-LS and JPEG 2000, by imagecodecs."""
    from cxr_runtime.reading import codestreams

    frames = max(1, integer(ds, "NumberOfFrames") or 1)
    stream = get_frame(ds.PixelData, 0, number_of_frames=frames)
    photometric = keyword(ds, "PhotometricInterpretation")
    if decoder == "rle":
        values = _rle(stream, ds, bits)
    elif decoder == "jpeg":
        values = codestreams.jpeg(stream, is_rgb=photometric == "RGB")
    else:
        values = codestreams.jpeg_ls(stream) if decoder == "jpeg_ls" else codestreams.jpeg_2000(stream)
    if values.ndim == 2:
        return _significant(values, ds, bits) if decoder == "rle" else _clipped(values, ds, bits)
    is_rgb = decoder == "jpeg" and not codestreams.is_lossless_jpeg(stream)
    if photometric.startswith("YBR_FULL") and not is_rgb:
        return np.asarray(convert_color_space(values, "YBR_FULL", "RGB"))
    return values


def _rle(stream: bytes, ds: FileDataset, bits: Bits) -> Stored:
    from cxr_runtime.reading.codestreams import decode_rle

    hw = (integer(ds, "Rows") or 0, integer(ds, "Columns") or 0)
    return decode_rle(stream, hw, integer(ds, "SamplesPerPixel") or 1, max(1, bits.allocated // 8))


def _clipped(values: Stored, ds: FileDataset, bits: Bits) -> Stored:
    """Bring decoded values into the stored range: lossy compression overshoots it."""
    half = 1 << (bits.stored - 1)
    if values.dtype.kind == "i":
        return np.clip(values, -half, half - 1)
    top = 2 * half - 1
    within = values if int(values.max(initial=0)) <= top else np.minimum(values, values.dtype.type(top))
    return _signed(within, ds, bits)


def _signed(values: Stored, ds: FileDataset, bits: Bits) -> Stored:
    """Read unsigned values as two's complement where Pixel Representation says so."""
    if integer(ds, "PixelRepresentation") != 1 or values.dtype.kind == "i":
        return values
    sign = 1 << (bits.stored - 1)
    return np.asarray((values.astype(np.int64) ^ sign) - sign)


def _bits(ds: FileDataset) -> Bits:
    """Bits of one sample, checked."""
    allocated = integer(ds, "BitsAllocated") or 8
    stored = integer(ds, "BitsStored") or allocated
    if allocated not in (1, 8, 16, 32):
        raise unsupported(f"a DICOM picture of {allocated} bits a sample")
    if not 1 <= stored <= allocated:
        raise damaged(f"it states {stored} bits stored in {allocated} allocated")
    return Bits(stored, allocated)
