"""Pictures moved within their frame, and how much of the lungs stays in sight."""

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_train.small.gate.pictures import Picture
from cxr_train.small.variations import Jitter, random_warp, warp

Grey = NDArray[np.float32]  # (WORK, WORK), 0 black .. 1 white
Maps = tuple[NDArray[np.float32], NDArray[np.float32]]

WORK = 160  # rows and columns at which samples are composed
EDGE_AGAIN = 0.4  # share of pictures whose surroundings repeat their edge instead of being black or white


def move(rng: np.random.Generator, pixels: NDArray[np.uint8], jitter: Jitter) -> tuple[Grey, Maps]:
    """Move a picture.

    Args:
        rng: every draw comes from it.
        pixels: (h, w) uint8.
        jitter: how far it may be moved.

    Returns:
        The picture, (WORK, WORK) float32 in 0..1, and the maps from it into the source, in source pixels.
    """
    h, w = pixels.shape
    across, down = random_warp(rng, (WORK, WORK), jitter)
    maps = (across + 0.5) * np.float32(w / WORK) - 0.5, (down + 0.5) * np.float32(h / WORK) - 0.5
    fill = None if rng.random() < EDGE_AGAIN else float(rng.choice([0.0, 0.0, 1.0]))
    return warp(np.asarray(pixels / 255, np.float32), maps, fill), maps


def visible_shares(lungs: NDArray[np.uint8], maps: Maps) -> tuple[float, float]:
    """Shares of the lungs that a moved film still shows.

    Args:
        lungs: (h, w) uint8, soft mask of both lungs on the source.
        maps: from the moved film into the source.

    Returns:
        The share of the lung of which it shows less, and of both together.
    """
    across, down = (np.round(axis).astype(np.int32) for axis in maps)
    within = (across >= 0) & (across < lungs.shape[1]) & (down >= 0) & (down < lungs.shape[0])
    seen = np.zeros(lungs.shape, np.uint8)
    seen[down[within], across[within]] = 1
    seen = np.asarray(cv2.dilate(seen, np.ones((3, 3), np.uint8)), np.uint8)
    inside = lungs >= 128
    if not inside.any():
        return 1.0, 1.0
    middle = round(float(np.nonzero(inside)[1].mean()))
    halves = [half for half in (slice(None, middle), slice(middle, None)) if inside[:, half].sum() > 50]
    shown = inside & (seen > 0)
    least = min(float(shown[:, half].sum() / inside[:, half].sum()) for half in halves)
    return least, float(shown.sum() / inside.sum())


def scramble(rng: np.random.Generator, picture: Grey) -> Grey:
    """A picture cut into four or nine tiles that change places: its parts are right, the whole is not."""
    parts = int(rng.integers(2, 4))
    side = WORK // parts
    tiles = [picture[y : y + side, x : x + side] for y in _starts(parts, side) for x in _starts(parts, side)]
    order = rng.permutation(len(tiles))
    while (order == np.arange(len(tiles))).mean() > 0.3:
        order = rng.permutation(len(tiles))
    rows = [np.hstack([tiles[int(i)] for i in row]) for row in order.reshape(parts, parts)]
    return np.asarray(cv2.resize(np.vstack(rows), (WORK, WORK)), np.float32)


def fragment(rng: np.random.Generator, picture: Picture) -> Grey:
    """A small piece of a film, taken from its file so that it is sharp: a shoulder, a rib, some belly."""
    source = None if picture.path is None else cv2.imread(str(picture.path), cv2.IMREAD_GRAYSCALE)
    pixels = picture.pixels if source is None else np.asarray(source, np.uint8)
    share = rng.uniform(0.12, 0.3, 2)
    h, w = (max(16, int(part * side)) for part, side in zip(share, pixels.shape, strict=True))
    y, x = int(rng.integers(pixels.shape[0] - h + 1)), int(rng.integers(pixels.shape[1] - w + 1))
    return np.asarray(cv2.resize(pixels[y : y + h, x : x + w], (WORK, WORK)) / 255, np.float32)


def _starts(parts: int, side: int) -> range:
    return range(0, parts * side, side)
