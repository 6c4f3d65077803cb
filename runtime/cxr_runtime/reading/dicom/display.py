"""From values to grey levels as a reader would see them (PS3.3 C.11, C.7.6.3)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom import FileDataset
from pydicom.pixels.processing import apply_color_lut

from cxr_runtime.film import GreyPixels
from cxr_runtime.reading.codestreams import Stored
from cxr_runtime.reading.dicom.header import integer, keyword
from cxr_runtime.reading.dicom.transforms import modality_of, voi_of
from cxr_runtime.reading.failure import damaged
from cxr_runtime.reading.grey import grey_of_bgr, shown_range, thinned

Values = NDArray[np.float64]
TABLE_SPAN = 1 << 20  # stored values further apart than this are computed one by one, not by a table


@dataclass(frozen=True)
class Display:
    """How stored values are shown."""

    modality: Callable[[Values], Values]  # stored values to modality values
    voi: Callable[[Values], Values] | None  # modality values to light, 0 dark .. 1 bright; None: not stated
    padding: tuple[int, int] | None  # stored values, both included, that are not part of the film
    inverted: bool  # the lowest value is shown white

    def show(self, stored: Stored) -> GreyPixels:
        """Show (rows, columns) stored integers as uint8, dense tissue bright, padding black."""
        low, high = int(stored.min()), int(stored.max())
        inside = self._inside(stored)
        if high - low >= TABLE_SPAN:
            return self._grey(stored.astype(np.float64), inside)
        table = self._grey(np.arange(low, high + 1, dtype=np.float64), inside)
        wide = stored if stored.dtype.kind == "u" else stored.astype(np.int32)
        return np.take(table, wide if low == 0 else wide - wide.dtype.type(low))

    def _inside(self, stored: Stored) -> Stored:
        """The stored values that are part of the film, in no order; all of them if padding covers it all."""
        if self.padding is None:
            return stored
        kept = stored[(stored < self.padding[0]) | (stored > self.padding[1])]
        return kept if kept.size else stored

    def _grey(self, values: Values, inside: Stored) -> GreyPixels:
        light = self._light(values, inside)
        shown = np.round(255 * (1 - light if self.inverted else light)).astype(np.uint8)
        if self.padding is not None:
            shown[(values >= self.padding[0]) & (values <= self.padding[1])] = 0
        return shown

    def _light(self, values: Values, inside: Stored) -> Values:
        """Light of stored values, 0..1; a window that shows nothing of the film counts as not stated."""
        ends = self.modality(np.array([inside.min(), inside.max()], np.float64))
        if self.voi is not None:
            first, last = self.voi(ends)
            if first != last or ends[0] == ends[1]:
                return self.voi(self.modality(values))
        black, white = self._full_range(inside)
        return np.clip((self.modality(values) - black) / max(white - black, 1e-9), 0, 1)

    def _full_range(self, inside: Stored) -> tuple[float, float]:
        values = self.modality(thinned(inside).astype(np.float64))
        whole = values.astype(np.int64)
        return shown_range(whole if np.array_equal(whole, values) else values)


def display_of(ds: FileDataset) -> Display:
    """Read from a data set how its grey values are to be shown.

    The film is inverted once if it is MONOCHROME1 or its Presentation LUT Shape is INVERSE: for a MONOCHROME1
    film both say the same (PS3.3 C.8.11.3.1.2).
    """
    is_white_low = keyword(ds, "PhotometricInterpretation") == "MONOCHROME1"
    return Display(
        modality=modality_of(ds),
        voi=voi_of(ds),
        padding=_padding(ds),
        inverted=is_white_low or keyword(ds, "PresentationLUTShape") == "INVERSE",
    )


def _padding(ds: FileDataset) -> tuple[int, int] | None:
    """Pixel Padding Value and Range Limit (PS3.3 C.7.5.1.1.2)."""
    value = integer(ds, "PixelPaddingValue")
    if value is None:
        return None
    limit = integer(ds, "PixelPaddingRangeLimit")
    return (value, value) if limit is None else (min(value, limit), max(value, limit))


def grey_of_colour(ds: FileDataset, stored: Stored) -> tuple[GreyPixels, bool]:
    """Luminance of a picture in colour.

    Args:
        ds: the data set.
        stored: (rows, columns, 3) RGB, or (rows, columns) indices into a palette.

    Returns:
        (rows, columns) uint8, and whether the picture was visibly coloured.
    """
    if keyword(ds, "PhotometricInterpretation") == "PALETTE COLOR":
        rgb = np.asarray(apply_color_lut(stored, ds))
        bits = 8 if rgb.max() < 256 else 16
    else:
        rgb, bits = stored, integer(ds, "BitsStored") or 8
    if rgb.ndim != 3 or rgb.shape[2] < 3:
        raise damaged("it states a colour picture but holds one sample a pixel")
    shown = (rgb >> max(0, bits - 8)).astype(np.uint8)
    grey, coloured = grey_of_bgr(np.ascontiguousarray(shown[..., 2::-1]))
    return np.asarray(grey, np.uint8), coloured
