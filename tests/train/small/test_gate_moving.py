import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_train.small.gate.moving import WORK, move, scramble, visible_shares
from cxr_train.small.variations import Jitter

STILL = Jitter(turn_degrees=0, zoom=(1, 1), stretch=0, shift=0, bend=0, flip=0)
SIDE = 224


def _two_lungs() -> NDArray[np.uint8]:
    lungs = np.zeros((SIDE, SIDE), np.uint8)
    lungs[40:180, 30:95] = 255
    lungs[40:180, 130:195] = 255
    return lungs


def _window(left: float, right: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Maps that show the columns from `left` to `right`, shares of the film."""
    at = (np.arange(WORK, dtype=np.float32) + 0.5) / WORK
    x, y = np.meshgrid((left + at * (right - left)) * SIDE, at * SIDE)
    return x.astype(np.float32), y.astype(np.float32)


def test_a_film_that_is_not_moved_shows_both_lungs_whole() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (SIDE, SIDE), np.uint8)
    film, maps = move(np.random.default_rng(0), pixels, STILL)
    assert film.shape == (WORK, WORK)
    assert visible_shares(_two_lungs(), maps) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("window", "least", "both"), [((0.28, 1.0), 0.5, 0.75), ((0.5, 1.0), 0.0, 0.5), ((0.0, 0.72), 0.5, 0.75)]
)
def test_a_film_cut_from_the_side_shows_less_of_one_lung(
    window: tuple[float, float], least: float, both: float
) -> None:
    shares = visible_shares(_two_lungs(), _window(*window))
    assert shares == pytest.approx((least, both), abs=0.03)


def test_a_film_without_lungs_cannot_be_cut_off() -> None:
    assert visible_shares(np.zeros((SIDE, SIDE), np.uint8), _window(0, 0.5)) == (1.0, 1.0)


def test_a_scrambled_film_keeps_its_grey_levels_but_not_its_order() -> None:
    film = np.linspace(0, 1, WORK * WORK, dtype=np.float32).reshape(WORK, WORK)
    for seed in range(10):
        scrambled = scramble(np.random.default_rng(seed), film)
        assert scrambled.mean() == pytest.approx(film.mean(), abs=0.02)
        assert abs(scrambled - film).mean() > 0.1
