"""Films and zip files that a fuzzer starts from: drawn, and written by code; no file of anybody."""

import zipfile
from io import BytesIO
from typing import Any

import cv2
import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray
from pydicom import Dataset, FileMetaDataset, dcmwrite
from pydicom.uid import UID, DigitalXRayImageStorageForPresentation

from cxr_runtime.benchmark.damaged_films import CODINGS
from cxr_runtime.film import GreyPixels
from cxr_runtime.phantom import draw_phantom

SMALL_HW = (96, 80)  # rows and columns of a seed: most changes then fall where decoders branch


def _film() -> GreyPixels:
    return draw_phantom(5, hw=SMALL_HW)


def film_seeds(coding: str) -> tuple[bytes, ...]:
    """A film in one of the codings of `lab damage`, at two sizes."""
    encode = CODINGS[coding].encode
    return encode(_film()), encode(draw_phantom(6, hw=(70, 130)))


def raster_seeds() -> tuple[bytes, ...]:
    """PNG, JPEG, TIFF and BMP in ways that films are seldom stored."""
    film = _film()
    colour = np.stack([film, np.roll(film, 11, axis=1), 255 - film], axis=2)
    deep = film.astype(np.uint16) * 257
    alpha = np.dstack([colour, film])
    rasters = [
        (".png", deep), (".png", colour), (".png", alpha), (".jpg", colour), (".bmp", colour),
        (".bmp", alpha),
    ]  # fmt: skip
    grey: dict[str, Any] = {"photometric": "minisblack"}
    tiffs: list[tuple[NDArray[Any], dict[str, Any]]] = [
        (deep, {**grey, "compression": "lzw", "predictor": True, "byteorder": ">"}),
        (film, {**grey, "tile": (32, 32), "compression": "deflate", "bigtiff": True}),
        (film.astype(np.float32), grey),
        (np.stack([film, film]), grey),
        (colour.transpose(2, 0, 1).copy(), {"photometric": "rgb", "planarconfig": "separate"}),
        (
            film,
            {"photometric": "palette", "colormap": np.tile(np.arange(256, dtype=np.uint16) * 257, (3, 1))},
        ),
        (colour, {"photometric": "ycbcr", "compression": "jpeg"}),
    ]
    jpegs = [
        imagecodecs.jpeg8_encode(film.astype(np.uint16) * 16, bitspersample=12),
        imagecodecs.jpeg8_encode(deep, bitspersample=16, lossless=True, predictor=3),
        imagecodecs.jpeg8_encode(alpha, colorspace="CMYK", outcolorspace="CMYK"),
    ]
    return (
        *(cv2.imencode(kind, picture)[1].tobytes() for kind, picture in rasters),
        *(_tiff(picture, options) for picture, options in tiffs),
        *(bytes(jpeg) for jpeg in jpegs),
    )


def _tiff(picture: NDArray[Any], options: dict[str, Any]) -> bytes:
    options = dict(options)
    kinds = {name: options.pop(name) for name in ("bigtiff", "byteorder") if name in options}
    file = BytesIO()
    with tifffile.TiffWriter(file, **kinds) as writer:
        writer.write(picture, metadata=None, **options)
    return file.getvalue()


def header_seeds() -> tuple[bytes, ...]:
    """Native DICOM films whose headers say much: tables, windows, ages, spacings, padding, frames."""
    table = Dataset()
    table.LUTDescriptor, table.LUTData = [256, 0, 8], np.arange(256, dtype="<u2").tobytes()
    table["LUTDescriptor"].VR, table["LUTData"].VR = "US", "OW"
    windows = {
        "WindowCenter": [2000, 1000],
        "WindowWidth": [4000, 100],
        "RescaleSlope": 2,
        "RescaleIntercept": -8,
    }
    ages = {"PatientAge": "045Y", "PatientBirthDate": "19700101", "StudyDate": "20200229"}
    spacing = {"PixelSpacing": [0.2, 0.1], "PixelPaddingValue": 0, "PixelAspectRatio": [1, 2]}
    explicit, implicit, big = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
    return (
        _dicom(explicit, windows | ages | spacing),
        _dicom(implicit, windows | ages),
        _dicom(big, ages | spacing),
        _dicom(explicit, {"VOILUTSequence": [table], "ModalityLUTSequence": [table]}),
        _dicom(explicit, {"NumberOfFrames": 2}, frames=2),
        _dicom(explicit, {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "INVERSE"}),
    )


def _dicom(syntax: str, stated: dict[str, Any], frames: int = 1) -> bytes:
    film = _film().astype(np.uint16) * 16
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = DigitalXRayImageStorageForPresentation, UID("1.2.3.4")
    ds.Modality, ds.BodyPartExamined, ds.ViewPosition = "DX", "CHEST", "PA"
    ds.Rows, ds.Columns = film.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, 12, 11
    for keyword, value in stated.items():
        setattr(ds, keyword, value)
    order = ">u2" if syntax.endswith(".2.2") else "<u2"
    ds.PixelData = film.astype(order).tobytes() * frames
    ds["PixelData"].VR = "OW"
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    file = BytesIO()
    dcmwrite(file, ds, enforce_file_format=True)
    return file.getvalue()


def htj2k_seeds() -> tuple[bytes, ...]:
    """The other two transfer syntaxes of HTJ2K, by the streams of the first."""
    (one, other), uid = film_seeds("DICOM, HTJ2K Lossless"), b"1.2.840.10008.1.2.4.201"
    return one.replace(uid, uid[:-1] + b"2"), other.replace(uid, uid[:-1] + b"3")


def zip_seeds() -> tuple[bytes, ...]:
    """Zip files of small members in every method of compression that zipfile knows."""
    film = film_seeds("PNG")[0]
    seeds = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        file = BytesIO()
        with zipfile.ZipFile(file, "w", method) as archive:
            archive.comment = b"of a night"
            archive.writestr("ward/film.png", film)
            archive.writestr("grey.bin", bytes(3000))
            archive.writestr("\u00e4.png", film[:500])
            with archive.open("large.png", "w", force_zip64=True) as member:
                member.write(film)
        seeds.append(file.getvalue())
    return tuple(seeds)
