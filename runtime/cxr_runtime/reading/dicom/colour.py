"""Luminance of a DICOM picture in colour (PS3.3 C.7.6.3.1.2), whatever its header calls its components."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels.processing import apply_color_lut, convert_color_space

from cxr_runtime.film import GreyPixels
from cxr_runtime.reading.dicom.frames import Colours
from cxr_runtime.reading.dicom.header import raw_value
from cxr_runtime.reading.dicom.image_pixel import PALETTE
from cxr_runtime.reading.dicom.pixels import Picture
from cxr_runtime.reading.dicom.syntaxes import Codec
from cxr_runtime.reading.dicom.tables import table_of
from cxr_runtime.reading.failure import damaged
from cxr_runtime.reading.grey import grey_of_bgr

NEUTRAL = 2.0  # mean distance from grey, of 255 levels, up to which a picture is a grey film
CLEARLY = 4.0  # times; another order of components counts only where it is so much greyer than the stated
LOOKED_AT = 128  # rows
NO_CHROMA = 128
Components = NDArray[np.uint8]  # (rows, columns, 3)


def grey_of_colour(ds: Dataset, picture: Picture) -> GreyPixels:
    """Luminance of a picture of three components, or with a palette.

    Returns:
        (rows, columns) uint8.
    """
    if picture.module.photometric == PALETTE:
        rgb = _looked_up(ds, picture)
    else:
        components, space = _likeliest(_eight_bits(picture.values, picture.bits), picture)
        rgb = (
            components
            if space is Colours.RGB
            else np.asarray(convert_color_space(components, "YBR_FULL", "RGB"))
        )
    return np.asarray(grey_of_bgr(np.ascontiguousarray(rgb[..., ::-1])), np.uint8)


def _eight_bits(values: NDArray[np.generic], bits: int) -> Components:
    return np.asarray(values >> max(0, bits - 8), np.uint8)  # type: ignore[operator]  # integers


def _looked_up(ds: Dataset, picture: Picture) -> Components:
    if raw_value(ds, "SegmentedRedPaletteColorLookupTableData").content:
        rgb = np.asarray(apply_color_lut(picture.values, ds))
        return _eight_bits(rgb, 8 if rgb.max() < 256 else 16)
    ends = (float(picture.values.min()), float(picture.values.max()))
    channels = []
    for name in ("Red", "Green", "Blue"):
        table = table_of(ds, f"{name}PaletteColorLookupTable")
        if table is None or not table.covers(ends):
            raise damaged("its palette does not hold the colours of all pixels")
        channels.append(np.round(table.look_up(picture.values.astype(np.float64), ends) * (255 / table.top)))
    return np.stack(channels, axis=-1).astype(np.uint8)


def _likeliest(components: Components, picture: Picture) -> tuple[Components, Colours]:
    """The components in the stated order and space, unless the picture is a grey film only in another one."""
    readings = list(_readings(components, picture))
    distances = [_distance_from_grey(*reading) for reading in readings]
    best = int(np.argmin(distances))
    if distances[best] <= NEUTRAL and distances[best] * CLEARLY <= distances[0]:
        return readings[best]
    return readings[0]


def _readings(components: Components, picture: Picture) -> Iterator[tuple[Components, Colours]]:
    """The stated reading first, then the other space, then both with components in planes, or not."""
    stated = _stated_space(picture)
    other = Colours.YCBCR if stated is Colours.RGB else Colours.RGB
    yield from ((components, space) for space in (stated, other))
    if picture.header.codec is Codec.NATIVE:
        rows, columns, _ = components.shape
        if picture.module.is_planar:
            turned = np.moveaxis(components, -1, 0).reshape(rows, columns, 3)
        else:
            turned = np.moveaxis(components.reshape(3, rows, columns), 0, -1)
        yield from ((turned, space) for space in (stated, other))


def _stated_space(picture: Picture) -> Colours:
    """What the stream says, else what the header says; JPEG 2000 decoders undo RCT and ICT themselves."""
    if picture.header.colours is not Colours.UNSTATED:
        return picture.header.colours
    is_rgb = picture.module.photometric in ("RGB", "YBR_RCT", "YBR_ICT")
    return Colours.RGB if is_rgb else Colours.YCBCR


def _distance_from_grey(components: Components, space: Colours) -> float:
    """Mean distance from grey, in levels."""
    rows = components[:: max(1, len(components) // LOOKED_AT)].astype(np.int16)
    grey = rows[..., :1] if space is Colours.RGB else np.int16(NO_CHROMA)
    return float(np.abs(rows[..., 1:] - grey).mean())
