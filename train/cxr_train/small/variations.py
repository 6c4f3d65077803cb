"""Films moved, bent and changed in their grey levels, from which the small networks learn."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float32]  # (h, w), 0 black .. 1 white


MOST_CUT = 0.65  # share of a side that may be cut away
Changed = NDArray[np.floating[Any]]  # (h, w), not yet clipped to 0..1
Change = Callable[[np.random.Generator, Grey], Changed]


@dataclass(frozen=True)
class Jitter:
    """How far a film may be moved."""

    turn_degrees: float = 20.0  # to either side
    zoom: tuple[float, float] = (0.6, 1.45)  # smallest and largest, log-uniform
    stretch: float = 0.25  # log of the ratio of the two axes, to either side
    shift: float = 0.15  # share of the side, to either side
    bend: float = 0.02  # standard deviation of the elastic shift, share of the side
    flip: float = 0.5  # how often left and right change places
    cut: float = 0.0  # how often a good part of one side or two is cut away


def random_warp(
    rng: np.random.Generator, hw: tuple[int, int], jitter: Jitter
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Draw one movement.

    Returns:
        Maps of x and y, (h, w) float32 each, in source pixels, for cv2.remap.
    """
    h, w = hw
    angle = np.deg2rad(rng.uniform(-jitter.turn_degrees, jitter.turn_degrees))
    zoom = np.exp(rng.uniform(np.log(jitter.zoom[0]), np.log(jitter.zoom[1])))
    stretch = np.exp(rng.uniform(-jitter.stretch, jitter.stretch) / 2)
    flip = -1.0 if rng.random() < jitter.flip else 1.0
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    x, y = (x + 0.5) / w - 0.5, (y + 0.5) / h - 0.5
    if rng.random() < jitter.cut:
        x, y = _cut(rng, x), _cut(rng, y)
    dx, dy = rng.uniform(-jitter.shift, jitter.shift, 2)
    from_x = flip * (np.cos(angle) * x - np.sin(angle) * y) / (zoom * stretch) + dx
    from_y = (np.sin(angle) * x + np.cos(angle) * y) * stretch / zoom + dy
    if jitter.bend and rng.random() < 0.4:
        from_x, from_y = from_x + _bend(rng, hw, jitter.bend), from_y + _bend(rng, hw, jitter.bend)
    return ((from_x + 0.5) * w - 0.5).astype(np.float32), ((from_y + 0.5) * h - 0.5).astype(np.float32)


def warp(pixels: Grey, maps: tuple[NDArray[np.float32], NDArray[np.float32]], fill: float | None) -> Grey:
    """Move a picture; beyond its edges there is `fill`, or its own edge again where fill is None."""
    mode = cv2.BORDER_REPLICATE if fill is None else cv2.BORDER_CONSTANT
    moved = cv2.remap(pixels, *maps, cv2.INTER_LINEAR, borderMode=mode, borderValue=fill or 0.0)
    return np.asarray(moved, np.float32)


def _cut(rng: np.random.Generator, at: Grey) -> Grey:
    """Show only a part of one axis, -0.5..0.5, that reaches to one of its ends, or all of it."""
    shown = np.float32(1 - rng.uniform(0, MOST_CUT) * rng.integers(2))
    end = np.float32(rng.choice([-0.5, 0.5]))
    return end + (at - end) * shown


def _bend(rng: np.random.Generator, hw: tuple[int, int], size: float) -> Grey:
    """A smooth random field, (h, w), with the standard deviation `size`."""
    coarse = rng.normal(0, size, (5, 5)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (hw[1], hw[0]), interpolation=cv2.INTER_CUBIC), np.float32)


def change_appearance(rng: np.random.Generator, film: Grey, strength: float = 1.0) -> Grey:
    """Apply a random handful of changes.

    Args:
        rng: every draw comes from it.
        film: (h, w) float32 in 0..1.
        strength: scales how often each change happens; 0 changes nothing.

    Returns:
        (h, w) float32 in 0..1.
    """
    for change, often in CHANGES:
        if rng.random() < often * strength:
            film = np.clip(change(rng, film), 0, 1).astype(np.float32)
    return film


def contrast(rng: np.random.Generator, film: Grey) -> Changed:
    """Another gamma, window and level."""
    film = np.asarray(np.power(film, np.exp(rng.uniform(-0.9, 0.9))), np.float32)
    low, high = rng.uniform(-0.15, 0.25), rng.uniform(0.7, 1.2)
    return (film - low) / (high - low)


def flatten(rng: np.random.Generator, film: Grey) -> Changed:
    """Little contrast left, as on an underexposed or foggy film."""
    tone, contrast_left = rng.uniform((0.1, 0.15), 0.6)
    return np.asarray(tone + (film - film.mean()) * contrast_left, np.float32)


