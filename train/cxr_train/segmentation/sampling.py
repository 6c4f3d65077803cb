"""The stream of changed films that the lung field network learns from."""

from dataclasses import dataclass, field

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cxr_runtime.lungs.field import INPUT_SIDE, network_input
from cxr_train.segmentation.appearance import change_appearance
from cxr_train.segmentation.films import OutlinedFilm
from cxr_train.segmentation.geometry import Jitter, random_warp, warp
from cxr_train.segmentation.opacities import add_opacities

EDGE_AGAIN = 0.4  # share of samples whose surroundings repeat the film's edge instead of being black or white


@dataclass(frozen=True)
class Changes:
    """How much films are changed."""

    jitter: Jitter = field(default_factory=Jitter)
    appearance: float = 1.0  # scales how often each change of the pixels happens
    opacities: float = 0.5  # share of samples that get them
    inverted: float = 0.1  # share of samples with the wrong polarity


STRONG = Changes()
MILD = Changes(Jitter(turn_degrees=10, zoom=(0.8, 1.25), stretch=0.15, shift=0.08, bend=0.01), 0.5, 0.3, 0.04)


def draw_batch(
    rng: np.random.Generator, films: list[OutlinedFilm], size: int, changes: Changes
) -> tuple[Tensor, Tensor]:
    """Draw films at random and change them.

    Returns:
        Inputs (size, 1, S, S) float32, standardised, and targets (size, 1, S, S) float32 in 0..1.
    """
    chosen = rng.integers(len(films), size=size)
    drawn = [_draw(rng, films[int(index)], changes) for index in chosen]
    inputs, targets = (np.stack(column)[:, None] for column in zip(*drawn, strict=True))
    return torch.from_numpy(inputs), torch.from_numpy(targets)


def _draw(
    rng: np.random.Generator, film: OutlinedFilm, changes: Changes
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    maps = random_warp(rng, film.mask.shape, changes.jitter)
    fill = None if rng.random() < EDGE_AGAIN else float(rng.choice([0.0, 0.0, 1.0]))
    pixels, mask = (
        _shrink(warp(np.asarray(grey / 255, np.float32), maps, beyond))
        for grey, beyond in ((film.pixels, fill), (film.mask, 0.0))
    )
    if rng.random() < changes.opacities:
        pixels = add_opacities(rng, pixels, mask)
    pixels = change_appearance(rng, pixels, changes.appearance)
    if rng.random() < changes.inverted:
        pixels = 1 - pixels
    return network_input(np.asarray(pixels * 255, np.uint8)), mask


def _shrink(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    small = cv2.resize(grey, (INPUT_SIDE, INPUT_SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)
