"""Pictures drawn by code: other body parts, pages, patterns, shapes, noise and blanks."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float32]  # (side, side), 0 black .. 1 white
Drawing = Callable[[np.random.Generator, int], Grey]
LETTERS = list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789     ")


def draw_limb(rng: np.random.Generator, side: int) -> Grey:
    """A limb on a dark ground: soft flesh, one to five bright bones along it."""
    film = np.zeros((side, side), np.float32)
    axis = np.array([rng.uniform(-0.4, 0.4), 1.0])
    centre = np.array([rng.uniform(0.35, 0.65), 0.5])
    width = rng.uniform(0.12, 0.42)
    ends = [tuple(int(v) for v in (centre + way * axis) * side) for way in (-0.9, 0.9)]
    flesh = np.zeros_like(film)
    cv2.line(flesh, ends[0], ends[1], 1.0, max(3, int(width * 2 * side)))
    film += rng.uniform(0.15, 0.45) * cv2.GaussianBlur(flesh, (0, 0), 0.04 * side)
    for _ in range(int(rng.integers(1, 6))):
        film += _bone(rng, side, centre, axis, width)
    return np.asarray(np.clip(film, 0, 1), np.float32)


def _bone(
    rng: np.random.Generator, side: int, centre: NDArray[np.float64], axis: NDArray[np.float64], width: float
) -> Grey:
    bone = np.zeros((side, side), np.float32)
    start, length = rng.uniform(-0.7, 0.3), rng.uniform(0.15, 1.2)
    across = rng.uniform(-0.8, 0.8) * width
    points = [(centre + at * axis + (across, 0)) * side for at in (start, start + length)]
    ends = [tuple(int(v) for v in point) for point in points]
    thickness = max(2, int(rng.uniform(0.02, 0.1) * side))
    cv2.line(bone, ends[0], ends[1], 1.0, thickness)
    for end in ends:
        cv2.circle(bone, end, int(thickness * rng.uniform(0.5, 1.3)), 1.0, -1)
    hollow = cv2.GaussianBlur(bone, (0, 0), 0.012 * side)
    return np.asarray(rng.uniform(0.25, 0.6) * hollow, np.float32)


def draw_abdomen(rng: np.random.Generator, side: int) -> Grey:
    """A trunk without lungs: flesh, spine, iliac wings, pockets of gas."""
    film = rng.uniform(0.35, 0.6) * _blot(side, (0.5, 0.5), (rng.uniform(0.36, 0.6), 0.9), 0.03)
    middle = rng.uniform(0.45, 0.55)
    for vertebra in np.arange(-0.05, 1.05, rng.uniform(0.08, 0.13)):
        size = (rng.uniform(0.04, 0.06), rng.uniform(0.025, 0.04))
        film += rng.uniform(0.15, 0.3) * _blot(side, (middle, vertebra), size, 0.008)
    wing = rng.uniform(0.6, 0.85)
    for way in (-1, 1):
        spread = (rng.uniform(0.12, 0.18), rng.uniform(0.14, 0.22))
        film += rng.uniform(0.15, 0.3) * _blot(side, (middle + 0.22 * way, wing), spread, 0.012)
    for _ in range(int(rng.integers(0, 14))):
        at = (rng.uniform(0.15, 0.85), rng.uniform(0.05, 0.95))
        pocket = (rng.uniform(0.01, 0.09), rng.uniform(0.01, 0.06))
        film -= rng.uniform(0.1, 0.3) * _blot(side, at, pocket, 0.006)
    return np.asarray(np.clip(film, 0, 1), np.float32)


def draw_skull(rng: np.random.Generator, side: int) -> Grey:
    """A skull from the front or the side: a bright ring, the face, teeth, the neck."""
    centre = (rng.uniform(0.4, 0.6), rng.uniform(0.35, 0.5))
    size = (rng.uniform(0.24, 0.42), rng.uniform(0.28, 0.42))
    inner = (size[0] * rng.uniform(0.86, 0.95), size[1] * rng.uniform(0.86, 0.95))
    film = rng.uniform(0.5, 0.8) * _blot(side, centre, size, 0.006)
    film -= rng.uniform(0.1, 0.35) * _blot(side, centre, inner, 0.006)
    face = centre[0] + rng.uniform(-0.3, 0.3) * size[0]
    for way in (-1, 1):
        eye = (face + way * rng.uniform(0.25, 0.45) * size[0], centre[1] + rng.uniform(0.2, 0.45) * size[1])
        film -= rng.uniform(0.1, 0.3) * _blot(side, eye, (0.06, 0.05), 0.01)
    jaw = centre[1] + size[1] * rng.uniform(0.85, 1.1)
    film += rng.uniform(0.2, 0.4) * _blot(side, (face, jaw), (0.5 * size[0], 0.1), 0.02)
    film += rng.uniform(0.2, 0.4) * _blot(side, (centre[0], 1.0), (0.4 * size[0], 0.25), 0.02)
    return np.asarray(np.clip(film, 0, 1), np.float32)


def draw_jaw(rng: np.random.Generator, side: int) -> Grey:
    """Both jaws unrolled: two curved rows of teeth, the lower jaw's arch, the neck's bright shadow."""
    film = np.full((side, side), rng.uniform(0.2, 0.55), np.float32)
    middle, bite = rng.uniform(0.45, 0.55), rng.uniform(0.4, 0.6)
    smile, spread = rng.uniform(-0.3, 0.9), rng.uniform(0.2, 0.4)
    film += rng.uniform(0, 0.5) * _blot(side, (middle, 0.5), (rng.uniform(0.02, 0.08), 0.9), 0.03)
    film += rng.uniform(-0.2, 0.4) * _blot(side, (middle, 0.0), (0.6, rng.uniform(0.05, 0.25)), 0.03)
    film -= rng.uniform(0.1, 0.35) * _blot(side, (middle, bite), (spread, rng.uniform(0.05, 0.15)), 0.02)
    arch = np.zeros_like(film)
    hinge = (round(middle * side), round((bite - rng.uniform(0, 0.2)) * side))
    axes = (round(rng.uniform(0.32, 0.48) * side), round(rng.uniform(0.3, 0.5) * side))
    cv2.ellipse(arch, hinge, axes, 0, 0, 180, 1.0, max(2, round(rng.uniform(0.06, 0.14) * side)))
    film += rng.uniform(0.1, 0.35) * cv2.GaussianBlur(arch, (0, 0), 0.012 * side)
    for way in (-1, 1):
        film += _teeth(rng, side, (middle, bite + way * rng.uniform(0.005, 0.03)), (smile, spread), way)
    return np.asarray(np.clip(film, 0, 1), np.float32)


def _teeth(
    rng: np.random.Generator, side: int, bite: tuple[float, float], bow: tuple[float, float], way: int
) -> Grey:
    """One row of teeth from the bite up or down; `bow`: how the row curves, and its half width."""
    row = np.zeros((side, side), np.float32)
    smile, spread = bow
    length, number = rng.uniform(0.1, 0.2), int(rng.integers(8, 17))
    for across in np.linspace(-spread, spread, number):
        if rng.random() < 0.1:
            continue  # a tooth that is lost
        crown = np.array([bite[0] + across, bite[1] - smile * across * across])
        root = crown + np.array([rng.normal(0, 0.1) * length + 0.2 * across, way * length])
        ends = [tuple(int(v) for v in point * side) for point in (crown, root)]
        cv2.line(row, ends[0], ends[1], rng.uniform(0.5, 1), max(1, int(1.3 * spread / number * side)))
        filling = rng.random() < 0.15
        cv2.circle(row, ends[0], max(1, int(0.9 * spread / number * side)), 2.0 if filling else 1.0, -1)
    return np.asarray(rng.uniform(0.15, 0.4) * cv2.GaussianBlur(row, (0, 0), 0.005 * side), np.float32)


def _blot(side: int, centre: tuple[float, float], size: tuple[float, float], softness: float) -> Grey:
    """A soft ellipse; centre (x, y), half axes and softness as shares of the side."""
    page = np.zeros((side, side), np.float32)
    at = (round(centre[0] * side), round(centre[1] * side))
    axes = (max(1, round(size[0] * side)), max(1, round(size[1] * side)))
    cv2.ellipse(page, at, axes, 0, 0, 360, 1.0, -1)
    return np.asarray(cv2.GaussianBlur(page, (0, 0), max(0.5, softness * side)), np.float32)


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
