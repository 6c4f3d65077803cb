"""Draws the chest films of this folder: no patient, free to share.

Run it from anywhere, `python examples/draw.py`; the films are the same each time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray
from pydicom import Dataset, FileMetaDataset, dcmwrite
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    DigitalXRayImageStorageForPresentation,
    JPEG2000Lossless,
    JPEGLSLossless,
    generate_uid,
)

from cxr_runtime.film import GreyPixels, View
from cxr_runtime.phantom import OpacitySpot, draw_phantom

FOLDER = Path(__file__).parent
HW = (512, 448)  # rows and columns


@dataclass(frozen=True)
class Example:
    """One film to draw."""

    name: str
    seed: int
    opacity: OpacitySpot | None = None
    view: View = View.PA
    male: bool = True

    def pixels(self) -> GreyPixels:
        return draw_phantom(self.seed, hw=HW, opacity=self.opacity, view=self.view, male=self.male)


EXAMPLES = (
    Example("clear-1.png", 1),
    Example("clear-2.jpg", 2, male=False),
    Example("clear-3.dcm", 3),
    Example("clear-4.tif", 4, male=False),
    Example("clear-5-ap.jpg", 5, view=View.AP),
    Example("clear-6-ap.dcm", 6, view=View.AP, male=False),
    Example("opacity-right-lower.png", 7, OpacitySpot(0.27, 0.55, 0.1, 0.7)),
    Example("opacity-left-upper.jpg", 8, OpacitySpot(0.72, 0.3, 0.09, 0.6), male=False),
    Example("opacity-left-middle.dcm", 9, OpacitySpot(0.78, 0.45, 0.11, 0.8)),
    Example("opacity-right-upper-ap.jpg", 10, OpacitySpot(0.3, 0.28, 0.1, 0.7), View.AP),
    Example("nodule-left.dcm", 11, OpacitySpot(0.77, 0.4, 0.035, 0.6), male=False),
    Example("nodule-right.bmp", 12, OpacitySpot(0.24, 0.36, 0.04, 0.6)),
)


def main() -> None:
    """Write every example."""
    for example in EXAMPLES:
        content = WRITERS[Path(example.name).suffix](example)
        (FOLDER / example.name).write_bytes(content)


def _picture(example: Example) -> bytes:
    suffix = Path(example.name).suffix
    quality = [cv2.IMWRITE_JPEG_QUALITY, 88] if suffix == ".jpg" else []
    return cv2.imencode(suffix, example.pixels(), quality)[1].tobytes()


def _tiff(example: Example) -> bytes:
    file = BytesIO()
    tifffile.imwrite(file, example.pixels(), compression="deflate", metadata=None, software="cxr-triage")
    return file.getvalue()


def _dicom(example: Example) -> bytes:
    """A digital radiograph of 12 bits, MONOCHROME1 for odd seeds."""
    stored = example.pixels().astype(np.uint16) << 4
    is_white_low = example.seed % 2 == 1
    syntax = (JPEG2000Lossless, JPEGLSLossless, DeflatedExplicitVRLittleEndian)[example.seed % 3]
    ds = _header(example, is_white_low=is_white_low)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    content = _compress(4095 - stored if is_white_low else stored, syntax)
    ds.PixelData = encapsulate([content]) if syntax.is_encapsulated else content
    ds["PixelData"].VR = "OB" if syntax.is_encapsulated else "OW"
    file = BytesIO()
    dcmwrite(file, ds, enforce_file_format=True)
    return file.getvalue()


def _header(example: Example, *, is_white_low: bool) -> Dataset:
    ds = Dataset()
    ds.SOPClassUID = DigitalXRayImageStorageForPresentation
    for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        setattr(ds, keyword, generate_uid(entropy_srcs=[keyword, example.name]))
    ds.PatientName, ds.PatientID = "Phantom", f"phantom-{example.seed}"
    ds.PatientSex = "M" if example.male else "F"
    ds.PatientAge, ds.Modality, ds.BodyPartExamined = "050Y", "DX", "CHEST"
    ds.ViewPosition = example.view.value
    ds.Rows, ds.Columns, ds.SamplesPerPixel = *HW, 1
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.PhotometricInterpretation = "MONOCHROME1" if is_white_low else "MONOCHROME2"
    ds.PresentationLUTShape = "INVERSE" if is_white_low else "IDENTITY"
    ds.WindowCenter, ds.WindowWidth = 2048, 4096
    return ds


def _compress(stored: NDArray[np.integer[Any]], syntax: UID) -> bytes:
    if syntax == JPEG2000Lossless:
        stream = imagecodecs.jpeg2k_encode(
            stored, level=0, codecformat="j2k", reversible=True, bitspersample=12
        )
        return bytes(stream)
    if syntax == JPEGLSLossless:
        return bytes(imagecodecs.jpegls_encode(stored))
    return stored.astype("<u2").tobytes()


WRITERS: dict[str, Callable[[Example], bytes]] = {
    ".png": _picture,
    ".jpg": _picture,
    ".bmp": _picture,
    ".tif": _tiff,
    ".dcm": _dicom,
}

if __name__ == "__main__":
    main()