def equalise(rng: np.random.Generator, film: Grey) -> Changed:
    """The local contrast that some machines give (CLAHE)."""
    tiles = int(rng.integers(2, 9))
    clahe = cv2.createCLAHE(clipLimit=float(rng.uniform(1, 5)), tileGridSize=(tiles, tiles))
    return np.asarray(clahe.apply((film * 255).astype(np.uint8)), np.float32) / 255


def shade(rng: np.random.Generator, film: Grey) -> Changed:
    """Uneven exposure across the film."""
    coarse = rng.normal(0, 0.15, (3, 3)).astype(np.float32)
    return film + cv2.resize(coarse, film.shape[::-1], interpolation=cv2.INTER_CUBIC)


def soften(rng: np.random.Generator, film: Grey) -> Changed:
    """Motion and lens blur."""
    return np.asarray(
        cv2.GaussianBlur(film, (0, 0), float(rng.uniform(0.3, 0.008 * film.shape[0]))), np.float32
    )


def sharpen(rng: np.random.Generator, film: Grey) -> Changed:
    """Edge enhancement."""
    smooth = cv2.GaussianBlur(film, (0, 0), float(rng.uniform(0.005, 0.03) * film.shape[0]))
    return film + rng.uniform(0.3, 2.0) * (film - smooth)


def noise(rng: np.random.Generator, film: Grey) -> Changed:
    """Grain."""
    return film + rng.normal(0, rng.uniform(0.005, 0.06), film.shape).astype(np.float32)


def frame(rng: np.random.Generator, film: Grey) -> Changed:
    """A border of collimator, cassette or page, black, white or grey."""
    film = film.copy()
    tone = float(rng.choice([0.0, 0.0, 1.0, rng.uniform(0, 1)]))
    h, w = film.shape
    top, bottom, left, right = (int(v) for v in rng.exponential(0.035, 4).clip(0, 0.14) * (h, h, w, w))
    film[:top], film[h - bottom :], film[:, :left], film[:, w - right :] = tone, tone, tone, tone
    return film


def label(rng: np.random.Generator, film: Grey) -> Changed:
    """Letters, name plates and black boxes over names."""
    h, w = film.shape
    page = (film * 255).astype(np.uint8)
    for _ in range(int(rng.integers(1, 4))):
        x, y = int(rng.uniform(0, 0.95) * w), int(abs(rng.beta(0.5, 0.5)) * 0.95 * h)
        tone = int(rng.choice([0, 255]))
        if rng.random() < 0.4:
            size = rng.uniform(0.03, 0.15, 2) * (w, h)
            page[y : y + int(size[1]), x : x + int(size[0])] = tone
        else:
            text = "".join(rng.choice(list("RLAPBEDPORTABLE SUPINE 0123456789:"), int(rng.integers(1, 10))))
            scale, thick = float(rng.uniform(0.002, 0.006) * h), int(rng.integers(1, 3))
            cv2.putText(page, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, tone, thick)
    return page.astype(np.float32) / 255


def devices(rng: np.random.Generator, film: Grey) -> Changed:
    """Tubes, cables, electrodes and pacemakers."""
    h, w = film.shape
    page = (film * 255).astype(np.uint8)
    for _ in range(int(rng.integers(1, 5))):
        points = rng.uniform(0, 1, (4, 2)) * (w, h)
        at = np.linspace(0, 1, 30)[:, None]
        curve = ((1 - at) ** 3) * points[0] + 3 * at * (1 - at) ** 2 * points[1]
        curve = curve + 3 * at**2 * (1 - at) * points[2] + at**3 * points[3]
        tone = int(rng.uniform(150, 255))
        cv2.polylines(page, [curve.astype(np.int32)], False, tone, int(rng.integers(1, 3)), cv2.LINE_AA)
        if rng.random() < 0.4:
            centre = (int(points[3][0]), int(points[3][1]))
            cv2.circle(page, centre, int(rng.uniform(0.008, 0.05) * h), tone, -1, cv2.LINE_AA)
    return page.astype(np.float32) / 255


def coarsen(rng: np.random.Generator, film: Grey) -> Changed:
    """Few pixels, enlarged."""
    h, w = film.shape
    share = rng.uniform(0.4, 0.9)
    small = cv2.resize(film, (int(w * share), int(h * share)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)


CHANGES: tuple[tuple[Change, float], ...] = (
    (devices, 0.2),
    (contrast, 0.7),
    (equalise, 0.2),
    (shade, 0.3),
    (flatten, 0.15),
    (sharpen, 0.15),
    (soften, 0.25),
    (coarsen, 0.15),
    (noise, 0.3),
    (frame, 0.25),
    (label, 0.3),
)
