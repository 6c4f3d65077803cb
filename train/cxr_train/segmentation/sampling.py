"""The stream of changed films that the lung field network learns from."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cxr_runtime.lungs.unet import INPUT_SIDE, network_input
from cxr_train.segmentation.appearance import change_appearance
from cxr_train.segmentation.films import OutlinedFilm
from cxr_train.segmentation.geometry import Jitter, random_warp, warp
from cxr_train.segmentation.opacities import add_opacities

OPACITIES = 0.5  # share of samples that get them
INVERTED = 0.1  # share of samples with the wrong polarity
EDGE_AGAIN = 0.4  # share of samples whose surroundings repeat the film's edge instead of being black or white


def draw_batch(
    rng: np.random.Generator, films: list[OutlinedFilm], size: int, strength: float
) -> tuple[Tensor, Tensor]:
    """Draw films at random and change them.

    Returns:
        Inputs (size, 1, S, S) float32, standardised, and targets (size, 1, S, S) float32 in 0..1.
    """
    chosen = rng.integers(len(films), size=size)
    drawn = [_draw(rng, films[int(index)], strength) for index in chosen]
    inputs, targets = (np.stack(column)[:, None] for column in zip(*drawn, strict=True))
    return torch.from_numpy(inputs), torch.from_numpy(targets)


def _draw(
    rng: np.random.Generator, film: OutlinedFilm, strength: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    pixels, mask = (np.asarray(grey / 255, np.float32) for grey in (film.pixels, film.mask))
    if rng.random() < OPACITIES * strength:
        pixels = add_opacities(rng, pixels, mask)
    maps = random_warp(rng, mask.shape, Jitter())
    fill = None if rng.random() < EDGE_AGAIN else float(rng.choice([0.0, 0.0, 1.0]))
    pixels, mask = warp(pixels, maps, fill), warp(mask, maps, 0.0)
    pixels = change_appearance(rng, pixels, strength)
    if rng.random() < INVERTED * strength:
        pixels = 1 - pixels
    target = cv2.resize(mask, (INPUT_SIDE, INPUT_SIDE), interpolation=cv2.INTER_AREA)
    return network_input((pixels * 255).astype(np.uint8)), np.asarray(target, np.float32)
