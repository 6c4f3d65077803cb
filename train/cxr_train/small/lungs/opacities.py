"""Opacities laid into healthy lungs, so that dense disease does not eat the mask."""

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float32]  # (h, w), 0 black .. 1 white


def add_opacities(rng: np.random.Generator, film: Grey, mask: Grey) -> Grey:
    """Whiten parts of the lungs as consolidation, effusion, nodules or a white lung would.

    Args:
        rng: every draw comes from it.
        film: (h, w) float32 in 0..1, dense tissue bright.
        mask: (h, w) float32 in 0..1, the lungs.
    """
    if mask.max() < 0.5:
        return film
    kinds = (_patches, _effusion, _white_lung, _haze)
    chosen = rng.choice(len(kinds), size=rng.integers(1, 3), replace=False, p=(0.4, 0.3, 0.1, 0.2))
    cover = np.zeros_like(film)
    for kind in chosen:
        cover = np.maximum(cover, kinds[int(kind)](rng, mask))
    body = float(np.quantile(film[mask < 0.1], 0.8)) if (mask < 0.1).any() else 0.8
    tone = np.clip(body * rng.uniform(0.75, 1.05) + _texture(rng, film.shape, 0.03), 0, 1)
    density = cover * rng.uniform(0.4, 0.97)
    return np.asarray(film + density * np.maximum(tone - film, 0), np.float32)


def _patches(rng: np.random.Generator, mask: Grey) -> Grey:
    """Soft blots with their centres anywhere in the lungs."""
    cover = np.zeros_like(mask)
    rows, columns = np.nonzero(mask > 0.5)
    for _ in range(int(rng.integers(1, 7))):
        at = int(rng.integers(len(rows)))
        axes = tuple(int(v) for v in rng.uniform(0.03, 0.22, 2) * mask.shape[0])
        centre = (int(columns[at]), int(rows[at]))
        blot = np.zeros_like(mask)
        cv2.ellipse(blot, centre, axes, float(rng.uniform(0, 180)), 0, 360, 1.0, -1)
        cover = np.maximum(cover, blot * rng.uniform(0.4, 1.0))
    return _soften(cover * (1 + _texture(rng, mask.shape, 0.25)), rng.uniform(0.01, 0.06))


def _effusion(rng: np.random.Generator, mask: Grey) -> Grey:
    """Everything below a slanted line, on one side or both."""
    h, w = mask.shape
    rows = np.nonzero(mask.max(axis=1) > 0.5)[0]
    level = np.quantile(rows, rng.uniform(0.4, 0.95))
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    below = (y > level + rng.uniform(-0.5, 0.5) * (x - w / 2)).astype(np.float32)
    return _soften(below * _side(rng, mask), rng.uniform(0.01, 0.05))


def _white_lung(rng: np.random.Generator, mask: Grey) -> Grey:
    """One whole side."""
    return _soften(_side(rng, mask, both=0.0), rng.uniform(0.01, 0.04))


def _haze(rng: np.random.Generator, mask: Grey) -> Grey:
    """Both lungs veiled, unevenly."""
    return np.clip(_soften(mask, 0.03) * (0.6 + _texture(rng, mask.shape, 0.3)), 0, 1)


def _side(rng: np.random.Generator, mask: Grey, both: float = 0.3) -> Grey:
    """1 on the left of the lungs' middle, on the right of it, or everywhere."""
    if rng.random() < both:
        return np.ones_like(mask)
    middle = float(np.average(np.arange(mask.shape[1]), weights=mask.sum(axis=0)))
    left = (np.arange(mask.shape[1]) < middle)[None, :].repeat(mask.shape[0], 0)
    return (left if rng.random() < 0.5 else ~left).astype(np.float32)


def _soften(cover: Grey, sigma_share: float) -> Grey:
    sigma = max(0.5, sigma_share * cover.shape[0])
    return np.asarray(cv2.GaussianBlur(cover, (0, 0), sigma), np.float32)


def _texture(rng: np.random.Generator, hw: tuple[int, ...], size: float) -> Grey:
    """Blotchy noise of two grains with the standard deviation `size`."""
    noise = np.zeros(hw, np.float32)
    for cells in (6, 24):
        coarse = rng.normal(0, size, (cells, cells)).astype(np.float32)
        noise += cv2.resize(coarse, (hw[1], hw[0]), interpolation=cv2.INTER_CUBIC)
    return noise
