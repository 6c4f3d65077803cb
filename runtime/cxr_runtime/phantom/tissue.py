"""How much of each tissue the rays pass on their way through a drawn chest."""

import cv2
import numpy as np

from cxr_runtime.film import View
from cxr_runtime.phantom import body as outlines
from cxr_runtime.phantom.body import Body
from cxr_runtime.phantom.canvas import Canvas, Layer, Points, smooth


def soft_tissue(canvas: Canvas, body: Body) -> Layer:
    """Trunk without the air of lungs, windpipe and stomach; 1 is a hand's breadth of muscle."""
    _, y = canvas.grid()
    thickness = 1.0 + 0.45 * np.clip((y - 0.1) / 0.45, 0, 1) + 0.55 * np.clip((y - 0.5) / 0.3, 0, 1)
    arms = 0.8 * canvas.tube(outlines.humeri(body), 0.2)
    trunk = body.fat * thickness * np.maximum(canvas.mound(outlines.trunk(body), 0.16), arms)
    right, left = outlines.lungs(body)
    heart = canvas.blur(canvas.mound(outlines.heart(body), 0.07), 0.004)
    vessels = canvas.blur(canvas.mound(outlines.mediastinum(body), 0.03), 0.003)
    air = canvas.blur(np.maximum(canvas.mound(right, 0.075), canvas.mound(left, 0.075)), 0.003)
    air *= (1 - 0.8 * heart) * (1 - 0.85 * vessels)
    density = trunk * (1 - 0.8 * air) + 0.22 * heart + 0.3 * vessels
    density -= _airways(canvas) + _stomach_bubble(canvas, body)
    return np.asarray(density + (0.0 if body.male else _breasts(canvas, body)), np.float32)


def bones(canvas: Canvas, body: Body) -> Layer:
    """Ribs, clavicles, shoulder blades, upper arms and spine."""
    density = 0.12 * _cortical(canvas, outlines.posterior_ribs(body), 0.03)
    density += 0.07 * _cortical(canvas, outlines.anterior_ribs(body), 0.033)
    density += 0.28 * _cortical(canvas, outlines.clavicles(body), 0.032)
    density += 0.38 * _cortical(canvas, outlines.humeri(body), 0.075)
    for blade in outlines.scapulae(body):
        faint = 0.1 if body.view is View.AP else 0.16
        density += faint * canvas.blur(canvas.mound(blade, 0.02), 0.002)
    return np.asarray(density + _spine(canvas), np.float32)


def lung_area(canvas: Canvas, body: Body) -> Layer:
    """1 over both lungs, fading over their borders."""
    right, left = outlines.lungs(body)
    return canvas.blur(np.maximum(canvas.area(right), canvas.area(left)), 0.006)


def cloud(canvas: Canvas, rng: np.random.Generator, grain: float) -> Layer:
    """Random unevenness, mean 0 and standard deviation 1; `grain` is its size in body units."""
    side = int(np.ceil(1.5 / grain)) + 3
    coarse = rng.normal(size=(side, side)).astype(np.float32)
    uneven = cv2.resize(coarse, canvas.hw[::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray((uneven - uneven.mean()) / uneven.std(), np.float32)


def _cortical(canvas: Canvas, lines: list[Points], width: float) -> Layer:
    """Bars of bone: a little marrow, and a dense rim along both sides."""
    whole, marrow = canvas.tube(lines, width), canvas.tube(lines, 0.72 * width)
    return canvas.blur(np.asarray(1.25 * whole - 0.55 * marrow, np.float32), 0.0015)


def _spine(canvas: Canvas) -> Layer:
    """Vertebral bodies between their discs, seen through the mediastinum."""
    x, y = canvas.grid()
    column = np.clip(1 - ((x - 0.5) / 0.052) ** 4, 0, 1)
    body_phase = 0.5 + 0.5 * np.cos(2 * np.pi * y / (0.05 + 0.012 * y))
    rows = 0.16 + 0.14 * np.clip(body_phase * 1.6, 0, 1)
    pedicles = sum(np.exp(-(((x - side) / 0.009) ** 2)) for side in (0.472, 0.528)) * 0.1 * (body_phase > 0.6)
    return canvas.blur(np.asarray(column * rows + pedicles, np.float32), 0.003)


def _airways(canvas: Canvas) -> Layer:
    """Windpipe and main bronchi."""
    windpipe = smooth([(0.5, -0.5), (0.5, 0.05), (0.497, 0.2), (0.492, 0.285)], closed=False)
    right = smooth([(0.492, 0.28), (0.465, 0.33), (0.435, 0.37)], closed=False)
    left = smooth([(0.492, 0.28), (0.53, 0.33), (0.575, 0.36)], closed=False)
    tree = 0.38 * canvas.tube([windpipe], 0.04) + 0.2 * canvas.tube([right, left], 0.028)
    return canvas.blur(np.asarray(tree, np.float32), 0.003)


def _stomach_bubble(canvas: Canvas, body: Body) -> Layer:
    """Gas under the left dome of the diaphragm."""
    centre_x, centre_y = 0.5 + 0.24 * body.width, body.base + 0.115
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    outline = np.stack([centre_x + 0.065 * np.cos(angle), centre_y + 0.024 * np.sin(angle)], axis=1)
    return canvas.blur(0.5 * canvas.mound(outline, 0.03), 0.004)


def _breasts(canvas: Canvas, body: Body) -> Layer:
    """Shadows over the lower lungs, with a sharp lower border."""
    x, y = canvas.grid()
    density = np.zeros(canvas.hw, np.float32)
    for side in (-1, 1):
        across = (x - 0.5 - side * 0.25 * body.width) / 0.19
        down = (y - 0.6) / np.where(y < 0.6, 0.26, 0.13)
        density += np.clip(1 - across**2 - down**2, 0, 1).astype(np.float32) ** np.float32(0.7)
    return canvas.blur(np.float32(0.18) * density, 0.002)


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
