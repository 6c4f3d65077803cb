"""Pictures drawn by code that show no body at all: pages, patterns, shapes, noise and blanks."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_train.gate.drawn_bodies import draw_abdomen, draw_jaw, draw_limb, draw_skull

Grey = NDArray[np.float32]  # (side, side), 0 black .. 1 white
Drawing = Callable[[np.random.Generator, int], Grey]

LETTERS = list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789     ")


def draw_page(rng: np.random.Generator, side: int) -> Grey:
    """A printed page: headings, lines of text, boxes and tables."""
    paper, ink = (int(v) for v in (rng.uniform(200, 255), rng.uniform(0, 90)))
    page = np.full((side, side), paper, np.uint8)
    y = int(rng.uniform(0.02, 0.15) * side)
    left = int(rng.uniform(0.02, 0.15) * side)
    scale = float(rng.uniform(0.0012, 0.005) * side)
    justified = int(rng.integers(10, 70)) if rng.random() < 0.4 else 0  # letters of every line; 0: ragged
    weight = int(rng.integers(1, 3))
    while y < side:
        text = "".join(rng.choice(LETTERS, justified or int(rng.integers(5, 70))))
        if justified or rng.random() < 0.85:
            cv2.putText(page, text, (left, y), cv2.FONT_HERSHEY_SIMPLEX, scale, ink, weight)
        if rng.random() < 0.08:
            far = (int(rng.uniform(0.3, 1.0) * side), y + int(rng.uniform(0.05, 0.4) * side))
            cv2.rectangle(page, (left, y), far, int(rng.uniform(0, 255)), int(rng.choice([-1, 1, 2])))
        y += max(3, int(scale * (36 if justified else rng.uniform(22, 45))))
    return np.asarray(page / 255, np.float32)


def draw_pattern(rng: np.random.Generator, side: int) -> Grey:
    """Stripes, checks, rings, gradients and blots in any mixture."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    pattern = np.zeros((side, side), np.float32)
    for _ in range(int(rng.integers(1, 5))):
        angle, grain = rng.uniform(0, np.pi), np.exp(rng.uniform(np.log(0.3), np.log(40)))
        along = np.cos(angle) * x + np.sin(angle) * y
        away = np.hypot(x - rng.uniform(0, 1), y - rng.uniform(0, 1))
        waves = (
            np.sin(2 * np.pi * grain * along),
            np.sign(np.sin(2 * np.pi * grain * along)),
            np.sin(2 * np.pi * grain * away),
            along,
            -away,
        )
        pattern += rng.normal() * waves[int(rng.integers(len(waves)))]
    return _stretched(pattern)


def draw_noise(rng: np.random.Generator, side: int) -> Grey:
    """Noise of any grain, from snow to clouds."""
    cells = int(np.exp(rng.uniform(np.log(3), np.log(side))))
    coarse = rng.normal(0.5, rng.uniform(0.05, 0.5), (cells, cells)).astype(np.float32)
    how = cv2.INTER_NEAREST if rng.random() < 0.3 else cv2.INTER_CUBIC
    return np.clip(cv2.resize(coarse, (side, side), interpolation=how), 0, 1).astype(np.float32)


def draw_blank(rng: np.random.Generator, side: int) -> Grey:
    """Nothing, or next to nothing: one tone with faint noise."""
    tone, grain = rng.uniform(0, 1), rng.exponential(0.01)
    return np.clip(tone + rng.normal(0, grain, (side, side)), 0, 1).astype(np.float32)


def draw_shapes(rng: np.random.Generator, side: int) -> Grey:
    """Discs, boxes and polygons: toys, logos, test charts and phantoms of physics."""
    page = np.full((side, side), int(rng.uniform(0, 255)), np.uint8)
    for _ in range(int(rng.integers(2, 14))):
        tone = int(rng.uniform(0, 255))
        points = (rng.uniform(-0.1, 1.1, (int(rng.integers(3, 7)), 2)) * side).astype(np.int32)
        centre = (int(points[0][0]), int(points[0][1]))
        axes = tuple(int(v) for v in rng.uniform(0.02, 0.4, 2) * side)
        if rng.random() < 0.5:
            cv2.ellipse(
                page, centre, axes, float(rng.uniform(0, 180)), 0, 360, tone, int(rng.choice([-1, 2]))
            )
        else:
            cv2.fillPoly(page, [points], tone)
    soft = cv2.GaussianBlur(page, (0, 0), float(rng.uniform(0.1, 0.03 * side)))
    return np.asarray(soft / 255, np.float32)


def _stretched(pattern: Grey) -> Grey:
    low, high = float(pattern.min()), float(pattern.max())
    return np.asarray((pattern - low) / max(high - low, 1e-6), np.float32)


DRAWINGS: dict[str, Drawing] = {
    "page": draw_page,
    "limb": draw_limb,
    "abdomen": draw_abdomen,
    "skull": draw_skull,
    "jaw": draw_jaw,
    "pattern": draw_pattern,
    "noise": draw_noise,
    "blank": draw_blank,
    "shapes": draw_shapes,
}
