"""Heat laid over a film in colour, so that the anatomy stays visible beneath it (paper, III.B)."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.film import GreyPixels
from cxr_runtime.heat.colour import heat_steps, step_colours, step_opacities
from cxr_runtime.placement import Outline
from cxr_runtime.resizing import shrink

RgbPixels = NDArray[np.uint8]  # (rows, columns, 3), red, green, blue

OUTLINE_RGB = (255, 255, 255)  # white: the one colour that no heat has
SUBPIXEL_BITS = 4  # outlines are drawn to 1/16 of a pixel
THUMBNAIL_LONG_SIDE = 112  # pixels; the worklist shows it at 52, sharp on fine screens too
THUMBNAIL_QUALITY = 80  # of its JPEG, 0..100


def overlay(
    preview: GreyPixels, heat: NDArray[np.float32], threshold: float, outlines: Sequence[Outline] = ()
) -> RgbPixels:
    """Colour the warm parts of a film; where the heat is below the threshold the film is as it was.

    Args:
        preview: (H, W) uint8, 0 black .. 255 white; the whole film.
        heat: (h, w) float32 in 0..1, over the whole film, of any size.
        threshold: heat below this is not coloured, 0 <= threshold < 1.
        outlines: polygons to draw on top, e.g. of the lungs.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ValueError: the threshold is outside 0..1, or 1.
    """
    steps = heat_steps(heat, threshold, (preview.shape[0], preview.shape[1]))
    picture = np.asarray(cv2.cvtColor(preview, cv2.COLOR_GRAY2RGB), np.uint8)
    left, top, width, height = cv2.boundingRect(steps)
    warm = slice(top, top + height), slice(left, left + width)
    if width:
        picture[warm] = _coloured(preview[warm], steps[warm])
    for outline in outlines:
        _draw(outline, picture)
    return picture


def thumbnail_jpeg(preview: GreyPixels, heat: NDArray[np.float32] | None, threshold: float) -> bytes:
    """A film small enough for a list, with its heat if it has any.

    Args:
        preview: (H, W) uint8, 0 black .. 255 white; the whole film.
        heat: (h, w) float32 in 0..1, over the whole film, of any size; None on a film without a score.
        threshold: heat below this is not coloured, 0 <= threshold < 1.

    Returns:
        A JPEG, the longer side THUMBNAIL_LONG_SIDE or the preview's own if that is less.

    Raises:
        ValueError: the threshold is outside 0..1, or 1.
    """
    shown = shrink(preview, THUMBNAIL_LONG_SIDE)
    if heat is not None:
        shown = np.asarray(cv2.cvtColor(overlay(shown, heat, threshold), cv2.COLOR_RGB2BGR), np.uint8)
    return cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, THUMBNAIL_QUALITY])[1].tobytes()


def _coloured(film: GreyPixels, steps: NDArray[np.uint8]) -> RgbPixels:
    """A part of a film with its colours; both (h, w)."""
    dimmed = cv2.multiply(film, cv2.LUT(steps, FILM_SHARE), scale=1 / 255)
    colours = cv2.applyColorMap(steps, COLOUR_SHARE)
    return np.asarray(cv2.add(cv2.cvtColor(dimmed, cv2.COLOR_GRAY2RGB), colours), np.uint8)


def _draw(outline: Outline, picture: RgbPixels) -> None:
    height, width = picture.shape[:2]
    corners = np.array(outline, np.float64) * (width, height) - 0.5
    fixed_point = np.rint(corners * 2**SUBPIXEL_BITS).astype(np.int32)
    cv2.polylines(picture, [fixed_point], True, OUTLINE_RGB, 1, cv2.LINE_AA, SUBPIXEL_BITS)


def _tables() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """What a pixel of each step keeps of the film, (256,) of 255, and what colour is added, (256, 1, 3)."""
    colours, opacities = step_colours(), step_opacities()
    film, colour = np.full(256, 255, np.uint8), np.zeros((256, 1, 3), np.uint8)
    film[: len(colours)] = np.rint(255 * (1 - opacities))
    colour[: len(colours), 0] = np.rint(opacities[:, None] * colours)
    return film, colour


FILM_SHARE, COLOUR_SHARE = _tables()
