"""From a film to the network's input: the one preprocessing, used by training and by the clinic alike."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.film import GreyPixels, resize, shrink
from cxr_runtime.lungs.mask import LungMask
from cxr_runtime.placement import Box, Placement

PREPROCESSING_VERSION = "1"  # changes whenever the same film would give another input
CROPS = ("film", "centre", "lung-field", "lung-mask")
LONGEST_SIDE = 4096  # pixels of a network's input, or of the picture whose contrast is equalised
MOST_MARGIN, MOST_CLIP, MOST_TILES = 10.0, 1000.0, 256
MOST_CUT = 0.45  # taken off each side of a square; something must be left

InputPixels = NDArray[np.uint8]  # (H, W), the network's input before normalisation


@dataclass(frozen=True)
class Preprocessing:
    """How a film becomes the network's input; part of a model's manifest."""

    input_hw: tuple[int, int] = (224, 224)  # rows and columns of the network's input
    working_hw: tuple[int, int] = (512, 512)  # contrast is equalised at this size (paper, II.A: 1024)
    # One sharpness for the films of all machines: a film is shrunk until its longer side has so many pixels;
    # 0, or more than it has, leaves it as it is.
    detail: int = 0
    # What is stretched onto the input: the `film`, the square in its `centre`, the box of the `lung-field`,
    # or that of the `lung-mask`, with black around the lungs.
    crop: str = "film"
    crop_margin: float = 0.1  # as a share: added to each side of the lungs' box, or taken off the square's
    clahe_clip: float = 0.0  # contrast limit of CLAHE (paper, II.A); 0 leaves the contrast as it is
    clahe_tiles: int = 8  # CLAHE tiles along each axis
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)  # subtracted, a channel each, of 0..1
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)  # divided by, a channel each
    version: str = PREPROCESSING_VERSION

    def __post_init__(self) -> None:
        """Refuse what cannot be done to a film.

        Raises:
            ValueError: a size, the crop, the contrast limit or the normalisation is out of range.
        """
        sides = (*self.input_hw, *self.working_hw)
        if not all(0 < side <= LONGEST_SIDE for side in sides):
            raise ValueError(f"the sizes {sides} are not all within 1..{LONGEST_SIDE}")
        if not 0 <= self.detail <= LONGEST_SIDE:
            raise ValueError(f"detail {self.detail} is not within 0..{LONGEST_SIDE}")
        if self.crop not in CROPS:
            raise ValueError(f"crop {self.crop!r} is none of {', '.join(CROPS)}")
        most = MOST_CUT if self.crop == "centre" else MOST_MARGIN
        within = 0 <= self.crop_margin <= most and 0 <= self.clahe_clip <= MOST_CLIP
        if not (within and 0 < self.clahe_tiles <= MOST_TILES):
            raise ValueError("the margin of the crop or a number of CLAHE is out of range")
        if not np.isfinite(self.mean).all() or not all(0 < spread < np.inf for spread in self.std):
            raise ValueError("a mean is not finite, or a standard deviation is not above 0")


def place(film_hw: tuple[int, int], lung_box: Box | None, how: Preprocessing) -> Placement:
    """Choose the part of the film that the network is shown.

    Args:
        film_hw: rows and columns of the film.
        lung_box: box around both lungs in film pixels, or None where it is not known.
        how: the model's preprocessing.
    """
    whole: Box = (0.0, 0.0, float(film_hw[1]), float(film_hw[0]))
    if how.crop == "centre":
        return Placement(film_hw, _centre_square(film_hw, how.crop_margin), how.input_hw)
    if how.crop == "film" or lung_box is None:
        return Placement(film_hw, whole, how.input_hw)
    x0, y0, x1, y1 = lung_box
    dx, dy = how.crop_margin * (x1 - x0), how.crop_margin * (y1 - y0)
    inside = (max(x0 - dx, 0.0), max(y0 - dy, 0.0), min(x1 + dx, whole[2]), min(y1 + dy, whole[3]))
    rounded = (float(int(inside[0])), float(int(inside[1])), float(-int(-inside[2])), float(-int(-inside[3])))
    return Placement(film_hw, rounded, how.input_hw)


def _centre_square(film_hw: tuple[int, int], cut: float) -> Box:
    """The square in the middle, as wide as the film's shorter side less `cut` of it on each side."""
    side = max(1, round(min(film_hw) * (1 - 2 * cut)))
    y0, x0 = (whole // 2 - side // 2 for whole in film_hw)
    return float(x0), float(y0), float(x0 + side), float(y0 + side)


def prepare(
    pixels: GreyPixels, placement: Placement, how: Preprocessing, lungs: LungMask | None = None
) -> InputPixels:
    """Crop, equalise and shrink a film.

    Args:
        pixels: (rows, columns) uint8, 0 black .. 255 white.
        placement: the part of the film to show, in whole film pixels and within the film.
        how: the model's preprocessing.
        lungs: the film's lung field, for `lung-mask`; where it is not known or empty nothing is blackened.

    Returns:
        (H, W) uint8, the same in every channel of the network's input.
    """
    x0, y0, x1, y1 = (int(edge) for edge in placement.box_film_xyxy)
    shown, film_side = pixels[y0:y1, x0:x1], max(placement.film_hw)
    if 0 < how.detail < film_side:  # as sharp as if the film's longer side had so many pixels
        shown = shrink(shown, round(max(shown.shape) * how.detail / film_side))
    working = resize(shown, how.working_hw)
    if how.clahe_clip > 0:
        tiles = (how.clahe_tiles, how.clahe_tiles)
        equalised = cv2.createCLAHE(clipLimit=how.clahe_clip, tileGridSize=tiles).apply(working)
        working = np.asarray(equalised, np.uint8)
    if how.crop == "lung-mask" and lungs is not None and lungs.box_film_xyxy is not None:
        working = np.where(_lungs_alone(lungs, placement, how.working_hw), working, np.uint8(0))
    return resize(working, how.input_hw)


def normalise(inputs: NDArray[np.uint8], how: Preprocessing) -> NDArray[np.float32]:
    """Turn prepared films into a batch for the network.

    Args:
        inputs: (B, H, W) uint8.
        how: the model's preprocessing.

    Returns:
        (B, 3, H, W) float32, C-contiguous: (value / 255 - mean) / std in each channel.
    """
    scale = np.array([1 / (255 * s) for s in how.std], np.float32)[None, :, None, None]
    shift = np.array([m / s for m, s in zip(how.mean, how.std, strict=True)], np.float32)[None, :, None, None]
    batch = np.multiply(inputs[:, None], scale)
    return np.subtract(batch, shift, out=batch)  # in place: fresh memory costs more than the arithmetic


def _lungs_alone(lungs: LungMask, placement: Placement, hw: tuple[int, int]) -> NDArray[np.bool_]:
    """(H, W) where the part of the film that is shown is lung, or pleura."""
    x0, y0, x1, y1 = placement.box_film_xyxy
    grid = lungs.widened(hw)  # over the whole film
    rows, columns = (
        (low + (np.arange(count) + 0.5) / count * (high - low)) / film * count
        for low, high, count, film in zip((y0, x0), (y1, x1), hw, placement.film_hw, strict=True)
    )
    return grid[np.ix_(rows.astype(np.intp), columns.astype(np.intp))]
