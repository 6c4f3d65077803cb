from dataclasses import replace

import numpy as np
import pytest

from cxr_train.loop.augmentation import SPOILERS, vary
from cxr_train.recipe.composing import from_plain
from cxr_train.recipe.recipe import MODERN, Augmentation

NONE = Augmentation(shift=0, flip=0)
FILM = np.random.default_rng(0).integers(40, 216, (48, 56)).astype(np.uint8)
SQUARE = np.zeros((48, 56), np.uint8)
SQUARE[12:24, 20:30] = 255


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_without_amounts_a_film_stays_as_it_is() -> None:
    varied = vary(FILM, (SQUARE,), NONE, rng())
    for picture, expected in zip((*varied[:2], *varied.marks), (FILM, FILM, SQUARE), strict=True):
        np.testing.assert_array_equal(picture, expected)


def test_the_same_seed_gives_the_same_variation_and_another_seed_another() -> None:
    how = replace(MODERN, cutout=0.3, chance=1.0)
    first, again, other = (vary(FILM, (SQUARE,), how, rng(seed)).picture for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize("seed", range(8))
def test_boxes_move_with_the_film(seed: int) -> None:
    how = Augmentation(shift=0.1, flip=0.5, rotation=15, scale=0.2, stretch=0.1)
    varied = vary(SQUARE, (SQUARE, SQUARE), how, rng(seed))
    inside = varied.marks[0] > 127
    assert varied.picture[inside].min() > 100
    assert inside.any()
    np.testing.assert_array_equal(varied.marks[0], varied.marks[1])


def test_a_mirror_image_is_exact() -> None:
    varied = vary(FILM, (SQUARE,), replace(NONE, flip=1.0), rng())
    np.testing.assert_array_equal(varied.picture, FILM[:, ::-1])


@pytest.mark.parametrize("name", SPOILERS)
def test_each_way_to_spoil_a_film_can_be_switched_on_alone(name: str) -> None:
    amount = {"jpeg": 10, "blur": 2.0, "downscale": 2.0, "noise": 0.1}.get(name, 0.4)
    how = from_plain(Augmentation, {name: amount, "chance": 1.0}, NONE)
    varied = vary(FILM, (SQUARE,), how, rng(3))
    assert (varied.picture != FILM).any()
    np.testing.assert_array_equal(varied.clean, FILM)
    np.testing.assert_array_equal(varied.marks[0], SQUARE)


def test_tone_keeps_the_order_of_greys() -> None:
    ramp = np.tile(np.arange(256, dtype=np.uint8), (4, 1))
    toned = vary(ramp, (), replace(NONE, gamma=0.5, contrast=0.3), rng(5)).picture.astype(int)
    assert (np.diff(toned[0]) >= 0).all()
    assert (toned[0] != ramp[0]).any()
