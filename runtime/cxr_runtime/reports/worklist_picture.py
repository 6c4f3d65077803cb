"""A film's pictures as the worklist holds them: a thumbnail, and the layers that its viewer opens."""

from base64 import b64encode
from enum import Enum

from cxr_runtime.placement import Outline
from cxr_runtime.reports.exhibit import Picture


class Detail(Enum):
    """How much of a film's picture the worklist holds."""

    FULL = "full"  # film and heat as layers at preview size, and a thumbnail
    THUMBNAIL = "thumbnail"
    NONE = "none"


def picture_html(picture: Picture | None, detail: Detail) -> str:
    """The thumbnail, followed by a template of the viewer's picture if it is to be FULL.

    Args:
        picture: the film's pictures, or None.
        detail: how much to hold.

    Returns:
        HTML; "" where there is nothing to show.
    """
    if picture is None or detail is Detail.NONE:
        return ""
    thumbnail = _uri("image/jpeg", picture.thumbnail_jpeg)
    html = f'<img class="thumb" alt="" loading="lazy" decoding="async" src="{thumbnail}">'
    return f"{html}<template>{_layers(picture)}</template>" if detail is Detail.FULL else html


def _layers(picture: Picture) -> str:
    """Film, heat and outlines in one SVG, so that a browser scales them as one."""
    height, width = picture.film_hw
    whole = f'width="{width}" height="{height}" preserveAspectRatio="none"'
    layers = [f'<image {whole} href="{_uri("image/jpeg", picture.preview_jpeg)}"/>']
    if picture.heat_png is not None:
        heat = _uri("image/png", picture.heat_png)
        layers.append(f'<image class="heat" {whole} href="{heat}"/>')
    layers += [_polygon(outline, width, height) for outline in picture.lung_outlines]
    return (
        f'<svg class="film" viewBox="0 0 {width} {height}" role="img" aria-label="Film">'
        f"{''.join(layers)}</svg>"
    )


def _polygon(outline: Outline, width: int, height: int) -> str:
    corners = " ".join(f"{x * width:.1f},{y * height:.1f}" for x, y in outline)
    return f'<polygon class="outline" points="{corners}"/>'


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{b64encode(content).decode()}"
