"""One grey channel of 8 bits out of what decoders give: colour, transparency, 16 bits."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.film import GreyPixels
from cxr_runtime.reading.contrast import Numbers, full_contrast

COLOUR_SPREAD = 8  # grey levels between channels that count as colour; JPEG rounds chroma by a few
COLOUR_SHARE = 0.001  # share of coloured pixels from which a picture counts as coloured

Samples = NDArray[np.integer[Any]]  # uint8 or uint16


def is_colour(rgb: Samples) -> bool:
    """Whether the channels of an (H, W, 3) picture, in any order, differ visibly."""
    spread = rgb.max(axis=2).astype(np.int32) - rgb.min(axis=2)
    limit = COLOUR_SPREAD * (np.iinfo(rgb.dtype).max // 255)
    return bool(np.count_nonzero(spread > limit) > COLOUR_SHARE * spread.size)


def channels_equal(bgr: Samples) -> bool:
    """Whether the three channels of an (H, W, 3) picture are the same, the common case of a grey film."""
    return np.array_equal(bgr[..., 0], bgr[..., 1]) and np.array_equal(bgr[..., 0], bgr[..., 2])


def grey_of_bgr(bgr: Samples) -> tuple[Samples, bool]:
    """Luminance (ITU-R BT.601) of an (H, W, 3) BGR picture, same dtype, and whether it was coloured."""
    if channels_equal(bgr):
        return np.ascontiguousarray(bgr[..., 0]), False
    grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    return np.asarray(grey, bgr.dtype), is_colour(bgr)


def on_black(grey: Samples, alpha: Samples) -> Samples:
    """Lay a picture with transparency on black; both (H, W) of one dtype, as is the result."""
    opaque = np.iinfo(alpha.dtype).max
    if alpha.min() == opaque:
        return grey
    return np.round(grey.astype(np.float64) * alpha / opaque).astype(grey.dtype)


def to_8_bits(grey: Numbers) -> GreyPixels:
    """Show (H, W) samples of any depth in 256 grey levels; 8 bits stay as they are."""
    if grey.dtype == np.uint8:
        return np.ascontiguousarray(grey, np.uint8)
    return full_contrast(grey)
