"""Heat laid over the film: colours in discrete steps, contour lines, and a mark where it is strongest.

Colours are those of the paper (III.B). Lines and mark say the same to whoever sees no colours, and in grey.
"""

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.film import GreyPixels, means, shrink
from cxr_runtime.heat.colours import COLOUR_STEPS, LINE, LINE_WEIGHTS, MARK, NOT_DRAWN, palette
from cxr_runtime.pictures import encode_indexed_png, palette_chunks, with_palette
from cxr_runtime.placement import Outline
from cxr_runtime.presentation import Colours

RgbPixels = NDArray[np.uint8]  # (rows, columns, 3), red, green, blue
Part = tuple[slice, slice]  # rows and columns of a picture
WHOLE = slice(0, None), slice(0, None)

NEARLY_WARM = 0.9  # steps from here on may be 1 once they are stretched and rounded
LAYER_LONG_SIDE = 512  # pixels; enough for smooth borders of the colours at any size a film is shown
THUMBNAIL_LONG_SIDE = 112  # pixels; the worklist shows it at 52, sharp on fine screens too
THUMBNAIL_QUALITY = 80  # of its JPEG, 0..100
OUTLINE_RGB = (255, 255, 255)  # white: the one colour that no heat has
SUBPIXEL_BITS = 4  # outlines are drawn to 1/16 of a pixel
MARK_RADIUS = 9  # of the ring around the strongest heat, in pixels of a layer
LEAST_MARKED = LAYER_LONG_SIDE // 2  # longer side of a picture that has room for the mark


def heat_steps(
    heat: NDArray[np.float32], threshold: float, out_hw: tuple[int, int]
) -> tuple[NDArray[np.uint8], Part]:
    """Which colour each pixel bears.

    Args:
        heat: (h, w) float32 in 0..1, over the whole film.
        threshold: heat below this is not coloured, 0 <= threshold < 1.
        out_hw: rows and columns of the result, which the heat is stretched onto bilinearly.

    Returns:
        (H, W) uint8: 0 below the threshold, then 1 .. COLOUR_STEPS in equal parts up to heat 1; and the part
        beyond which all are 0.

    Raises:
        ValueError: the threshold is outside 0..1, or 1.
    """
    if not 0 <= threshold < 1:
        raise ValueError(NOT_DRAWN.format(threshold))
    low = np.float32(threshold)
    steps = (heat - low) * (COLOUR_STEPS / (1 - low)) + 1
    drawn, warm = np.zeros(out_hw, np.uint8), _box((steps >= NEARLY_WARM).view(np.uint8))
    if not steps[warm].size:
        return drawn, warm
    (rows, down), (columns, across) = map(_stretched, warm, heat.shape, out_hw)
    part = drawn[down, across]
    laid = cv2.resize(steps[rows, columns], part.shape[::-1], interpolation=cv2.INTER_LINEAR)
    part[:] = np.clip(laid, 0, COLOUR_STEPS, out=laid)
    return drawn, _box(drawn, (down, across))


def _stretched(cells: slice, count: int, out: int) -> tuple[slice, slice]:
    """Those of `count` cells along one axis that reach the pixels of `cells`, and the pixels they lie on."""
    times, rest = divmod(out, count)
    if rest or times not in (1, 2, 4):  # a part would be weighted otherwise than the whole, in the last bits
        return slice(0, count), slice(0, out)
    first, last = max(0, cells.start - 1), min(count, cells.stop + 1)
    return slice(first, last), slice(first * times, last * times)


def drawn_steps(
    heat: NDArray[np.float32], threshold: float, out_hw: tuple[int, int]
) -> tuple[NDArray[np.uint8], Part]:
    """Which entry of the palette each pixel bears: `heat_steps`, with contour lines and the mark.

    Args:
        heat: as of `heat_steps`, as `threshold` and `out_hw` are.
        threshold: heat below this is not coloured.
        out_hw: rows and columns of the result.

    Returns:
        (H, W) uint8, 0 where the film is left as it is; and the part beyond which all are 0.
    """
    steps, warm = heat_steps(heat, threshold, out_hw)
    if steps[warm].size:
        scale = max(out_hw) / LAYER_LONG_SIDE
        _draw_lines(steps[warm], scale)
        if max(out_hw) >= LEAST_MARKED:  # a ring, white with black borders, around the strongest heat
            row, column = np.unravel_index(int(np.argmax(heat)), heat.shape)
            place = (float(column) + 0.5) / heat.shape[1], (float(row) + 0.5) / heat.shape[0]
            centre = round(place[0] * out_hw[1] - 0.5), round(place[1] * out_hw[0] - 0.5)
            radius, thick = round(MARK_RADIUS * scale), max(1, round(2 * scale))
            cv2.circle(steps, centre, radius, LINE, 3 * thick)
            cv2.circle(steps, centre, radius, MARK, thick)
            warm = _box(steps)
    return steps, warm


def _box(pixels: NDArray[np.uint8], part: Part = WHOLE) -> Part:
    """The part beyond which all pixels are 0; it lies within the part that is given."""
    left, top, width, height = cv2.boundingRect(pixels[part])
    top, left = part[0].start + top, part[1].start + left
    return slice(top, top + height), slice(left, left + width)


