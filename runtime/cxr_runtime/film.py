"""A decoded film: its pixels as a reader would see them, and what its file states."""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

import numpy as np

from cxr_runtime.pixels import DeepPixels, GreyPixels, halved

HALVED_FOR = 160  # rows and columns of the largest thumbnail that the gate and the lung field look at
LEAST_SPACING, MOST_SPACING = 0.001, 100.0  # of rows, millimetres; beyond them it is none of a film


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
    frames: int = 1  # pictures in the file; the first one is read
    view: View = View.UNKNOWN  # DICOM View Position (0018,5101)
    modality: str = ""  # DICOM Modality (0008,0060), e.g. CR
    body_part: str = ""  # DICOM Body Part Examined (0018,0015), upper case
    transfer_syntax: str = ""  # DICOM transfer syntax UID
    photometric: str = ""  # DICOM Photometric Interpretation (0028,0004)
    age_years: float | None = None  # at most, by DICOM Patient's Age and the dates
    is_own_result: bool = False  # this product made the picture of another film
    is_for_processing: bool = False  # DICOM Presentation Intent Type or SOP class: raw values of the detector
    stored_hw: tuple[int, int] | None = None  # rows and columns in the file, before pixels were made square
    turned_back: int = 0  # degrees clockwise by which the film lies in the file; the gate turned it back
    spacing_mm: float | None = None  # from row to row of the film as read, millimetres; None where not stated


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

    @cached_property
    def halved(self) -> GreyPixels:
        """The film halved once for all its thumbnails: those of HALVED_FOR and below are the same from it."""
        return halved(self.pixels, HALVED_FOR)


@dataclass(frozen=True)
class DeepFilm:
    """A film with all the grey values that its file holds; pixels are square."""

    values: DeepPixels = field(repr=False)
    window: tuple[float, float]  # centre and width in which it is usually shown, in the same values
    spacing_mm: float | None = None  # between neighbouring pixels, at the detector; None: not stated

    def shown(self) -> GreyPixels:
        """In its usual window, as `read_film` shows it but for rounding."""
        centre, width = self.window
        light = (self.values.astype(np.float32) - np.float32(centre - width / 2)) / np.float32(width)
        return np.asarray(np.round(255 * np.clip(light, 0, 1)), np.uint8)
