"""A decoded film: its pixels as a reader would see them, also at other sizes, and what its file states."""

import math
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

GreyPixels = NDArray[np.uint8]  # (rows, columns), 0 black .. 255 white
DeepPixels = NDArray[np.unsignedinteger[Any]]  # (rows, columns) uint8 or uint16, more is brighter
Depth = TypeVar("Depth", np.uint8, np.uint16)

PREVIEW_LONG_SIDE = 1024  # pixels of a film at reading size; a smaller film is never enlarged
_QUARTER = 4  # of a film's sides
MANY = 3  # rows of a film that become one, from which on `_averaged` is faster
BAND = 64  # rows that are averaged at a time, so that they stay in the processor's cache
SAME_SPACING = 0.01  # spacings that differ by less are rounding; such a film is left as it is
MAX_SPACING_RATIO = 8.0  # no detector has pixels of such a shape: the file does not mean what it says
MAX_SQUARED_PIXELS = 100_000_000  # a film that would grow beyond this is shrunk along the finer axis instead
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


def halved(pixels: GreyPixels, side: int) -> GreyPixels:
    """Halve a film, (rows, columns) uint8, as long as its shorter side keeps `side` pixels.

    OpenCV averages blocks of two by two many times faster than others. Where rows or columns are odd in
    number, neighbours are weighted instead, so that nothing moves.
    """
    while min(pixels.shape) >= 2 * side:
        rows, columns = pixels.shape[0] // 2, pixels.shape[1] // 2
        pixels = np.asarray(cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_LINEAR), np.uint8)
    return pixels


def thumbnail(pixels: GreyPixels, side: int) -> GreyPixels:
    """Squash a film into a square; it is halved first.

    Args:
        pixels: (rows, columns) uint8.
        side: rows and columns of the result.

    Returns:
        (side, side) uint8; shrunk by area averaging, enlarged bilinearly.
    """
    pixels = halved(pixels, side)
    how = cv2.INTER_AREA if min(pixels.shape) >= side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (side, side), interpolation=how), np.uint8)


def standardised(pixels: GreyPixels, side: int) -> NDArray[np.float32]:
    """A thumbnail as the small networks take it; there is no other preparation, in training neither.

    Returns:
        (side, side) float32 with mean 0 and standard deviation 1 (0 on a blank film).
    """
    small = thumbnail(pixels, side).astype(np.float32)
    small -= small.mean()
    return np.asarray(small / max(float(np.sqrt(np.square(small).mean())), 1.0), np.float32)


def at_reading_size(pixels: GreyPixels) -> GreyPixels:
    """A film as people see it: its longer side at most PREVIEW_LONG_SIDE; (rows, columns) uint8.

    A film of twice that size or more is halved first, which takes a tenth of the time and leaves it as sharp.
    """
    rows, columns = shrunk_hw((pixels.shape[0], pixels.shape[1]))
    half = halved(pixels, min(rows, columns) + 1)  # rounded down, it is still no smaller than it is to be
    if half is pixels:
        return shrink(pixels, PREVIEW_LONG_SIDE)
    return np.asarray(cv2.resize(half, (columns, rows), interpolation=cv2.INTER_LINEAR), np.uint8)


def shrink(pixels: GreyPixels, long_side: int) -> GreyPixels:
    """A film at its own proportions, averaged by area, its longer side at most `long_side`; uint8."""
    rows, columns = shrunk_hw((pixels.shape[0], pixels.shape[1]), long_side)
    if (rows, columns) == pixels.shape:
        return pixels
    if pixels.shape[0] >= MANY * rows and pixels.shape[0] % rows and pixels.shape[1] % columns:
        return _averaged(pixels, (rows, columns))
    return np.asarray(cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)


