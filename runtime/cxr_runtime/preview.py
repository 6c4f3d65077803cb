"""The film at reading size: what the reports show and the overlay is laid on."""

import cv2
import numpy as np

from cxr_runtime.film import GreyPixels

PREVIEW_LONG_SIDE = 1024  # pixels; a smaller film is never enlarged
JPEG_QUALITY = 88


def shrink(pixels: GreyPixels, long_side: int = PREVIEW_LONG_SIDE) -> GreyPixels:
    """A film at its own proportions, its longer side at most `long_side`; (rows, columns) uint8."""
    rows, columns = pixels.shape
    scale = long_side / max(rows, columns)
    if scale >= 1:
        return pixels
    size = max(1, round(columns * scale)), max(1, round(rows * scale))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def decode_jpeg(content: bytes) -> GreyPixels:
    """(rows, columns) uint8 of a JPEG that `encode_jpeg` wrote."""
    return np.asarray(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)


def encode_jpeg(pixels: GreyPixels) -> bytes:
    """A grey JPEG of (rows, columns) uint8."""
    return bytes(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1])
