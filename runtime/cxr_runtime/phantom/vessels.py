"""The vessels of the lungs: trees that leave the hila and thin out."""

import numpy as np

from cxr_runtime.phantom.body import Body
from cxr_runtime.phantom.canvas import Canvas, Layer, Points

HILA = ((0.42, 0.37), (0.585, 0.345))  # right and left, body coordinates of an average chest
TRUNKS = 10  # vessels that leave one hilum
STEP = 0.018  # body units between points of a vessel
WIDTHS = (0.013, 0.008, 0.005, 0.0032)  # diameters, body units; thinner ones fade in the noise


def lung_vessels(canvas: Canvas, body: Body, rng: np.random.Generator) -> Layer:
    """Shadows of all vessels, about 1 where the widest run; hardly any in the outer third of a clear lung."""
    by_width: dict[float, list[Points]] = {width: [] for width in WIDTHS}
    for side, (x, y) in zip((-1, 1), HILA, strict=True):
        start = np.array([0.5 + (x - 0.5) * body.width, 0.08 + (y - 0.08) * body.lung_height])
        for angle in np.linspace(-1.25, 1.35, TRUNKS) + rng.uniform(-0.12, 0.12, TRUNKS):
            heading = angle if side > 0 else np.pi - angle
            _grow(by_width, start + rng.uniform(-0.02, 0.02, 2), float(heading), 0, rng)
    layer = np.zeros(canvas.hw, np.float32)
    for width, lines in by_width.items():
        layer += canvas.tube(lines, width) * np.float32((width / WIDTHS[0]) ** 2)
    return canvas.blur(layer, 0.0012)


def _grow(
    by_width: dict[float, list[Points]], start: Points, heading: float, order: int, rng: np.random.Generator
) -> None:
    """Draw one vessel of an order and the branches at its end and on its way."""
    steps = int(rng.integers(4, 8))
    turns = heading + np.cumsum(rng.normal(0, 0.13, steps))
    path = start + np.cumsum(STEP * np.stack([np.cos(turns), np.sin(turns)], axis=1), axis=0)
    by_width[WIDTHS[order]].append(np.vstack([start, path]))
    if order + 1 < len(WIDTHS):
        for point, turn in (
            (path[-1], 0.32),
            (path[-1], -0.32),
            (path[steps // 2], float(rng.choice([-0.6, 0.6]))),
        ):
            _grow(by_width, point, float(turns[-1]) + turn + float(rng.normal(0, 0.12)), order + 1, rng)
