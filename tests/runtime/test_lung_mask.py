import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_runtime.lungs.mask import lung_mask
from cxr_runtime.lungs.outline import MOST_POINTS

TWO_LUNGS = ((20, 80, 15, 40), (25, 85, 60, 88))  # top, bottom, left, right


def _soft(*boxes: tuple[int, int, int, int], side: int = 100) -> NDArray[np.uint8]:
    soft = np.zeros((side, side), np.uint8)
    for top, bottom, left, right in boxes:
        soft[top:bottom, left:right] = 255
    return soft


def test_specks_beside_the_lungs_are_dropped() -> None:
    lungs = lung_mask(_soft(*TWO_LUNGS, (2, 5, 90, 94)), (100, 100))
    assert not lungs.mask[:10].any()
    assert len(lungs.outlines) == 2


def test_holes_within_a_lung_are_filled() -> None:
    soft = _soft(*TWO_LUNGS)
    soft[40:50, 20:30] = 0
    assert lung_mask(soft, (100, 100)).mask[40:50, 20:30].all()


def test_the_box_is_in_film_pixels_whatever_the_film_s_proportions() -> None:
    lungs = lung_mask(_soft(*TWO_LUNGS), (2000, 1000))
    assert lungs.box_film_xyxy == (150.0, 400.0, 880.0, 1700.0)


def test_a_film_without_lungs_has_no_box_and_no_outline() -> None:
    lungs = lung_mask(_soft(), (300, 200))
    assert lungs.box_film_xyxy is None
    assert lungs.outlines == ()
    assert lungs.area == 0


@pytest.mark.parametrize("film_hw", [(400, 300), (431, 977)])
def test_the_mask_over_the_film_has_the_film_s_proportions(film_hw: tuple[int, int]) -> None:
    lungs = lung_mask(_soft(*TWO_LUNGS), film_hw)
    over_film = lungs.over_film(film_hw)
    assert over_film.shape == film_hw
    assert over_film.mean() == pytest.approx(lungs.area, rel=0.03)


def test_outlines_are_shares_of_the_film_and_lie_on_the_lungs_edge() -> None:
    (left_lung,) = lung_mask(_soft(TWO_LUNGS[0]), (500, 400)).outlines
    x, y = np.array(left_lung).T
    assert (x.min(), x.max()) == pytest.approx((0.15, 0.40), abs=0.01)
    assert (y.min(), y.max()) == pytest.approx((0.20, 0.80), abs=0.01)


def test_a_ragged_lung_still_has_few_points() -> None:
    y, x = np.mgrid[0:160, 0:160]
    angle, away = np.arctan2(y - 80, x - 80), np.hypot(y - 80, x - 80)
    soft = np.where(away < 55 + 12 * np.sin(40 * angle), 255, 0).astype(np.uint8)
    (outline,) = lung_mask(soft, (160, 160)).outlines
    assert 3 <= len(outline) <= MOST_POINTS


def test_a_clear_border_is_not_vague_and_a_wide_one_is() -> None:
    sharp = _soft(*TWO_LUNGS)
    faint = np.where(sharp > 0, 140, 0).astype(np.uint8)
    assert lung_mask(sharp, (100, 100)).vagueness == 0
    assert lung_mask(faint, (100, 100)).vagueness == 1
    assert lung_mask(_soft(), (100, 100)).vagueness == 0
