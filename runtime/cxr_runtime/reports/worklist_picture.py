"""A film's pictures as the worklist holds them: a thumbnail, and the layers that its viewer opens."""

from base64 import b64encode
from enum import Enum

import cv2
import numpy as np

from cxr_runtime.film import GreyPixels
from cxr_runtime.heat.colour import heat_layer
from cxr_runtime.heat.overlay import overlay
from cxr_runtime.placement import Outline
from cxr_runtime.reports.exhibit import Picture
from cxr_runtime.resizing import shrink

THUMBNAIL_LONG_SIDE = 112  # pixels; shown at 52, sharp on fine screens too
THUMBNAIL_QUALITY = 80
# A JPEG is decoded at a part of its size for next to nothing (ITU-T T.81, by its 8 x 8 blocks).
READ_SIZES = (cv2.IMREAD_REDUCED_GRAYSCALE_8, cv2.IMREAD_REDUCED_GRAYSCALE_4, cv2.IMREAD_GRAYSCALE)


class Detail(Enum):
    """How much of a film's picture the worklist holds."""

    FULL = "full"  # film and heat as layers at preview size, and a thumbnail
    THUMBNAIL = "thumbnail"
    NONE = "none"


def picture_html(picture: Picture | None, detail: Detail, threshold: float) -> str:
    """The thumbnail, followed by a template of the viewer's picture if it is to be FULL.

    Args:
        picture: the film's pictures, or None.
        detail: how much to hold.
        threshold: heat below this is not coloured.

    Returns:
        HTML; "" where there is nothing to show.
    """
    if picture is None or detail is Detail.NONE:
        return ""
    thumbnail = _uri("image/jpeg", _thumbnail(picture, threshold))
    html = f'<img class="thumb" alt="" loading="lazy" decoding="async" src="{thumbnail}">'
    return f"{html}<template>{_layers(picture, threshold)}</template>" if detail is Detail.FULL else html


def _layers(picture: Picture, threshold: float) -> str:
    """Film, heat and outlines in one SVG, so that a browser scales them as one."""
    height, width = picture.film_hw
    whole = f'width="{width}" height="{height}" preserveAspectRatio="none"'
    layers = [f'<image {whole} href="{_uri("image/jpeg", picture.preview_jpeg)}"/>']
    if picture.heat is not None:
        heat = _uri("image/png", heat_layer(picture.heat, picture.film_hw, threshold))
        layers.append(f'<image class="heat" {whole} href="{heat}"/>')
    layers += [_polygon(outline, width, height) for outline in picture.lung_outlines]
    return (
        f'<svg class="film" viewBox="0 0 {width} {height}" role="img" aria-label="Film">'
        f"{''.join(layers)}</svg>"
    )


def _polygon(outline: Outline, width: int, height: int) -> str:
    corners = " ".join(f"{x * width:.1f},{y * height:.1f}" for x, y in outline)
    return f'<polygon class="outline" points="{corners}"/>'


def _thumbnail(picture: Picture, threshold: float) -> bytes:
    """The film at THUMBNAIL_LONG_SIDE at most, with its heat, as JPEG."""
    shown = _small(picture.preview_jpeg)
    if picture.heat is not None:
        shown = overlay(shown, picture.heat, threshold)[..., ::-1]  # OpenCV's order: blue, green, red
    return cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, THUMBNAIL_QUALITY])[1].tobytes()


def _small(jpeg: bytes) -> GreyPixels:
    """(rows, columns) uint8, the longer side THUMBNAIL_LONG_SIDE or the film's own if that is less."""
    data = np.frombuffer(jpeg, np.uint8)
    for size in READ_SIZES:
        grey = np.asarray(cv2.imdecode(data, size), np.uint8)
        if max(grey.shape) >= THUMBNAIL_LONG_SIDE:
            break
    return shrink(grey, THUMBNAIL_LONG_SIDE)


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{b64encode(content).decode()}"
