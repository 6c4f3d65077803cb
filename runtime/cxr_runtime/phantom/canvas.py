"""Drawing in body coordinates: (0, 0) top left and (1, 1) bottom right of a square frame around the chest."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

Layer = NDArray[np.float32]  # (rows, columns), amount of tissue that the rays pass
Points = NDArray[np.float64]  # (n, 2) x and y in body coordinates

FRACTION_BITS = 4  # of a pixel, for OpenCV's anti-aliased lines


@dataclass(frozen=True)
class Canvas:
    """A film to draw on; the frame is as large as the film's short side allows, and centred."""

    hw: tuple[int, int]

    @property
    def unit(self) -> float:
        """Pixels of one body unit."""
        return float(min(self.hw))

    def grid(self) -> tuple[Layer, Layer]:
        """Body x of every column (1, columns) and body y of every row (rows, 1), at pixel centres."""
        rows, columns = self.hw
        x = (np.arange(columns) + 0.5 - columns / 2) / self.unit + 0.5
        y = (np.arange(rows) + 0.5 - rows / 2) / self.unit + 0.5
        return x.astype(np.float32)[None, :], y.astype(np.float32)[:, None]

    def area(self, outline: Points) -> Layer:
        """1 inside a closed outline, 0 outside, soft over a pixel."""
        mask = np.zeros(self.hw, np.uint8)
        cv2.fillPoly(mask, [self._pixels(outline)], 255, cv2.LINE_AA, FRACTION_BITS)
        return mask.astype(np.float32) / np.float32(255)

    def mound(self, outline: Points, slope: float) -> Layer:
        """Thickness of a rounded body: 0 at its outline, 1 from `slope` body units inwards."""
        return self._round(self.area(outline), slope)

    def tube(self, lines: list[Points], width: float) -> Layer:
        """Thickness of round bars along lines: 1 along their middle."""
        mask = np.zeros(self.hw, np.uint8)
        thickness = max(1, round(width * self.unit))
        for line in lines:
            cv2.polylines(mask, [self._pixels(line)], False, 255, thickness, cv2.LINE_AA, FRACTION_BITS)
        return self._round(mask.astype(np.float32) / np.float32(255), width / 2)

    def blur(self, layer: Layer, sigma: float) -> Layer:
        """Gaussian blur; `sigma` in body units."""
        return np.asarray(cv2.GaussianBlur(layer, (0, 0), max(sigma * self.unit, 0.3)), np.float32)

    def _round(self, area: Layer, slope: float) -> Layer:
        inside = (area > 0.5).astype(np.uint8)
        depth = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) / np.float32(
            slope * self.unit
        )
        rest = 1 - np.clip(depth, 0, 1)
        return np.asarray(np.sqrt(1 - rest * rest) * area, np.float32)

    def _pixels(self, points: Points) -> NDArray[np.int32]:
        rows, columns = self.hw
        centre = np.array([columns / 2, rows / 2])
        pixels = (points - 0.5) * self.unit + centre - 0.5
        return np.asarray(np.round(pixels * (1 << FRACTION_BITS)), np.int32)


def smooth(corners: ArrayLike, *, closed: bool, rounds: int = 4) -> Points:
    """Round a polyline by cutting its corners (Chaikin); an open one keeps its ends."""
    points = np.asarray(corners, np.float64)
    for _ in range(rounds):
        after = np.roll(points, -1, axis=0) if closed else points[1:]
        before = points if closed else points[:-1]
        cut = np.stack([0.75 * before + 0.25 * after, 0.25 * before + 0.75 * after], axis=1).reshape(-1, 2)
        points = cut if closed else np.vstack([points[:1], cut, points[-1:]])
    return points


def mirrored(points: Points) -> Points:
    """The same on the other side of the body's midline."""
    return points * (-1, 1) + (1, 0)
