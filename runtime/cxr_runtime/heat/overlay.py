"""Heat in colour: jet in discrete steps above a threshold, laid over the film (paper, III.B)."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.film import GreyPixels, shrink
from cxr_runtime.pictures import encode_indexed_png
from cxr_runtime.placement import Outline

RgbPixels = NDArray[np.uint8]  # (rows, columns, 3), red, green, blue

COLOUR_STEPS = 8  # discrete colours between the threshold and 1
OPACITY_SPAN = (0.3, 0.55)  # share of colour in a pixel of the weakest and strongest step; the rest is film
LAYER_LONG_SIDE = 512  # pixels; enough for smooth borders of the colours at any size a film is shown
THUMBNAIL_LONG_SIDE = 112  # pixels; the worklist shows it at 52, sharp on fine screens too
THUMBNAIL_QUALITY = 80  # of its JPEG, 0..100
OUTLINE_RGB = (255, 255, 255)  # white: the one colour that no heat has
SUBPIXEL_BITS = 4  # outlines are drawn to 1/16 of a pixel
JET_SPAN = (0.125, 0.875)  # jet from its pure blue to its bright red; the dark ends say nothing on a film


@dataclass(frozen=True)
class ColourStep:
    """One entry of the colour legend."""

    low: float  # heat at or above which this colour is shown, 0..1
    high: float  # heat below which it is shown; the last step includes it
    rgb: tuple[int, int, int]  # the opaque colour, 0..255 each


def legend(threshold: float) -> tuple[ColourStep, ...]:
    """The colours from the threshold up to 1, weakest first.

    Raises:
        ValueError: the threshold is outside 0..1, or 1.
    """
    edges = np.linspace(_checked(threshold), 1.0, COLOUR_STEPS + 1)
    return tuple(
        ColourStep(float(low), float(high), (int(rgb[0]), int(rgb[1]), int(rgb[2])))
        for low, high, rgb in zip(edges[:-1], edges[1:], step_colours()[1:], strict=True)
    )


def step_colours() -> NDArray[np.uint8]:
    """The opaque colour of each step: (COLOUR_STEPS + 1, 3) uint8 RGB; step 0 is black, not to be drawn."""
    at = np.linspace(*JET_SPAN, COLOUR_STEPS)[:, None]
    peaks = np.array([0.75, 0.5, 0.25])  # of red, green and blue in jet
    jet = np.clip(1.5 - np.abs(4 * (at - peaks)), 0, 1)
    return np.vstack([np.zeros((1, 3)), np.rint(255 * jet)]).astype(np.uint8)


def step_opacities() -> NDArray[np.float64]:
    """How much each step covers of the film: (COLOUR_STEPS + 1,) float64 in 0..1; step 0 is transparent."""
    return np.concatenate([[0.0], np.linspace(*OPACITY_SPAN, COLOUR_STEPS)])


def heat_steps(heat: NDArray[np.float32], threshold: float, out_hw: tuple[int, int]) -> NDArray[np.uint8]:
    """Which colour each pixel bears.

    Args:
        heat: (h, w) float32 in 0..1, over the whole film.
        threshold: heat below this is not coloured, 0 <= threshold < 1.
        out_hw: rows and columns of the result, which the heat is stretched onto bilinearly.

    Returns:
        (H, W) uint8: 0 below the threshold, then 1 .. COLOUR_STEPS in equal parts up to heat 1.

    Raises:
        ValueError: the threshold is outside 0..1, or 1.
    """
    low = np.float32(_checked(threshold))
    steps = (heat - low) * (COLOUR_STEPS / (1 - low)) + 1
    laid = cv2.resize(steps, (out_hw[1], out_hw[0]), interpolation=cv2.INTER_LINEAR)
    return np.clip(laid, 0, COLOUR_STEPS, out=laid).astype(np.uint8)


def _checked(threshold: float) -> float:
    if not 0 <= threshold < 1:
        raise ValueError(f"heat threshold {threshold!r} cannot be drawn; expected 0 or more and less than 1")
    return threshold


def heat_layer(heat: NDArray[np.float32], film_hw: tuple[int, int], threshold: float) -> bytes:
    """The colours of `overlay`, with their opacity, without the film.

    Args:
        heat: (h, w) float32 in 0..1, over the whole film.
        film_hw: rows and columns of the film, for its proportions.
        threshold: heat below this is not coloured, 0 <= threshold < 1.

    Returns:
        An indexed PNG with transparency; stretched onto the film it covers all of it.
    """
    scale = LAYER_LONG_SIDE / max(film_hw)
    layer_hw = max(1, round(film_hw[0] * scale)), max(1, round(film_hw[1] * scale))
    return encode_indexed_png(heat_steps(heat, threshold, layer_hw), LAYER_RGBA)


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
    # To a whole share of its sides first: that is ten times as fast as the rest of the way at once.
    share = 1 / max(1, max(preview.shape) // (2 * THUMBNAIL_LONG_SIDE))
    rough = cv2.resize(preview, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    shown = shrink(np.asarray(rough, np.uint8), THUMBNAIL_LONG_SIDE)
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
LAYER_RGBA = np.column_stack([step_colours(), np.rint(255 * step_opacities())]).astype(np.uint8)
