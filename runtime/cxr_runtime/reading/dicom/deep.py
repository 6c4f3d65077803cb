"""A DICOM film at its full depth: stored values, right way up in brightness, and its window in them."""

import warnings

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.film import DeepFilm, squared
from cxr_runtime.reading.dicom.bits import Stored
from cxr_runtime.reading.dicom.display import Display, display_of
from cxr_runtime.reading.dicom.file import data_set
from cxr_runtime.reading.dicom.header import pixel_aspect_and_spacing
from cxr_runtime.reading.dicom.image_pixel import GREY
from cxr_runtime.reading.dicom.pixels import first_picture
from cxr_runtime.reading.dicom.tables import Values

TOP = 65535  # of the values that are given
STRAIGHT = 0.02  # light by which a table may differ from a line and still be shown as a window


def deep_dicom(content: bytes) -> DeepFilm | None:
    """Decode the first frame with all its values; None where it is not grey.

    Values are those stored, moved so that the least is 0 and turned so that more is brighter. Where the film
    is shown by a table or a curve, values are its light, 0 to 65535.

    Args:
        content: the whole file, which was read as a film before.

    Raises:
        UnreadableFilmError: as of `read_dicom`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds = data_set(content)
        picture = first_picture(ds)
        if picture.module.photometric not in GREY:
            return None
        values, window = _values(picture.values, display_of(ds, picture))
        aspect, spacing = pixel_aspect_and_spacing(ds)
        square = squared(values, aspect)
        as_read = spacing * values.shape[0] / square.shape[0]
        return DeepFilm(square, window, as_read or None)


def _values(stored: Stored, display: Display) -> tuple[NDArray[np.uint16], tuple[float, float]]:
    low, high = int(stored.min()), int(stored.max())
    span = high - low
    table = np.linspace(low, high, 1 + min(span, TOP))
    light = display.light(table)
    line = _line(table, light) if span <= TOP else None
    if line is None:
        shown = np.round(TOP * display.light(stored.astype(np.float64)))
        values, window = shown.astype(np.uint16), (TOP / 2, float(TOP))
    else:
        slope, at = line  # light = slope * value + at
        values = (stored.astype(np.int64) - low).astype(np.uint16)
        if slope < 0:
            values = np.asarray(span - values, np.uint16)
            slope, at = -slope, at + slope * high
        else:
            at += slope * low
        window = ((0.5 - at) / slope, 1 / slope)
    if display.inverted:
        top = TOP if line is None else span
        values, window = np.asarray(top - values, np.uint16), (top - window[0], window[1])
    if display.padding is not None:
        values[(stored >= display.padding[0]) & (stored <= display.padding[1])] = 0
    return values, window


def _line(values: Values, light: Values) -> tuple[float, float] | None:
    """Slope and start of the line that light follows between black and white; None where it is a curve."""
    between = (light > 0) & (light < 1)
    if np.count_nonzero(between) < 2:
        return None
    slope, at = np.polyfit(values[between], light[between], 1)
    if slope == 0 or np.abs(np.clip(slope * values + at, 0, 1) - light).max() > STRAIGHT:
        return None
    return float(slope), float(at)
