import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_runtime.lungs.mask import (
    FINER,
    INSIDE,
    MOST_PARTS,
    MOST_POINTS,
    PLEURA,
    SMALLEST_BESIDE,
    SMALLEST_PART,
    LungMask,
    heat_share,
    lung_mask,
)

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


def _cleaned(soft: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The plain way: part by part, and every pixel by where it lies."""
    inside = (soft >= INSIDE).astype(np.uint8)
    _, parts, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=4)
    areas = stats[1:, cv2.CC_STAT_AREA]
    if not areas.size:
        return np.zeros_like(soft)
    smallest = max(SMALLEST_PART * soft.size, SMALLEST_BESIDE * areas.max())
    kept = [part for part in np.argsort(-areas)[:MOST_PARTS] + 1 if areas[part - 1] >= smallest]
    wanted = np.isin(parts, kept).astype(np.uint8)
    contours, _ = cv2.findContours(wanted, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(np.zeros_like(inside), contours, -1, 1, cv2.FILLED)
    around = cv2.dilate(filled, np.ones((3, 3), np.uint8))
    beside = np.where(around == 1, np.minimum(soft, INSIDE - 1), 0)
    return np.where(filled == 1, np.maximum(soft, INSIDE), beside).astype(np.uint8)


@pytest.mark.parametrize("seed", range(12))
def test_a_mask_is_cleaned_as_the_plain_way_cleans_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rough = rng.integers(0, 256, rng.integers(3, 40, 2), np.uint8)
    soft = np.asarray(cv2.resize(rough, (160, 97 + seed), interpolation=cv2.INTER_CUBIC), np.uint8)
    np.testing.assert_array_equal(lung_mask(soft, (500, 400)).soft, _cleaned(soft))


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


def test_the_shares_of_an_outline_are_those_of_its_pixels_to_four_decimals() -> None:
    y, x = np.mgrid[0:160, 0:160]
    soft = np.where((x - 70) ** 2 / 3 + (y - 80) ** 2 < 40**2, 255, 0).astype(np.uint8)
    (outline,) = lung_mask(soft, (160, 160)).outlines
    for share in np.array(outline).ravel().tolist():
        assert share == round((round(share * 160 * FINER - 0.5) + 0.5) / (160 * FINER), 4)


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


def _left_half(film_hw: tuple[int, int] = (200, 100)) -> LungMask:
    soft = np.zeros((100, 100), np.uint8)
    soft[:, :50] = 255
    return lung_mask(soft, film_hw)


def _spot(row: int, column: int, value: float = 0.9, floor: float = 0.0) -> NDArray[np.float32]:
    heat = np.full((200, 100), floor, np.float32)
    heat[row, column] = value
    return heat


@pytest.mark.parametrize(("column", "share"), [(20, 1.0), (90, 0.0)])
def test_heat_counts_by_where_it_lies(column: int, share: float) -> None:
    assert heat_share(_spot(100, column), _left_half(), threshold=0.5) == share


def test_heat_below_the_threshold_does_not_dilute_the_share() -> None:
    assert heat_share(_spot(100, 20, floor=0.4), _left_half(), threshold=0.5) == 1.0


def test_all_heat_counts_where_none_is_above_the_threshold() -> None:
    share = heat_share(np.full((200, 100), 0.2, np.float32), _left_half(), threshold=0.5)
    assert share == pytest.approx(0.5 + PLEURA, abs=0.011)


def test_the_pleura_just_beyond_the_mask_counts_as_lung() -> None:
    assert heat_share(_spot(100, 52), _left_half(), threshold=0.5) == 1.0


def test_a_film_without_heat_has_no_share() -> None:
    assert heat_share(np.zeros((200, 100), np.float32), _left_half(), threshold=0.5) is None
