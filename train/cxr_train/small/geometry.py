"""Films turned, stretched, shifted and bent, and their masks with them."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float32]  # (h, w), 0 black .. 1 white


MOST_CUT = 0.65  # share of a side that may be cut away


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
