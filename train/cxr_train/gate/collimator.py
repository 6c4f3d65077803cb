"""The frame that a collimator or cassette leaves on a film: plain, nearly straight, no ground to reject."""

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float32]  # (h, w), 0 black .. 1 white

WIDEST = 0.16  # share of the side that a frame may cover, on each side
MOST_TURN = 4.0  # degrees


def collimate(rng: np.random.Generator, film: Grey) -> Grey:
    """Lay a frame over a film: black, white, or the film itself veiled.

    Args:
        film: (h, w) float32 in 0..1.

    Returns:
        (h, w) float32 in 0..1.
    """
    height, width = film.shape
    left, top, right, bottom = rng.uniform(-0.03, WIDEST, 4)
    corners = np.array([(left, top), (1 - right, top), (1 - right, 1 - bottom), (left, 1 - bottom)])
    corners += rng.normal(0, 0.008, corners.shape)
    angle = np.deg2rad(rng.uniform(-MOST_TURN, MOST_TURN))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (((corners - 0.5) @ turn.T + 0.5) * (width, height)).astype(np.int32)
    inside = cv2.fillConvexPoly(np.zeros((height, width), np.uint8), points, 255)
    softness = float(rng.uniform(0.2, 0.012 * width))
    shown = np.asarray(cv2.GaussianBlur(inside, (0, 0), softness) / 255, np.float32)
    return np.asarray(film * shown + _beyond(rng, film) * (1 - shown), np.float32)


def _beyond(rng: np.random.Generator, film: Grey) -> Grey:
    """What lies beyond the frame's edge."""
    tone = np.float32(
        rng.choice([rng.uniform(0, 0.1), rng.uniform(0.8, 1), rng.uniform(0.2, 0.8)], p=[0.45, 0.45, 0.1])
    )
    veil = np.float32(rng.choice([0.0, rng.uniform(0, 0.3)]))
    return np.asarray(tone * (1 - veil) + film * veil, np.float32)
