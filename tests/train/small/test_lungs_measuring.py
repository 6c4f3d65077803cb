import numpy as np
import pytest

from cxr_train.small.lungs.making import compare

SIDE = 60


def _square(top: int, left: int, size: int = 20) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    mask = np.zeros((SIDE, SIDE), np.bool_)
    mask[top : top + size, left : left + size] = True
    return mask


def test_equal_masks_agree_fully() -> None:
    agreement = compare(_square(10, 10), _square(10, 10))
    assert (agreement.dice, agreement.jaccard, agreement.boundary_pixels) == (1.0, 1.0, 0.0)


def test_half_an_overlap_has_the_textbook_values() -> None:
    agreement = compare(_square(10, 10), _square(10, 20))
    assert agreement.dice == pytest.approx(0.5)
    assert agreement.jaccard == pytest.approx(1 / 3)


def test_a_square_one_pixel_larger_on_each_side_is_one_pixel_off() -> None:
    assert compare(_square(9, 9, 22), _square(10, 10)).boundary_pixels == pytest.approx(1.0, abs=0.05)


def test_a_mask_that_is_missing_is_as_wrong_as_can_be() -> None:
    agreement = compare(np.zeros((SIDE, SIDE), np.bool_), _square(10, 10))
    assert agreement.dice == 0
    assert agreement.boundary_pixels == pytest.approx(SIDE * 2**0.5)


def test_the_edge_of_the_film_is_no_boundary() -> None:
    agreement = compare(_square(0, 10), _square(0, 10, 21))
    assert 0 < agreement.boundary_pixels < 1
