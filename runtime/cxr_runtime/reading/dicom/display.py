"""From stored values to grey levels as a reader would see them (PS3.3 C.11, C.7.6.3)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from pydicom import Dataset

from cxr_runtime.film import GreyPixels
from cxr_runtime.reading.dicom.bits import Stored
from cxr_runtime.reading.dicom.header import items, keyword, number, numbers
from cxr_runtime.reading.dicom.pixels import Picture
from cxr_runtime.reading.dicom.tables import Ends, Table, Values, table_of
from cxr_runtime.reading.failure import damaged
from cxr_runtime.reading.grey import MIN_SPAN, TAILS, shown_range, thinned

Transform = Callable[[Values], Values]
INDEXES = 1 << 16  # of a table; stored values further apart are computed one by one
MOST_BETWEEN = 1 << 20  # stored values of which black and white are found
LEAST_GREY = (
    0.2  # share of a film that a window must show neither black nor white; of good films at least 0.24
)


@dataclass(frozen=True)
class Display:
    """How stored values are shown."""

    light: Transform  # of stored values, 0 dark .. 1 bright
    padding: tuple[int, int] | None  # stored values, both included, that are not part of the film
    inverted: bool  # the lowest value is shown white

    def show(self, stored: Stored) -> GreyPixels:
        """Show (rows, columns) stored integers as uint8, dense tissue bright, padding black."""
        low, high = int(stored.min()), int(stored.max())
        if high - low >= INDEXES:
            return self._grey(stored.astype(np.float64))
        between, table = np.arange(low, high + 1), np.zeros((1, INDEXES), np.uint8)
        table[0, between % INDEXES] = self._grey(between.astype(np.float64))
        return np.asarray(cv2.LUT(stored.astype(np.uint16, copy=False), table), np.uint8)

    def _grey(self, values: Values) -> GreyPixels:
        light = self.light(values)
        shown = np.round(255 * (1 - light if self.inverted else light)).astype(np.uint8)
        if self.padding is not None:
            shown[(values >= self.padding[0]) & (values <= self.padding[1])] = 0
        return shown


def display_of(ds: Dataset, picture: Picture) -> Display:
    """Read from a data set how a grey picture is to be shown.

    The film is inverted once if it is MONOCHROME1 or its Presentation LUT Shape is INVERSE: for a MONOCHROME1
    film both say the same (PS3.3 C.8.11.3.1.2).

    Raises:
        UnreadableFilmError: `damaged` where a table of the header is broken, or made for fewer bits than the
            pixels have.
    """
    if picture.bits > picture.module.stored and _has_depth(ds):
        raise damaged(
            f"its header and window are made for {picture.module.stored} bits a pixel, but its pixels have "
            f"{picture.bits}"
        )
    inside = _inside(picture)
    modality = modality_of(ds, (float(inside.min()), float(inside.max())))
    return Display(
        light=_light(ds, inside, modality),
        padding=picture.module.padding,
        inverted=picture.module.photometric == "MONOCHROME1"
        or keyword(ds, "PresentationLUTShape") == "INVERSE",
    )


def _has_depth(ds: Dataset) -> bool:
    """Whether the header says something of values that depends on their bits."""
    tables = items(ds, "VOILUTSequence") + items(ds, "ModalityLUTSequence")
    return bool(tables) or number(ds, "WindowWidth") is not None


def _inside(picture: Picture) -> Stored:
    """Some stored values of the film, its ends among them; without padding, unless all is padding."""
    if picture.module.padding is None:
        return thinned(picture.values)
    low, high = picture.module.padding
    kept = picture.values[(picture.values < low) | (picture.values > high)]
    return thinned(kept if kept.size else picture.values)


def _light(ds: Dataset, inside: Stored, modality: Transform) -> Transform:
    """Light of stored values by the first VOI LUT or window that shows the film in grey, or by its range."""
    values = modality(inside.astype(np.float64))
    is_flat = values.min() == values.max()
    for voi in voi_of(ds, (float(values.min()), float(values.max()))):
        shown = np.round(255 * voi(values))
        if is_flat or ((shown > 0) & (shown < 255)).mean() >= LEAST_GREY:
            return lambda stored: voi(modality(stored))
    black, white = _ends_shown(inside, modality)
    return lambda stored: np.clip((modality(stored) - black) / max(white - black, 1e-9), 0, 1)


def _ends_shown(inside: Stored, modality: Transform) -> tuple[float, float]:
    """Black and white where none is stated: the range of stored bits, through the modality transform."""
    low, high = _stored_range(inside)
    between = np.linspace(low, high, 1 + int(min(high - low, MOST_BETWEEN)))
    values = modality(between)
    return float(values.min()), float(values.max())


def _stored_range(inside: Stored) -> tuple[float, float]:
    """`shown_range`, except that values on both sides of 0 are shown over their signed bits."""
    low, high = int(inside.min()), int(inside.max())
    if low < 0 < high:
        half = 1 << max(high, -low - 1).bit_length()
        bulk_low, bulk_high = np.percentile(inside, TAILS)
        if bulk_low < -half / 2 and bulk_high - bulk_low >= MIN_SPAN * 2 * half:
            return -half, half - 1
    return shown_range(inside)


def modality_of(ds: Dataset, ends: Ends) -> Transform:
    """The transform of stored values of a film with these ends; a table goes before slope and intercept.

    Raises:
        UnreadableFilmError: `damaged` where the only transform is a table that leaves values of the film out.
    """
    tables = [table for item in items(ds, "ModalityLUTSequence") if (table := table_of(item)) is not None]
    for table in tables:
        if table.covers(ends):
            return lambda values: table.look_up(values, ends)
    slope, intercept = number(ds, "RescaleSlope"), number(ds, "RescaleIntercept")
    if tables and slope is None:
        raise damaged("its modality look-up table holds fewer entries than it states")
    return lambda values: values * (slope or 1.0) + (intercept or 0.0)


def voi_of(ds: Dataset, ends: Ends) -> Iterator[Transform]:
    """The VOI LUTs, then the windows, as light 0..1 of modality values of a film with these ends.

    Raises:
        UnreadableFilmError: `damaged` at the end, where a table leaves values of the film out and there
            is no window.
    """
    tables = [table for item in items(ds, "VOILUTSequence") if (table := table_of(item)) is not None]
    sound = [table for table in tables if table.covers(ends)]
    yield from (_light_of(table, ends) for table in sound)
    centres, widths = numbers(ds, "WindowCenter"), numbers(ds, "WindowWidth")
    windows = [window(*pair, keyword(ds, "VOILUTFunction")) for pair in zip(centres, widths, strict=False)]
    yield from (usable for usable in windows if usable is not None)
    if tables and not sound and not any(windows):
        raise damaged("its VOI look-up table holds fewer entries than it states")


def _light_of(table: Table, ends: Ends) -> Transform:
    return lambda values: np.clip(table.look_up(values, ends) / table.top, 0, 1)


def window(centre: float, width: float, function: str) -> Transform | None:
    """A window as light 0..1 (PS3.3 C.11.2.1.2 and C.11.2.1.3); None if its width is not allowed."""
    match function:
        case "SIGMOID" if width > 0:
            return lambda values: 1 / (1 + np.exp(np.clip(-4 * (values - centre) / width, -700, 700)))
        case "LINEAR_EXACT" if width > 0:
            return lambda values: np.clip((values - centre) / width + 0.5, 0, 1)
        case "SIGMOID" | "LINEAR_EXACT":
            return None
    if width < 1:
        return None
    if width == 1:
        return lambda values: (values > centre - 0.5).astype(np.float64)
    return lambda values: np.clip((values - (centre - 0.5)) / (width - 1) + 0.5, 0, 1)
