import numpy as np
import pytest

from cxr_runtime.errors import RejectedFilmError
from cxr_runtime.gate.visibility import check_exposure, check_size, measure
from cxr_runtime.phantom import draw_phantom


@pytest.mark.parametrize("hw", [(99, 500), (500, 99), (1, 1)])
def test_a_picture_with_a_short_side_below_100_pixels_is_too_small(hw: tuple[int, int]) -> None:
    with pytest.raises(RejectedFilmError, match=f"{hw[1]} x {hw[0]} pixels") as rejection:
        check_size(hw)
    assert rejection.value.code == "too-small"


def test_a_short_side_of_100_pixels_is_enough() -> None:
    check_size((100, 4000))


@pytest.mark.parametrize(
    ("tone", "code"), [(0, "too-dark"), (90, "too-dark"), (200, "too-bright"), (255, "too-bright")]
)
def test_a_blank_film_is_too_dark_or_too_bright_by_its_tone(tone: int, code: str) -> None:
    with pytest.raises(RejectedFilmError) as rejection:
        check_exposure(np.full((400, 300), tone, np.uint8))
    assert rejection.value.code == code


def test_a_grey_blank_is_called_flat_and_not_white() -> None:
    with pytest.raises(RejectedFilmError, match=r"^the film is flat: its grey levels reach from 128 to 128"):
        check_exposure(np.full((400, 300), 128, np.uint8))


def test_a_film_that_is_nearly_black_or_nearly_white_is_refused() -> None:
    film = draw_phantom(1)
    with pytest.raises(RejectedFilmError, match="too dark"):
        check_exposure((film * 0.2).astype(np.uint8))
    with pytest.raises(RejectedFilmError, match="too bright"):
        check_exposure(255 - ((255 - film) * 0.2).astype(np.uint8))


@pytest.mark.parametrize("contrast", [1.0, 0.3])
def test_a_well_exposed_and_a_flat_but_visible_film_pass(contrast: float) -> None:
    check_exposure((80 + (draw_phantom(2) - 80.0).clip(-80) * contrast).astype(np.uint8))


def test_black_borders_do_not_count_as_a_dark_film() -> None:
    film = np.zeros((512, 512), np.uint8)
    film[60:452, 60:452] = draw_phantom(2, hw=(392, 392))
    assert measure(film).dark < 0.3
