import numpy as np
import pytest

from cxr_runtime.errors import RejectedFilmError
from cxr_runtime.gate.visibility import LEAST_GREYS, check_exposure, check_greys, check_size, measure
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


@pytest.mark.parametrize("levels", [2, 3, 8, 16, 24])
def test_a_film_of_a_handful_of_grey_levels_is_refused(levels: int) -> None:
    film = draw_phantom(1).astype(float)
    poor = np.round(np.round(film / 255 * (levels - 1)) * (255 / (levels - 1))).astype(np.uint8)
    with pytest.raises(RejectedFilmError, match="grey levels; a film has 32 or more") as rejection:
        check_greys(poor)
    assert rejection.value.code == "too-few-greys"


def test_a_window_cut_into_a_film_is_refused_though_its_edges_are_grey() -> None:
    film = draw_phantom(1).astype(float)
    with pytest.raises(RejectedFilmError, match="grey levels"):
        check_greys(np.clip((film - 118) * 30, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("hw", [(128, 128), (400, 360), (1024, 1000)])
def test_a_film_with_all_its_grey_levels_passes(hw: tuple[int, int]) -> None:
    check_greys(draw_phantom(1, hw=hw))
    check_greys((draw_phantom(1, hw=hw) // 4 * 4).astype(np.uint8))
    assert LEAST_GREYS <= 64
