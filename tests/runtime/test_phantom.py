"""Drawn films: the same for a seed, anatomically plausible, and as bright as real ones."""

import numpy as np
import pytest

from cxr_runtime.film import View
from cxr_runtime.phantom import OpacitySpot, draw_phantom

SMALL = (192, 192)
# Medians over the films of ../shared/data/nih512, and how far the drawn ones may be from them.
REAL_MEAN, REAL_SPREAD, REAL_GRAIN = 137, 62, 3.6


def test_a_film_is_the_same_for_the_same_arguments() -> None:
    first, second = (draw_phantom(3, hw=SMALL, male=False) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first.dtype == np.uint8


@pytest.mark.parametrize("change", [{"seed": 4}, {"view": View.AP}, {"male": False}, {"label": False}])
def test_every_argument_changes_the_film(change: dict[str, object]) -> None:
    usual: dict[str, object] = {"seed": 3, "hw": SMALL}
    drawn = draw_phantom(**{**usual, **change})  # type: ignore[arg-type]  # the arguments are mixed on purpose
    assert not np.array_equal(drawn, draw_phantom(3, hw=SMALL))


@pytest.mark.parametrize("hw", [(64, 64), (128, 96), (96, 128), (301, 257)])
def test_any_size_is_filled(hw: tuple[int, int]) -> None:
    film = draw_phantom(1, hw=hw)
    assert film.shape == hw
    assert film.std() > 40


@pytest.mark.parametrize("seed", range(6))
def test_a_film_is_as_bright_and_as_sharp_as_real_ones(seed: int) -> None:
    film = draw_phantom(seed, male=seed % 2 == 0).astype(float)
    rough = (
        film - (np.roll(film, 1, 0) + np.roll(film, -1, 0) + np.roll(film, 1, 1) + np.roll(film, -1, 1)) / 4
    )
    assert abs(film.mean() - REAL_MEAN) < 35
    assert abs(film.std() - REAL_SPREAD) < 15
    assert 0.5 * REAL_GRAIN < rough[8:-8, 8:-8].std() < 2 * REAL_GRAIN
    assert np.percentile(film, 99) < 245


@pytest.mark.parametrize("seed", range(4))
def test_the_organs_lie_where_they_should(seed: int) -> None:
    film = draw_phantom(seed, hw=(256, 256), label=False).astype(float)
    right_lung, left_lung = film[70:110, 50:85].mean(), film[70:110, 175:205].mean()
    spine, belly, air = film[60:150, 120:136].mean(), film[220:, 80:180].mean(), film[:10, :40].mean()
    assert air < 20 < max(right_lung, left_lung) < min(spine, belly) - 40
    heart_right, heart_left = film[135:150, 80:95].mean(), film[135:150, 156:171].mean()
    assert heart_left > heart_right + 20  # two thirds of the heart lie on the patient's left
    lungs_end = [np.argmax(film[100:220, side].astype(int) > 190) for side in (68, 190)]
    assert lungs_end[0] < lungs_end[1]  # the right dome of the diaphragm stands higher


def test_the_marker_is_on_the_patients_left() -> None:
    difference = draw_phantom(2, hw=(256, 256)) != draw_phantom(2, hw=(256, 256), label=False)
    rows, columns = np.nonzero(difference)
    assert rows.max() < 40
    assert columns.min() > 200


@pytest.mark.parametrize(("x", "y"), [(0.25, 0.3), (0.78, 0.45), (0.28, 0.5)])
def test_an_opacity_shows_where_it_was_asked_for(x: float, y: float) -> None:
    spot = OpacitySpot(x, y, radius=0.07, density=0.8)
    clear = draw_phantom(5, hw=(256, 320)).astype(float)
    dense = draw_phantom(5, hw=(256, 320), opacity=spot).astype(float)
    lighter = np.clip(dense - clear, 0, None)
    rows, columns = np.indices(clear.shape) + 0.5
    assert lighter.max() > 30
    assert abs(np.average(rows, weights=lighter**2) - 256 * y) < 10
    assert abs(np.average(columns, weights=lighter**2) - 320 * x) < 10
    far = np.hypot(rows - 256 * y, columns - 320 * x) > 3 * 0.07 * 256
    assert lighter[far].max() == 0


def test_a_denser_opacity_is_brighter() -> None:
    faint, dense = (
        draw_phantom(5, hw=SMALL, opacity=OpacitySpot(0.25, 0.4, 0.08, d)).astype(int) for d in (0.3, 1.0)
    )
    assert dense[70:84, 42:54].mean() > faint[70:84, 42:54].mean() + 15
