"""Atlases for the paper's lung field: films grouped by shape, each group registered and averaged."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.errors import CxrTriageError
from cxr_runtime.lungs.atlas import SIDE, Atlases, prepare
from cxr_runtime.lungs.atlas_registration import Maps, register, sample
from cxr_train.small.lungs.sampling import OutlinedFilm

MOST_GROUPS = 8
FILMS_A_GROUP = 15  # on average at least
FEWEST_FILMS = 6  # in a group: an average over fewer is near to a film
ROUNDS = 4  # of registering and averaging
SHAPE_SIDE = 20  # rows and columns at which shapes are compared
SEED = 1

Stack = NDArray[np.uint8]  # (n, SIDE, SIDE)


def make_atlases(films: list[OutlinedFilm]) -> Atlases:
    """Average films with drawn lungs, in as many groups as there are films for.

    Raises:
        CxrTriageError: there are too few films.
    """
    if len(films) < FEWEST_FILMS:
        raise CxrTriageError(f"{len(films)} films are too few for an atlas; give {FEWEST_FILMS} or more")
    groups = min(MOST_GROUPS, max(1, len(films) // FILMS_A_GROUP))
    pictures = np.stack([prepare(film.pixels) for film in films])
    masks = np.stack([_shrink(film.mask, SIDE) for film in films])
    group_of = _group(masks, groups)
    chosen = [np.flatnonzero(group_of == group) for group in range(groups)]
    averaged = [_average(pictures[c], masks[c]) for c in chosen if len(c) >= FEWEST_FILMS]
    return Atlases(np.stack([a for a, _ in averaged]), np.stack([b for _, b in averaged]))


def write_atlases(atlases: Atlases, path: Path) -> None:
    """Write the file that the runtime ships."""
    np.savez_compressed(path, pictures=atlases.pictures, masks=atlases.masks)


def _group(masks: Stack, groups: int) -> NDArray[np.int32]:
    """Group films by the shape and place of their lungs (k-means); (n,) indices."""
    points = (
        np.stack([_shrink(mask, SHAPE_SIDE) for mask in masks]).reshape(len(masks), -1).astype(np.float32)
    )
    cv2.setRNGSeed(SEED)
    until = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 100, 1e-3)
    start = np.zeros((len(points), 1), np.int32)
    _, labels, _ = cv2.kmeans(points, groups, start, until, 10, cv2.KMEANS_PP_CENTERS)
    return np.asarray(labels, np.int32).ravel()


def _average(pictures: Stack, masks: Stack) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Average a group: registered to its mean, whose shape is the mean of the shapes."""
    mean_picture, mean_mask = _mean(pictures), _mean(masks)
    for _ in range(ROUNDS):
        guide = _with_lungs(mean_picture, mean_mask)
        all_maps = [register(guide, _with_lungs(p, m)) for p, m in zip(pictures, masks, strict=True)]
        centred = _centred(all_maps)
        mean_picture = _mean(np.stack([sample(p, at) for p, at in zip(pictures, centred, strict=True)]))
        mean_mask = _mean(np.stack([sample(m, at) for m, at in zip(masks, centred, strict=True)]))
    return mean_picture, mean_mask


def _with_lungs(picture: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture with its lungs darkened, so that the drawn borders guide the registration."""
    return np.asarray(cv2.addWeighted(picture, 0.5, 255 - mask, 0.5, 0), np.uint8)


def _centred(all_maps: list[Maps]) -> list[Maps]:
    """Maps whose mean shift is nothing, so that the average keeps the mean shape."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    drift_x = np.mean([maps[0] for maps in all_maps], axis=0) - x
    drift_y = np.mean([maps[1] for maps in all_maps], axis=0) - y
    return [(maps[0] - drift_x, maps[1] - drift_y) for maps in all_maps]


def _mean(stack: Stack) -> NDArray[np.uint8]:
    return np.asarray(np.round(stack.mean(axis=0)), np.uint8)


def _shrink(mask: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(mask, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
