"""What scanners, printers, cables and labels do to a film; the anatomy stays where it is."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float32]  # (h, w), 0 black .. 1 white
Changed = NDArray[np.floating[Any]]  # (h, w), not yet clipped to 0..1
Change = Callable[[np.random.Generator, Grey], Changed]


def change_appearance(rng: np.random.Generator, film: Grey, strength: float = 1.0) -> Grey:
    """Apply a random handful of changes.

    Args:
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
