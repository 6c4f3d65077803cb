"""Films in every coding that is read, and the ways in which disks, networks and archives damage them."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO
from random import Random
from typing import Any

import cv2
import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray
from pydicom import Dataset, FileMetaDataset, dcmwrite
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders.base import RLELosslessEncoder
from pydicom.uid import UID, DigitalXRayImageStorageForPresentation

from cxr_runtime.film import GreyPixels

DEEP_BITS = 12  # of a film from a detector
LONGEST = 65536  # bytes that one damage touches


class Guard(StrEnum):
    """What a way of writing has against damage."""

    CHECKSUM = "checksum"
    CODE = "code words and lengths"
    NONE = "none"  # any bytes are a picture


@dataclass(frozen=True)
class Coding:
    """One way to write a film into a file."""

    encode: Callable[[GreyPixels], bytes]  # (rows, columns) uint8 to the whole file
    guard: Guard = Guard.CODE  # by what damage to its pixels can be known


def _raster(extension: str, *flags: int) -> Callable[[GreyPixels], bytes]:
    return lambda film: cv2.imencode(extension, film, flags)[1].tobytes()


def _tiff(**options: Any) -> Callable[[GreyPixels], bytes]:
    def encode(film: GreyPixels) -> bytes:
        file = BytesIO()
        with tifffile.TiffWriter(file) as writer:
            writer.write(film, photometric="minisblack", metadata=None, rowsperstrip=64, **options)
        return file.getvalue()

    return encode


def _bmp_run_lengths(film: GreyPixels) -> bytes:
    """BI_RLE8 of absolute runs alone, as few films have runs."""
    rows, columns = film.shape
    lines = []
    for row in film[::-1]:
        runs = (row[at : at + 254].tobytes() for at in range(0, columns, 254))
        coded = (bytes([0, len(run)]) + run + b"\0" * (len(run) % 2) for run in runs)
        lines.append(b"".join(coded) + b"\0\0")
    data = b"".join(lines)[:-2] + b"\0\1"
    palette = b"".join(bytes([grey, grey, grey, 0]) for grey in range(256))
    header = struct.pack("<IiiHHIIiiII", 40, columns, rows, 1, 8, 1, len(data), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 1078 + len(data), 0, 0, 1078) + header + palette + data


def _deep(film: GreyPixels) -> NDArray[np.uint16]:
    return np.round(film * (((1 << DEEP_BITS) - 1) / 255)).astype(np.uint16)


def _dicom(
    syntax: str, encode: Callable[[Any], bytes | bytearray] | None = None, *, bits: int = DEEP_BITS
) -> Coding:
    """A radiograph of `bits` bits in the transfer syntax 1.2.840.10008.1.2`syntax`."""

    def write(film: GreyPixels) -> bytes:
        stored = film if bits == 8 else _deep(film)
        uid = UID(f"1.2.840.10008.1.2{syntax}")
        ds = Dataset()
        ds.SOPClassUID, ds.SOPInstanceUID = DigitalXRayImageStorageForPresentation, UID("1.2.3.4")
        ds.Modality, ds.BodyPartExamined, ds.ViewPosition = "DX", "CHEST", "PA"
        ds.Rows, ds.Columns = film.shape
        ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
        ds.BitsAllocated, ds.BitsStored, ds.HighBit = (8 if bits == 8 else 16), bits, bits - 1
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = uid
        ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        ds.PixelData = stored.tobytes() if encode is None else encapsulate([bytes(encode(stored))])
        ds["PixelData"].VR = "OW" if encode is None else "OB"
        ds["PixelData"].is_undefined_length = encode is not None
        file = BytesIO()
        dcmwrite(file, ds, enforce_file_format=True)
        return file.getvalue()

    return Coding(write, Guard.NONE if encode is None else Guard.CODE)


def _rle(stored: NDArray[np.uint16]) -> bytes:
    options: Any = {
        "rows": stored.shape[0],
        "columns": stored.shape[1],
        "samples_per_pixel": 1,
        "photometric_interpretation": "MONOCHROME2",
        "bits_allocated": 16,
        "bits_stored": DEEP_BITS,
        "pixel_representation": 0,
        "number_of_frames": 1,
        "encoding_plugin": "pydicom",
    }
    return RLELosslessEncoder.encode(stored.tobytes(), **options)


def _jpeg(**options: Any) -> Callable[[Any], bytes]:
    return lambda stored: bytes(imagecodecs.jpeg8_encode(stored, **options))


def _jpeg_2000(level: int, *, reversible: bool) -> Callable[[Any], bytes]:
    options: Any = {"codecformat": "j2k", "level": level, "reversible": reversible}
    return lambda stored: bytes(imagecodecs.jpeg2k_encode(stored, bitspersample=DEEP_BITS, **options))


CODINGS = {
    "PNG": Coding(_raster(".png"), Guard.CHECKSUM),
    "JPEG": Coding(_raster(".jpg", cv2.IMWRITE_JPEG_QUALITY, 95)),
    "JPEG, progressive": Coding(_raster(".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1)),
    "JPEG, restart markers": Coding(_raster(".jpg", cv2.IMWRITE_JPEG_RST_INTERVAL, 64)),
    "TIFF": Coding(_tiff(), Guard.NONE),
    "TIFF, LZW": Coding(_tiff(compression="lzw")),
    "TIFF, deflate": Coding(_tiff(compression="deflate"), Guard.CHECKSUM),
    "TIFF, PackBits": Coding(_tiff(compression="packbits")),
    "TIFF, JPEG": Coding(_tiff(compression="jpeg")),
    "TIFF, ZSTD": Coding(_tiff(compression="zstd")),
    "BMP": Coding(_raster(".bmp"), Guard.NONE),
    "BMP, run lengths": Coding(_bmp_run_lengths),
    "DICOM": _dicom(".1"),
    "DICOM, deflated": _dicom(".1.99"),
    "DICOM, RLE": _dicom(".5", _rle),
    "DICOM, JPEG Baseline": _dicom(".4.50", _jpeg(level=95), bits=8),
    "DICOM, JPEG Extended": _dicom(".4.51", _jpeg(level=95, bitspersample=12)),
    "DICOM, JPEG Lossless": _dicom(".4.57", _jpeg(lossless=True, bitspersample=DEEP_BITS, predictor=6)),
    "DICOM, JPEG Lossless SV1": _dicom(".4.70", _jpeg(lossless=True, bitspersample=DEEP_BITS, predictor=1)),
    "DICOM, JPEG-LS": _dicom(".4.80", imagecodecs.jpegls_encode),
    "DICOM, JPEG-LS near-lossless": _dicom(
        ".4.81", lambda stored: imagecodecs.jpegls_encode(stored, level=3)
    ),
    "DICOM, JPEG 2000 Lossless": _dicom(".4.90", _jpeg_2000(0, reversible=True)),
    "DICOM, JPEG 2000": _dicom(".4.91", _jpeg_2000(60, reversible=False)),
    "DICOM, HTJ2K Lossless": _dicom(".4.201", imagecodecs.htj2k_encode),
}


def _place(content: bytes, random: Random) -> tuple[int, int]:
    """Where a damage begins, and how many bytes it touches: as often 1 to 10 as 1000 to 10000."""
    longest = min(LONGEST, len(content) // 4)
    length = max(1, round(longest ** random.random()))
    return random.randrange(len(content) - length), length


def _zeroed(content: bytes, random: Random) -> bytes:
    at, length = _place(content, random)
    return content[:at] + bytes(length) + content[at + length :]


def _doubled(content: bytes, random: Random) -> bytes:
    at, length = _place(content, random)
    return content[: at + length] + content[at:]


def _overwritten(content: bytes, random: Random) -> bytes:
    """A block stands in the place of the one behind it, too."""
    at, length = _place(content, random)
    length = min(length, (len(content) - at) // 2)
    return content[: at + length] + content[at : at + length] + content[at + 2 * length :]


def _lost(content: bytes, random: Random) -> bytes:
    at, length = _place(content, random)
    return content[:at] + content[at + length :]


def _flipped(content: bytes, random: Random) -> bytes:
    """One bit of each byte."""
    at, length = _place(content, random)
    flips = bytes(1 << random.randrange(8) for _ in range(length))
    changed = bytes(a ^ b for a, b in zip(content[at : at + length], flips, strict=True))
    return content[:at] + changed + content[at + length :]


DAMAGES: dict[str, Callable[[bytes, Random], bytes]] = {
    "zeroed": _zeroed,
    "doubled": _doubled,
    "overwritten": _overwritten,
    "lost": _lost,
    "flipped": _flipped,
}
