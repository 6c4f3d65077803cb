"""From what decoders give to one grey channel of 8 bits: colour, transparency, more bits without a window."""

from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.film import GreyPixels
from cxr_runtime.reading.failure import damaged

Number = TypeVar("Number", bound=np.integer[Any] | np.floating[Any])
Numbers = NDArray[np.integer[Any] | np.floating[Any]]
Samples = NDArray[np.integer[Any]]  # uint8 or uint16

AS_STORED = int(cv2.IMREAD_UNCHANGED)  # with transparency
WITHOUT_ALPHA = int(cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR | cv2.IMREAD_IGNORE_ORIENTATION)

SILENT = 0  # a bad film is reported in its row, not on the terminal

if hasattr(cv2.utils, "logging"):
    cv2.utils.logging.setLogLevel(SILENT)
else:  # OpenCV 4
    cv2.setLogLevel(SILENT)  # type: ignore[attr-defined]  # not in the type information of OpenCV 5


def decode_with_opencv(content: bytes | memoryview, flags: int) -> Samples:
    """Decode a raster whose header has been checked, as it is stored: orientation is left to the caller.

    Returns:
        (H, W), (H, W, 3) BGR or (H, W, 4) BGRA, uint8 or uint16.

    Raises:
        UnreadableFilmError: `damaged`.
    """
    try:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error as error:
        raise damaged("its pixels cannot be decoded") from error
    if pixels is None:
        raise damaged("its pixels cannot be decoded")
    return np.asarray(pixels, np.uint16 if pixels.dtype == np.uint16 else np.uint8)


MIN_SPAN = 0.25  # share of the bit depth's range that the bulk of a film must fill to be shown by bit depth
TAILS = (0.1, 99.9)  # percentiles that bound the bulk
SAMPLE = 1 << 18  # values that percentiles are taken of


def shown_range(values: Numbers) -> tuple[float, float]:
    """Choose the values that become black and white.

    Unsigned values are shown over their bit depth (0 to 4095 if the largest needs 12 bits), so that a film
    saved with 8 or 16 bits looks the same, and a blank one blank. Where the bulk fills less than a quarter
    of it, or values are negative or fractions, black and white are the 0.1th and 99.9th percentile.

    Args:
        values: any shape, integers or finite floats, padding left out, at least one.

    Returns:
        (black, white), black < white unless all values are the same.
    """
    low, high = (float(edge) for edge in np.percentile(thinned(values), TAILS))
    if values.dtype.kind in "ui" and values.min() >= 0:
        white = float((1 << int(values.max()).bit_length()) - 1)
        if high - low >= MIN_SPAN * white or values.min() == values.max():
            return 0.0, white
    return (low, high) if high > low else (float(values.min()), float(values.max()))


def thinned(values: NDArray[Number]) -> NDArray[Number]:
    """Some values of an array of any shape, as (n,): evenly spread, smallest and largest among them."""
    flat = values.ravel()
    return np.append(flat[:: max(1, flat.size // SAMPLE)], [flat.min(), flat.max()]).astype(flat.dtype)


def full_contrast(values: Numbers) -> GreyPixels:
    """Map values of shape (H, W), any real dtype and finite, onto 0..255 by `shown_range`."""
    return stretch(values, *shown_range(values))


def stretch(values: Numbers, black: float, white: float) -> GreyPixels:
    """Map `black`..`white` onto 0..255 and clip; one value everywhere becomes black."""
    if white <= black:
        return np.zeros(values.shape, np.uint8)
    scaled = (values.astype(np.float32) - np.float32(black)) * np.float32(255 / (white - black))
    return np.asarray(np.round(np.clip(scaled, 0, 255)), np.uint8)


def grey_of_bgr(bgr: Samples) -> Samples:
    """Luminance (ITU-R BT.601) of an (H, W, 3) BGR picture, same dtype.

    A fourth channel, of transparency, is left out.
    """
    blue, green, red = (np.asarray(channel, bgr.dtype) for channel in cv2.split(bgr)[:3])
    if np.array_equal(blue, green) and np.array_equal(blue, red):  # the common case of a grey film
        return blue
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), bgr.dtype)


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
