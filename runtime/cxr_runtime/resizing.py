"""A film at other sizes: a thumbnail for the small networks, a preview for the reports."""

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.film import GreyPixels


def thumbnail(pixels: GreyPixels, side: int) -> GreyPixels:
    """Squash a film into a square.

    Halving first is many times faster than one step, as OpenCV averages blocks of two by two at once. Where
    rows or columns are odd in number, neighbours are weighted instead, so that nothing moves.

    Args:
        pixels: (rows, columns) uint8.
        side: rows and columns of the result.

    Returns:
        (side, side) uint8; shrunk by area averaging, enlarged bilinearly.
    """
    while min(pixels.shape) >= 2 * side:
        rows, columns = pixels.shape[0] // 2, pixels.shape[1] // 2
        pixels = np.asarray(cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_LINEAR), np.uint8)
    how = cv2.INTER_AREA if min(pixels.shape) >= side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (side, side), interpolation=how), np.uint8)


def standardised(pixels: GreyPixels, side: int) -> NDArray[np.float32]:
    """A thumbnail as the small networks take it.

    Returns:
        (side, side) float32 with mean 0 and standard deviation 1 (0 on a blank film).
    """
    small = thumbnail(pixels, side).astype(np.float32)
    return np.asarray((small - small.mean()) / max(float(small.std()), 1.0), np.float32)


PREVIEW_LONG_SIDE = 1024  # pixels; a smaller film is never enlarged


def shrink(pixels: GreyPixels, long_side: int = PREVIEW_LONG_SIDE) -> GreyPixels:
    """A film at its own proportions, its longer side at most `long_side`; (rows, columns) uint8."""
    rows, columns = pixels.shape
    scale = long_side / max(rows, columns)
    if scale >= 1:
        return pixels
    size = max(1, round(columns * scale)), max(1, round(rows * scale))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def resize(pixels: GreyPixels, hw: tuple[int, int]) -> GreyPixels:
    """Shrink by area averaging, enlarge bilinearly; (H, W) uint8 in and out."""
    if pixels.shape == hw:
        return pixels
    shrinks = pixels.shape[0] >= hw[0] and pixels.shape[1] >= hw[1]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (hw[1], hw[0]), interpolation=interpolation), np.uint8)