def _averaged(pixels: GreyPixels, hw: tuple[int, int]) -> GreyPixels:
    """What OpenCV's INTER_AREA makes of a film, to the bit, in half to four fifths of its time.

    OpenCV adds up the pixels of a row one by one, but whole lines where rows become fewer. So each band of
    rows is laid on its side first, its rows in pairs, as two channels.

    Args:
        pixels: (rows, columns) uint8, neither a multiple of those of `hw`: OpenCV averages blocks then.
        hw: rows and columns of the result.
    """
    across = np.empty((pixels.shape[0], hw[1]), np.float32)
    for top in range(0, len(pixels), BAND):
        lying = np.asarray(cv2.transpose(pixels[top : top + BAND]), np.float32)
        columns, rows = lying.shape
        channels = 2 - rows % 2
        pairs = lying.reshape(columns, rows // channels, channels)
        narrow = cv2.resize(pairs, (rows // channels, hw[1]), interpolation=cv2.INTER_AREA)
        across[top : top + rows] = narrow.reshape(hw[1], rows).T
    return np.rint(cv2.resize(across, hw[::-1], interpolation=cv2.INTER_AREA)).astype(np.uint8)


def means(pixels: GreyPixels, side: int) -> GreyPixels:
    """The means of a film's squares of `side` x `side` pixels; (rows, columns) uint8."""
    if side == _QUARTER and not any(length % _QUARTER for length in pixels.shape):
        # Halved twice in 16 bits, which hold every sum: the same means in half the time.
        found: cv2.typing.MatLike = np.multiply(pixels, np.uint8(_QUARTER**2), dtype=np.uint16)
        for _ in range(2):
            found = cv2.resize(found, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.convertScaleAbs(found, alpha=1 / _QUARTER**2), np.uint8)
    found = cv2.resize(pixels, None, fx=1 / side, fy=1 / side, interpolation=cv2.INTER_AREA)
    return np.asarray(found, np.uint8)


def shrunk_hw(hw: tuple[int, int], long_side: int = PREVIEW_LONG_SIDE) -> tuple[int, int]:
    """Rows and columns of what `shrink` makes of a film of `hw`."""
    scale = min(1.0, long_side / max(hw))
    return max(1, round(hw[0] * scale)), max(1, round(hw[1] * scale))


def resize(pixels: GreyPixels, hw: tuple[int, int]) -> GreyPixels:
    """Shrink by area averaging, enlarge bilinearly; (H, W) uint8 in and out."""
    if pixels.shape == hw:
        return pixels
    shrinks = pixels.shape[0] >= hw[0] and pixels.shape[1] >= hw[1]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (hw[1], hw[0]), interpolation=interpolation), np.uint8)


def squared(pixels: NDArray[Depth], row_to_column_spacing_ratio: float) -> NDArray[Depth]:
    """Make the pixels of a film square, so that a heart is as wide as it is.

    Lines are interpolated along the coarser axis; the finer one keeps all it has.

    Args:
        pixels: (rows, columns) uint8 or uint16.
        row_to_column_spacing_ratio: distance of neighbouring rows over that of neighbouring columns, i.e. the
            height of a pixel over its width; DICOM Pixel Aspect Ratio is that (PS3.3 C.7.6.3.1.7).
            Numbers that no film can have (not finite, not positive, beyond 8 to 1) count as not stated.

    Returns:
        (rows, columns), same dtype; the same array where the pixels are square to within 1 %.
    """
    ratio = row_to_column_spacing_ratio
    is_plausible = math.isfinite(ratio) and 1 / MAX_SPACING_RATIO <= ratio <= MAX_SPACING_RATIO
    if not is_plausible or abs(ratio - 1) <= SAME_SPACING:
        return pixels
    rows, columns = pixels.shape
    grows_rows = ratio > 1
    if rows * columns * max(ratio, 1 / ratio) > MAX_SQUARED_PIXELS:
        grows_rows = not grows_rows
    hw = (round(rows * ratio), columns) if grows_rows else (rows, round(columns / ratio))
    # Cubic: scores of 14 films squeezed by half stray by 0.9 points on average, by 2.0 if lines are bilinear.
    how = cv2.INTER_CUBIC if hw >= pixels.shape else cv2.INTER_AREA
    return np.asarray(cv2.resize(pixels, (max(1, hw[1]), max(1, hw[0])), interpolation=how), pixels.dtype)
