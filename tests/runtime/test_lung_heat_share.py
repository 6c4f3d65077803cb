import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_runtime.lungs.heat_share import heat_share
from cxr_runtime.lungs.mask import PLEURA, LungMask, lung_mask


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
