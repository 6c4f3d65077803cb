"""Variations of a film: what another position, another machine or another file would have changed."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.random import Generator

from cxr_runtime.model.preprocessing import InputPixels
from cxr_train.recipe.recipe import Augmentation


class Varied(NamedTuple):
    """One variation of a film."""

    picture: InputPixels  # (H, W) uint8
    clean: InputPixels  # (H, W) uint8, the same before resolution, noise and borders spoilt it
    marks: tuple[InputPixels, ...]  # (H, W) uint8 each, moved along


def vary(picture: InputPixels, marks: Sequence[InputPixels], how: Augmentation, rng: Generator) -> Varied:
    """Vary a prepared film.

    Args:
        picture: (H, W) uint8.
        marks: (H, W) uint8 each, what lies where on it, e.g. its boxes.
        how: the widest amounts.
        rng: decides everything; the same state gives the same variation.
    """
    matrix = _placement(picture.shape[0], picture.shape[1], how, rng)
    outside = 0 if rng.random() < 0.7 else int(rng.integers(256))  # collimated black, or a scanner's rim
    clean = _tone(_warp(picture, matrix, outside), how, rng)
    spoilt = clean
    for name, spoil in SPOILERS.items():
        amount = getattr(how, name)
        if amount and rng.random() < how.chance:
            spoilt = spoil(spoilt, amount, rng)
    return Varied(spoilt, clean, tuple(_warp(mark, matrix, 0) for mark in marks))


def _placement(
    height: int, width: int, how: Augmentation, rng: Generator
) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    """Where each pixel of the film moves to: a 2 x 3 matrix about the middle of the input."""
    angle = math.radians(rng.uniform(-how.rotation, how.rotation))
    scale = math.exp(rng.uniform(-how.scale, how.scale))
    stretch = math.exp(rng.uniform(-how.stretch, how.stretch))
    mirror = -1.0 if rng.random() < how.flip else 1.0
    shift = rng.uniform(-how.shift, how.shift, 2) * (width, height)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    linear = turn * (mirror * scale * stretch, scale / stretch)
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    return np.column_stack([linear, middle + shift - linear @ middle])


def _warp(
    picture: InputPixels, matrix: "np.ndarray[tuple[int, int], np.dtype[np.float64]]", outside: int
) -> InputPixels:
    size = (picture.shape[1], picture.shape[0])
    return np.asarray(
        cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR, borderValue=(outside,)), np.uint8
    )


def _tone(picture: InputPixels, how: Augmentation, rng: Generator) -> InputPixels:
    """Another gamma, contrast and brightness, by one look-up table."""
    exponent = math.exp(rng.uniform(-how.gamma, how.gamma))
    gain, lift = 1 + rng.uniform(-how.contrast, how.contrast), rng.uniform(-how.contrast, how.contrast) / 2
    grey = (np.linspace(0, 1, 256) ** exponent - 0.5) * gain + 0.5 + lift
    return np.asarray(cv2.LUT(picture, np.rint(255 * grey.clip(0, 1)).astype(np.uint8)), np.uint8)


def _downscale(picture: InputPixels, amount: float, rng: Generator) -> InputPixels:
    share = math.exp(-rng.uniform(0, amount))
    height, width = picture.shape
    small = cv2.resize(
        picture, (max(8, round(width * share)), max(8, round(height * share))), interpolation=cv2.INTER_AREA
    )
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _blur(picture: InputPixels, amount: float, rng: Generator) -> InputPixels:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.2, 1) * amount), np.uint8)


def _noise(picture: InputPixels, amount: float, rng: Generator) -> InputPixels:
    grain = rng.standard_normal(picture.shape, np.float32) * np.float32(255 * amount * rng.uniform(0.2, 1))
    return np.rint(picture + grain).clip(0, 255).astype(np.uint8)


def _jpeg(picture: InputPixels, lowest: int, rng: Generator) -> InputPixels:
    quality = int(rng.integers(lowest, 96))
    coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)


def _border(picture: InputPixels, amount: float, rng: Generator) -> InputPixels:
    height, width = picture.shape
    top, bottom, left, right = (rng.uniform(0, amount, 4) * (height, height, width, width)).astype(int)
    framed = np.zeros_like(picture)
    framed[top : height - bottom, left : width - right] = picture[top : height - bottom, left : width - right]
    return framed


def _curve(picture: InputPixels, amount: float, rng: Generator) -> InputPixels:
    """Another machine's tone curve: rising, from black to white, bent at three points between."""
    bent = np.sort((np.array([0.25, 0.5, 0.75]) + rng.uniform(-amount, amount, 3)).clip(0, 1))
    grey = np.interp(np.linspace(0, 1, 256), np.linspace(0, 1, 5), [0.0, *bent, 1.0])
    return np.asarray(cv2.LUT(picture, np.rint(255 * grey).astype(np.uint8)), np.uint8)


def _sharpen(picture: InputPixels, amount: float, rng: Generator) -> InputPixels:
    strength = rng.uniform(0, amount)
    smooth = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.7, 4))
    return np.asarray(cv2.addWeighted(picture, 1 + strength, smooth, -strength, 0), np.uint8)


def _marks(picture: InputPixels, amount: float, rng: Generator) -> InputPixels:
    """Letters in a corner, or a bar along an edge that hides them: black or white."""
    height, width = picture.shape
    marked, grey = picture.copy(), int(rng.choice([0, 255]))
    size = max(4, int(rng.uniform(0.3, 1) * amount * height))
    x, y = (int(rng.choice([rng.uniform(0, 0.25), rng.uniform(0.6, 0.9)]) * side) for side in (width, height))
    if rng.random() < 0.5:
        text = "".join(rng.choice(list("LRAPSTANDING0123456789"), rng.integers(1, 8)))
        cv2.putText(marked, text, (x, y + size), cv2.FONT_HERSHEY_SIMPLEX, size / 25, (grey,), 1 + size // 12)
    else:
        at = int(rng.choice([0, height - size]))
        marked[at : at + size, x : x + int(rng.uniform(0.2, 1) * width)] = grey
    return marked


def _cutout(picture: InputPixels, amount: float, rng: Generator) -> InputPixels:
    height, width = picture.shape
    tall, wide = (int(rng.uniform(0.2, 1) * amount * side) for side in (height, width))
    top, left = int(rng.integers(height - tall + 1)), int(rng.integers(width - wide + 1))
    cut = picture.copy()
    cut[top : top + tall, left : left + wide] = rng.integers(256)
    return cut


SPOILERS: dict[str, Callable[[InputPixels, float, Generator], InputPixels]] = {
    "curve": _curve,
    "downscale": _downscale,
    "blur": _blur,
    "sharpen": _sharpen,
    "noise": _noise,
    "border": _border,
    "marks": _marks,
    "cutout": _cutout,
    "jpeg": lambda picture, lowest, rng: _jpeg(picture, int(lowest), rng),
}  # by the field of Augmentation that states the amount, in the order they happen