def _draw_lines(steps: NDArray[np.uint8], scale: float) -> None:
    """Set lines within the borders of the steps of LINE_WEIGHTS; the film's own edge has none."""
    found = steps.copy()
    for step, weight in LINE_WEIGHTS.items():
        thick = round(weight * scale)
        if thick < 1:
            continue
        inside = (found >= step).view(np.uint8)
        box = _box(inside)
        if not inside[box].size:
            return
        near = tuple(slice(max(0, side.start - 1), side.stop + 1) for side in box)  # higher steps lie within
        steps, found, inside = steps[near], found[near], inside[near]
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * thick + 1, 2 * thick + 1))
        core = cv2.erode(inside, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=1)
        np.maximum(steps, LINE * (inside - core), out=steps)  # LINE is above all steps


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
    return encode_indexed_png(drawn_steps(heat, threshold, layer_hw)[0], JET_PALETTE)


def recoloured(layer: bytes, colours: Colours) -> bytes:
    """A layer that `heat_layer` made, in other colours; its pixels stay as they are."""
    return layer if colours is Colours.JET else with_palette(layer, palette_chunks(layer_rgba(colours)))


def layer_rgba(colours: Colours) -> NDArray[np.uint8]:
    """The palette of a layer: (COLOUR_STEPS + 3, 4) uint8, red, green, blue and opacity."""
    rgb, opacities = palette(colours)
    return np.column_stack([rgb, np.rint(255 * opacities)]).astype(np.uint8)


JET_PALETTE = palette_chunks(layer_rgba(Colours.JET))  # of every layer in the store


def overlay(
    preview: GreyPixels,
    heat: NDArray[np.float32],
    threshold: float,
    outlines: Sequence[Outline] = (),
    colours: Colours = Colours.JET,
) -> RgbPixels:
    """Colour the warm parts of a film; where the heat is below the threshold the film is as it was.

    Args:
        preview: (H, W) uint8, 0 black .. 255 white; the whole film.
        heat: (h, w) float32 in 0..1, over the whole film, of any size.
        threshold: heat below this is not coloured, 0 <= threshold < 1.
        outlines: polygons to draw on top, e.g. of the lungs.
        colours: scale of the heat.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ValueError: the threshold is outside 0..1, or 1.
    """
    steps, warm = drawn_steps(heat, threshold, (preview.shape[0], preview.shape[1]))
    picture = np.asarray(cv2.cvtColor(preview, cv2.COLOR_GRAY2RGB), np.uint8)
    if steps[warm].size:
        film_share, colour_share = _tables(colours)
        dimmed = cv2.multiply(preview[warm], cv2.LUT(steps[warm], film_share), scale=1 / 255)
        added = cv2.applyColorMap(steps[warm], colour_share)
        picture[warm] = cv2.add(cv2.cvtColor(dimmed, cv2.COLOR_GRAY2RGB), added)
    for outline in outlines:
        _draw(outline, picture)
    return picture


def thumbnail_jpeg(
    preview: GreyPixels,
    heat: NDArray[np.float32] | None,
    threshold: float,
    colours: Colours = Colours.JET,
) -> bytes:
    """A film small enough for a list, with its heat if it has any.

    Args:
        preview: (H, W) uint8, 0 black .. 255 white; the whole film.
        heat: (h, w) float32 in 0..1, over the whole film, of any size; None on a film without a score.
        threshold: heat below this is not coloured, 0 <= threshold < 1.
        colours: scale of the heat.

    Returns:
        A JPEG, the longer side THUMBNAIL_LONG_SIDE or the preview's own if that is less.

    Raises:
        ValueError: the threshold is outside 0..1, or 1.
    """
    # To a whole share of its sides first: that is ten times as fast as the rest of the way at once.
    rough = means(preview, max(1, max(preview.shape) // (2 * THUMBNAIL_LONG_SIDE)))
    shown = shrink(rough, THUMBNAIL_LONG_SIDE)
    if heat is not None:
        shown = np.asarray(
            cv2.cvtColor(overlay(shown, heat, threshold, (), colours), cv2.COLOR_RGB2BGR), np.uint8
        )
    return cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, THUMBNAIL_QUALITY])[1].tobytes()


def _draw(outline: Outline, picture: RgbPixels) -> None:
    height, width = picture.shape[:2]
    corners = np.array(outline, np.float64) * (width, height) - 0.5
    fixed_point = np.rint(corners * 2**SUBPIXEL_BITS).astype(np.int32)
    cv2.polylines(picture, [fixed_point], True, OUTLINE_RGB, 1, cv2.LINE_AA, SUBPIXEL_BITS)


@cache
def _tables(colours: Colours) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """What a pixel of each entry keeps of the film, (256,) of 255, and what colour is added, (256, 1, 3)."""
    rgb, opacities = palette(colours)
    film, colour = np.full(256, 255, np.uint8), np.zeros((256, 1, 3), np.uint8)
    film[: len(rgb)] = np.rint(255 * (1 - opacities))
    colour[: len(rgb), 0] = np.rint(opacities[:, None] * rgb)
    return film, colour
