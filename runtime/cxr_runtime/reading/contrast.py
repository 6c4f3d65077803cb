"""Grey levels where the file does not say how to show its values: 16-bit pictures, DICOM without a window."""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.film import GreyPixels

Number = TypeVar("Number", bound=np.integer[Any] | np.floating[Any])
Numbers = NDArray[np.integer[Any] | np.floating[Any]]

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
