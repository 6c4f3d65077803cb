"""Phantoms written as DICOM files, in every transfer syntax and photometric interpretation that is read."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, FileMetaDataset, dcmwrite
from pydicom.datadict import tag_for_keyword
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders.base import RLELosslessEncoder
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

Pixels = NDArray[np.integer[Any]]

UNCOMPRESSED = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
)
RLE = UID("1.2.840.10008.1.2.5")
JPEG_BASELINE = UID("1.2.840.10008.1.2.4.50")
JPEG_EXTENDED = UID("1.2.840.10008.1.2.4.51")
JPEG_LOSSLESS_14 = UID("1.2.840.10008.1.2.4.57")
JPEG_LOSSLESS_SV1 = UID("1.2.840.10008.1.2.4.70")
JPEG_LS = UID("1.2.840.10008.1.2.4.80")
JPEG_LS_NEAR = UID("1.2.840.10008.1.2.4.81")
JPEG_2000_LOSSLESS = UID("1.2.840.10008.1.2.4.90")
JPEG_2000 = UID("1.2.840.10008.1.2.4.91")
HTJ2K_LOSSLESS = UID("1.2.840.10008.1.2.4.201")
HTJ2K_RPCL = UID("1.2.840.10008.1.2.4.202")
HTJ2K = UID("1.2.840.10008.1.2.4.203")


def _jpeg(pixels: Pixels, bits: int) -> bytes:
    return bytes(imagecodecs.jpeg8_encode(pixels, level=97, bitspersample=8 if bits <= 8 else 12))


def _lossless_jpeg(predictor: int) -> Callable[[Pixels, int], bytes]:
    def encode(pixels: Pixels, bits: int) -> bytes:
        return bytes(imagecodecs.jpeg8_encode(pixels, bitspersample=bits, lossless=True, predictor=predictor))

    return encode


def _jpeg_ls(error: int) -> Callable[[Pixels, int], bytes]:
    return lambda pixels, _: bytes(imagecodecs.jpegls_encode(pixels, level=error))


def _jpeg_2000(level: int, *, reversible: bool) -> Callable[[Pixels, int], bytes]:
    def encode(pixels: Pixels, bits: int) -> bytes:
        options: dict[str, Any] = {"codecformat": "j2k", "reversible": reversible, "bitspersample": bits}
        return bytes(imagecodecs.jpeg2k_encode(pixels, level=level, **options))

    return encode


def _htj2k(level: float, *, reversible: bool) -> Callable[[Pixels, int], bytes]:
    return lambda pixels, _: bytes(imagecodecs.htj2k_encode(pixels, level=level, reversible=reversible))


ENCODERS: dict[UID, Callable[[Pixels, int], bytes]] = {
    JPEG_BASELINE: _jpeg,
    JPEG_EXTENDED: _jpeg,
    JPEG_LOSSLESS_14: _lossless_jpeg(6),
    JPEG_LOSSLESS_SV1: _lossless_jpeg(1),
    JPEG_LS: _jpeg_ls(0),
    JPEG_LS_NEAR: _jpeg_ls(2),
    JPEG_2000_LOSSLESS: _jpeg_2000(0, reversible=True),
    JPEG_2000: _jpeg_2000(60, reversible=False),
    HTJ2K_LOSSLESS: _htj2k(0, reversible=True),
    HTJ2K_RPCL: _htj2k(0, reversible=True),
    HTJ2K: _htj2k(0.0001, reversible=False),
}
LOSSY = (JPEG_BASELINE, JPEG_EXTENDED, JPEG_LS_NEAR, JPEG_2000, HTJ2K)


def dicom_dataset(pixels: Pixels, *, bits: int = 8, **elements: Any) -> Dataset:
    """A radiograph without its pixel data; `elements` by keyword replace or join the usual ones.

    An element may be (VR, value), or None to leave a usual one out.

    Args:
        pixels: (H, W), (H, W, 3) or (frames, H, W); 8 or 16 bits allocated follow from its dtype.
        bits: bits stored.
    """
    allocated = pixels.dtype.itemsize * 8
    is_colour = pixels.ndim == 3 and pixels.shape[2] == 3
    rows, columns = pixels.shape[:2] if is_colour else pixels.shape[-2:]
    ds = Dataset()
    ds.set_original_encoding(False, True)
    ds.SOPClassUID = DigitalXRayImageStorageForPresentation
    ds.SOPInstanceUID = "1.2.826.0.1.3680043.8.498.1"
    ds.Modality, ds.BodyPartExamined, ds.ViewPosition = "DX", "CHEST", "PA"
    ds.PatientName, ds.PatientID = "Phantom^Film", "phantom"
    ds.Rows, ds.Columns, ds.SamplesPerPixel = rows, columns, 3 if is_colour else 1
    ds.PhotometricInterpretation = "RGB" if is_colour else "MONOCHROME2"
    if is_colour:
        ds.PlanarConfiguration = 0
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = allocated, bits, bits - 1
    ds.PixelRepresentation = int(pixels.dtype.kind == "i")
    if pixels.ndim == 3 and not is_colour:
        ds.NumberOfFrames = len(pixels)
    for keyword, value in elements.items():
        if value is None:
            delattr(ds, keyword)
        elif isinstance(value, tuple):
            ds.add_new(tag_for_keyword(keyword) or 0, *value)
        else:
            setattr(ds, keyword, value)
    return ds


def dicom_file(
    pixels: Pixels,
    *,
    syntax: UID = ExplicitVRLittleEndian,
    bits: int = 8,
    stream: bytes | None = None,
    **elements: Any,
) -> bytes:
    """Write a radiograph; a compressed one may bring the `stream` of its only frame."""
    ds = dicom_dataset(pixels, bits=bits, **elements)
    if syntax in UNCOMPRESSED:
        is_big = syntax == ExplicitVRBigEndian
        content = pixels.astype(pixels.dtype.newbyteorder(">" if is_big else "<")).tobytes()
        ds.PixelData = content + b"\0" * (len(content) % 2)
        ds["PixelData"].VR = "OB" if ds.BitsAllocated == 8 and syntax != ImplicitVRLittleEndian else "OW"
    else:
        streams = (
            [encode_frame(frame, syntax, ds) for frame in _frames(pixels)] if stream is None else [stream]
        )
        ds.PixelData = encapsulate(streams)
        ds["PixelData"].VR = "OB"
        ds["PixelData"].is_undefined_length = True
    return write_dataset(ds, syntax)


def write_dataset(ds: Dataset, syntax: UID = ExplicitVRLittleEndian) -> bytes:
    """Write any data set as a DICOM file with preamble and file meta information."""
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.file_meta.MediaStorageSOPClassUID = ds.get("SOPClassUID", DigitalXRayImageStorageForPresentation)
    ds.file_meta.MediaStorageSOPInstanceUID = UID("1.2.826.0.1.3680043.8.498.1")
    file = BytesIO()
    dcmwrite(file, ds, enforce_file_format=True)
    return file.getvalue()


def without_preamble(content: bytes) -> bytes:
    """The same file from its first element on."""
    return content[132:]


def without_meta(content: bytes) -> bytes:
    """The same file without preamble and file meta information, as old archives send it."""
    length = int.from_bytes(content[140:144], "little")  # value of (0002,0000), Group Length
    return content[144 + length :]


def _frames(pixels: Pixels) -> list[Pixels]:
    return list(pixels) if pixels.ndim == 3 and pixels.shape[2] != 3 else [pixels]


def encode_frame(frame: Pixels, syntax: UID, ds: Dataset) -> bytes:
    """Compress one frame as its data set states."""
    if syntax == RLE:
        return RLELosslessEncoder.encode(
            frame.tobytes(),
            rows=ds.Rows,
            columns=ds.Columns,
            samples_per_pixel=ds.SamplesPerPixel,
            photometric_interpretation="RGB" if ds.SamplesPerPixel == 3 else "MONOCHROME2",
            bits_allocated=ds.BitsAllocated,
            bits_stored=ds.BitsStored,
            pixel_representation=ds.PixelRepresentation,
            number_of_frames=1,
            planar_configuration=0,
            encoding_plugin="pydicom",
        )
    return ENCODERS[syntax](frame, ds.BitsStored)
