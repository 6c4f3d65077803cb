"""Chest films drawn by code: no patient, no licence; for tests, examples and the self-test of backends."""

from dataclasses import dataclass

import numpy as np

from cxr_runtime.film import GreyPixels, View
from cxr_runtime.phantom.body import draw_lots
from cxr_runtime.phantom.canvas import Canvas, Layer
from cxr_runtime.phantom.tissue import bones, cloud, lung_area, lung_vessels, soft_tissue

__all__ = ["OpacitySpot", "draw_phantom"]

NOISE = 1.6  # standard deviation of the grain, grey levels


@dataclass(frozen=True)
class OpacitySpot:
    """A round, cloudy shadow, e.g. a consolidation or a nodule."""

    x: float  # centre, share of the film's width from the left
    y: float  # centre, share of the film's height from the top
    radius: float = 0.08  # share of the film's short side
    density: float = 0.8  # added at the centre; 0.3 is faint, 1.0 as dense as the heart


def draw_phantom(
    seed: int,
    *,
    hw: tuple[int, int] = (512, 512),
    opacity: OpacitySpot | None = None,
    label: bool = True,
    view: View = View.PA,
    male: bool = True,
) -> GreyPixels:
    """Draw a frontal chest film: the same one for the same arguments, with or without an opacity.

    Args:
        seed: which person.
        hw: rows and columns; the chest fills the short side.
        opacity: a shadow over a lung, or none.
        label: whether the side marker L is burned in at the patient's left, the film's right.
        view: PA, or AP with raised diaphragm, wide heart and shoulder blades over the lungs.
        male: without breast shadows.

    Returns:
        (rows, columns) uint8, dense tissue bright.
    """
    rng = np.random.default_rng(seed)
    canvas, body = Canvas(hw), draw_lots(rng, view, male=male)
    density = soft_tissue(canvas, body) + bones(canvas, body)
    density += 0.08 * lung_vessels(canvas, body, rng) * (0.1 + 0.9 * lung_area(canvas, body))
    density *= 1 + 0.012 * cloud(canvas, rng, 0.02) + 0.02 * cloud(canvas, rng, 0.2)
    if opacity is not None:
        density += _shadow(canvas, opacity, np.random.default_rng((seed, 1)))
    film = _expose(canvas.blur(density, 0.0011), rng)
    return _mark_side(canvas, film) if label else film


def _shadow(canvas: Canvas, spot: OpacitySpot, rng: np.random.Generator) -> Layer:
    """Density of an opacity: a bell with a ragged border."""
    rows, columns = canvas.hw
    x = (np.arange(columns) + 0.5 - spot.x * columns)[None, :]
    y = (np.arange(rows) + 0.5 - spot.y * rows)[:, None]
    distance = np.hypot(x, y) / (spot.radius * min(canvas.hw))
    ragged = distance * (1 + 0.18 * np.clip(cloud(canvas, rng, spot.radius / 2), -1.5, 1.5))
    return np.asarray(spot.density * np.exp(-(ragged**4)), np.float32)


def _expose(density: Layer, rng: np.random.Generator) -> GreyPixels:
    """What the detector and its processing make of the rays: dense is bright, the bright end saturates."""
    grain = rng.normal(0, NOISE, density.shape)
    light = 6 + 238 * (1 - np.exp(-1.05 * np.maximum(density, 0)))
    return np.asarray(np.clip(np.round(light + grain), 0, 255), np.uint8)


def _mark_side(canvas: Canvas, film: GreyPixels) -> GreyPixels:
    """Burn in the marker L at the patient's left."""
    stem = np.array([(0.935, 0.045), (0.935, 0.095), (0.965, 0.095)])
    letter = canvas.blur(canvas.tube([stem], 0.008), 0.001)
    return np.asarray(np.maximum(film, np.round(250 * np.clip(letter, 0, 1))), np.uint8)
