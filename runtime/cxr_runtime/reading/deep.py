"""A film at its full depth, for a reader who chooses the window: values, and the usual window in them."""

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.film import DeepFilm, DeepPixels, GreyPixels, at_reading_size, shrunk_hw
from cxr_runtime.reading.film_file import FileFormat, format_of, read_film

LIKENESS_SIDE = 64  # pixels at which a film is compared with its preview
LEAST_LIKENESS = 0.8  # correlation of a film and its own preview; windows differ between programs


def read_deep(content: bytes) -> DeepFilm:
    """Decode a file that was read as a film before; kinds without more depth come with 8 bits.

    Args:
        content: the whole file.

    Raises:
        UnreadableFilmError: as of `read_film`.
    """
    found = None
    match format_of(content):
        case FileFormat.DICOM:
            from cxr_runtime.reading.dicom.deep import deep_dicom

            found = deep_dicom(content)
        case FileFormat.PNG:
            from cxr_runtime.reading.png import deep_png

            found = deep_png(content)
        case _:
            pass
    return DeepFilm(read_film(content).pixels, (127.5, 255.0)) if found is None else found


def set_right(film: DeepFilm, preview: GreyPixels) -> DeepFilm | None:
    """Turn and invert a film as it was when its preview was made.

    The gate may have set a film right. What it did is read off the preview, which also shows that this is the
    same film.

    Args:
        film: as it lies in its file.
        preview: the same film at reading size or smaller, (rows, columns) uint8.

    Returns:
        The film as the preview shows it, or None where it is another one.
    """
    wanted, small = _standard(preview), _standard(at_reading_size(film.shown()))
    likeness = [float((wanted * np.rot90(small, turn)).mean()) for turn in range(4)]
    turn = int(np.argmax(np.abs(likeness)))
    if abs(likeness[turn]) < LEAST_LIKENESS:
        return None
    values, (centre, width) = np.rot90(film.values, turn), film.window
    if likeness[turn] < 0:
        top = np.iinfo(values.dtype).max
        values, centre = np.asarray(top - values, values.dtype), top - centre
    return DeepFilm(np.ascontiguousarray(values), (centre, width), film.spacing_mm)


def within(film: DeepFilm, most_pixels: int) -> DeepFilm:
    """The same film, shrunk where it has more pixels."""
    rows, columns = film.values.shape
    if rows * columns <= most_pixels:
        return film
    long_side = int(max(rows, columns) * (most_pixels / (rows * columns)) ** 0.5)
    hw = shrunk_hw((rows, columns), long_side)
    spacing = None if film.spacing_mm is None else film.spacing_mm * rows / hw[0]
    return DeepFilm(_resized(film.values, hw), film.window, spacing)


def _resized(values: DeepPixels, hw: tuple[int, int]) -> DeepPixels:
    return np.asarray(cv2.resize(values, (hw[1], hw[0]), interpolation=cv2.INTER_AREA), values.dtype)


def _standard(pixels: GreyPixels) -> NDArray[np.float64]:
    side = (LIKENESS_SIDE, LIKENESS_SIDE)
    small = cv2.resize(pixels, side, interpolation=cv2.INTER_AREA).astype(np.float64)
    return np.asarray((small - small.mean()) / max(float(small.std()), 1e-6), np.float64)
