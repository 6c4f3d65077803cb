"""A decoded film: its pixels as a reader would see them, and the facts its file states about them."""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

GreyPixels = NDArray[np.uint8]  # (rows, columns), 0 black .. 255 white


class View(StrEnum):
    """Projection of a chest film (DICOM PS3.3 C.8.11.5.1.1, View Position)."""

    PA = "PA"
    AP = "AP"
    LATERAL = "LATERAL"
    UNKNOWN = ""


@dataclass(frozen=True)
class FilmFacts:
    """What the file says about itself; empty or None where it says nothing."""

    file_format: str  # png, jpeg, tiff, bmp or dicom
    bits_stored: int = 8  # significant bits of one sample in the file
    frames: int = 1  # pictures in the file; the first one is read
    view: View = View.UNKNOWN  # DICOM View Position (0018,5101)
    modality: str = ""  # DICOM Modality (0008,0060), e.g. CR
    body_part: str = ""  # DICOM Body Part Examined (0018,0015), upper case
    transfer_syntax: str = ""  # DICOM transfer syntax UID
    photometric: str = ""  # DICOM Photometric Interpretation (0028,0004)
    age_years: float | None = None  # at most, by DICOM Patient's Age and the dates
    source_is_colour: bool = False  # the file held differing colour channels, e.g. a photograph
    is_for_processing: bool = False  # DICOM Presentation Intent Type or SOP class: raw values of the detector
    stored_hw: tuple[int, int] | None = None  # rows and columns in the file, before pixels were made square
    pixel_aspect: float = 1.0  # height of a pixel in the file over its width


@dataclass(frozen=True)
class Film:
    """One film, ready to look at.

    `pixels` has shape (rows, columns), dtype uint8, 0 black .. 255 white, after modality LUT, VOI LUT or
    window, and photometric inversion, so that dense tissue is bright (MONOCHROME2 sense). Pixels are square.
    """

    pixels: GreyPixels = field(repr=False)  # (rows, columns) uint8
    facts: FilmFacts  # what the file states

    @property
    def hw(self) -> tuple[int, int]:
        """Rows and columns of the film."""
        return self.pixels.shape[0], self.pixels.shape[1]
