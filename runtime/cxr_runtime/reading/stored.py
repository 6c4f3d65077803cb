"""Stored values of the first frame of a DICOM file, right-aligned and with their sign (PS3.5 section 8)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import FileDataset
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import UID

from cxr_runtime.reading.dicom_values import integer, keyword
from cxr_runtime.reading.failure import damaged, truncated, unsupported
from cxr_runtime.reading.syntaxes import NOT_READ, SYNTAXES, transfer_syntax

Stored = NDArray[np.integer[Any]]  # (rows, columns), or (rows, columns, 3) RGB


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
    decoder = SYNTAXES[uid].decoder
    values = _uncompressed(ds, uid) if decoder == "pydicom" else _compressed(ds, decoder)
    hw = (integer(ds, "Rows"), integer(ds, "Columns"))
    if values.shape[:2] != hw:
        raise damaged(
            f"its header states {hw[0]} x {hw[1]} pixels but it holds {values.shape[0]} x {values.shape[1]}"
        )
    return values


def _uncompressed(ds: FileDataset, uid: str) -> Stored:
    """Native and RLE pixel data, by pydicom; overlay bits beside the stored ones are dropped."""
    if not UID(uid).is_encapsulated:
        _check_length(ds)
    values, _ = get_decoder(UID(uid)).as_array(
        ds, index=0, raw=not keyword(ds, "PhotometricInterpretation").startswith("YBR")
    )
    if values.ndim == 3 or values.dtype.kind == "f":
        return np.asarray(values)
    bits, allocated = _bits(ds)
    shift = min(max(0, (integer(ds, "HighBit") or bits - 1) + 1 - bits), allocated - bits)
    mask = (1 << bits) - 1
    unsigned = values.view(f"u{values.dtype.itemsize}")
    if shift == 0 and bits == allocated:
        return np.asarray(values)
    return _signed((unsigned >> shift) & unsigned.dtype.type(mask), bits, ds)


def _check_length(ds: FileDataset) -> None:
    """Compare the length of native pixel data with what the header needs."""
    samples, frames = integer(ds, "SamplesPerPixel") or 1, max(1, integer(ds, "NumberOfFrames") or 1)
    pixels = (integer(ds, "Rows") or 0) * (integer(ds, "Columns") or 0) * frames
    bits = pixels * samples * (integer(ds, "BitsAllocated") or 8)
    if keyword(ds, "PhotometricInterpretation") == "YBR_FULL_422":
        bits = bits * 2 // 3  # two pixels share their chroma (PS3.3 C.7.6.3.1.2)
    needed = (bits + 7) // 8
    if len(ds.PixelData) < needed:
        raise truncated(f"it holds {len(ds.PixelData)} of {needed} bytes of pixel data")


def _compressed(ds: FileDataset, decoder: str) -> Stored:
    """JPEG, JPEG-LS and JPEG 2000, by imagecodecs."""
    from cxr_runtime.reading import codestream

    frames = max(1, integer(ds, "NumberOfFrames") or 1)
    stream = get_frame(ds.PixelData, 0, number_of_frames=frames)
    photometric = keyword(ds, "PhotometricInterpretation")
    match decoder:
        case "jpeg":
            values = codestream.jpeg(stream, is_rgb=photometric == "RGB")
        case "jpeg_ls":
            values = codestream.jpeg_ls(stream)
        case _:
            values = codestream.jpeg_2000(stream)
    if values.ndim == 2:
        return _clipped(values, ds)
    left_as_ybr = photometric.startswith("YBR_FULL") and (
        decoder != "jpeg" or codestream.is_lossless_jpeg(stream)
    )
    return np.asarray(convert_color_space(values, "YBR_FULL", "RGB")) if left_as_ybr else values


def _clipped(values: Stored, ds: FileDataset) -> Stored:
    """Bring decoded values into the stored range: lossy compression overshoots it."""
    bits, _ = _bits(ds)
    if values.dtype.kind == "i":
        return np.clip(values, -(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    top = (1 << bits) - 1
    within = values if int(values.max(initial=0)) <= top else np.minimum(values, values.dtype.type(top))
    return _signed(within, bits, ds)


def _signed(values: Stored, bits: int, ds: FileDataset) -> Stored:
    """Read unsigned values as two's complement of `bits` where Pixel Representation says so."""
    if integer(ds, "PixelRepresentation") != 1:
        return values
    sign = 1 << (bits - 1)
    wide = values.astype(np.int64)
    return np.asarray((wide ^ sign) - sign)


def _bits(ds: FileDataset) -> tuple[int, int]:
    """Bits stored and allocated of one sample, checked."""
    allocated = integer(ds, "BitsAllocated") or 8
    stored = integer(ds, "BitsStored") or allocated
    if not 1 <= stored <= allocated <= 32:
        raise damaged(f"it states {stored} bits stored in {allocated} allocated")
    return stored, allocated
