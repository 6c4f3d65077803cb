import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_runtime.errors import RejectedFilmError
from cxr_runtime.film import thumbnail
from cxr_runtime.gate.reasons import Code, Doubt, Reason
from cxr_runtime.gate.visibility import (
    BRIGHT,
    DARK,
    GREYS,
    MIDDLE,
    SIDE,
    Exposure,
    at_lower_edge,
    check_size,
    exposure_reasons,
    lung_reasons,
    measure,
    share_of_height,
)
from cxr_runtime.gate.weighing import read_weighing
from cxr_runtime.lungs.mask import measured
from cxr_runtime.phantom import draw_phantom


def _exposure(pixels: NDArray[np.uint8]) -> list[Reason]:
    return list(exposure_reasons(pixels, thumbnail(pixels, SIDE)))


def _refused(pixels: NDArray[np.uint8]) -> dict[Code, Reason]:
    """What of a film's exposure is enough to reject it, whatever else is seen."""
    shipped = read_weighing()
    return {
        reason.code: reason
        for reason in _exposure(pixels)
        if shipped.probability([reason]) < shipped.least_probability
    }


@pytest.mark.parametrize("seed", range(12))
def test_a_film_s_exposure_is_numpy_s_to_the_bit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    small = rng.integers(0, rng.integers(1, 257), (SIDE, SIDE), np.uint8) | rng.integers(256, dtype=np.uint8)
    inner = small[MIDDLE, MIDDLE]
    low, median, high = np.percentile(inner, (2, 50, 98)).tolist()
    lost = float((inner < DARK).mean()), float((inner > BRIGHT).mean())
    assert measure(small) == Exposure(low, median, high, *lost)


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
    refused = _refused(np.full((400, 300), tone, np.uint8))
    assert set(refused) - {Code.TOO_FEW_GREYS} == {code}


def test_a_grey_blank_is_called_flat_and_not_white() -> None:
    found = _refused(np.full((400, 300), 128, np.uint8))[Code.TOO_BRIGHT].found
    assert found.startswith("the film is flat: its grey levels reach from 128 to 128")


def test_a_film_that_is_nearly_black_or_nearly_white_is_refused() -> None:
    film = draw_phantom(1)
    assert "too dark" in _refused((film * 0.2).astype(np.uint8))[Code.TOO_DARK].found
    assert "too bright" in _refused(255 - ((255 - film) * 0.2).astype(np.uint8))[Code.TOO_BRIGHT].found


@pytest.mark.parametrize("contrast", [1.0, 0.3])
def test_a_well_exposed_and_a_flat_but_visible_film_pass(contrast: float) -> None:
    assert not _refused((80 + (draw_phantom(2) - 80.0).clip(-80) * contrast).astype(np.uint8))


def test_black_borders_do_not_count_as_a_dark_film() -> None:
    film = np.zeros((512, 512), np.uint8)
    film[60:452, 60:452] = draw_phantom(2, hw=(392, 392))
    assert measure(thumbnail(film, SIDE)).dark < 0.3
    assert not _refused(film)


@pytest.mark.parametrize("levels", [2, 3, 8, 16, 24])
def test_a_film_of_a_handful_of_grey_levels_is_refused(levels: int) -> None:
    film = draw_phantom(1).astype(float)
    poor = np.round(np.round(film / 255 * (levels - 1)) * (255 / (levels - 1))).astype(np.uint8)
    assert "grey levels; a film has 32 or more" in _refused(poor)[Code.TOO_FEW_GREYS].found


def test_a_window_cut_into_a_film_is_refused_though_its_edges_are_grey() -> None:
    film = draw_phantom(1).astype(float)
    assert Code.TOO_FEW_GREYS in _refused(np.clip((film - 118) * 30, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("hw", [(128, 128), (400, 360), (1024, 1000)])
def test_a_film_with_all_its_grey_levels_passes(hw: tuple[int, int]) -> None:
    assert not _refused(draw_phantom(1, hw=hw))
    assert not _refused((draw_phantom(1, hw=hw) // 4 * 4).astype(np.uint8))
    assert GREYS[1] <= 64


def test_each_thing_that_is_measured_has_its_own_doubt() -> None:
    doubts = [reason.doubt for reason in _exposure(draw_phantom(1))]
    assert doubts == [Doubt.DARK, Doubt.BRIGHT, Doubt.FEW_GREYS]


def test_lungs_at_the_lower_edge_are_measured_and_none_are_no_error() -> None:
    mask = np.zeros((8, 8), np.bool_)
    assert at_lower_edge(mask) == 0
    mask[2:, 1:5] = mask[2:6, 6:] = True
    assert at_lower_edge(mask) == pytest.approx(4 / 7)


def test_lungs_of_a_whole_body_are_small_and_those_of_a_film_on_a_page_are_not() -> None:
    small, mask = thumbnail(draw_phantom(1), SIDE), np.zeros((SIDE, SIDE), np.bool_)
    mask[20:100, 10:110] = True
    whole = share_of_height(small, mask)
    assert whole == pytest.approx(80 / SIDE, abs=0.1)
    on_a_page, there = np.zeros_like(small), np.zeros_like(mask)
    on_a_page[: SIDE // 2], there[: SIDE // 2] = small[::2], mask[::2]
    assert share_of_height(on_a_page, there) == pytest.approx(whole, abs=0.05)
    body, chest = np.concatenate([small[::2], small[::2]]), there
    assert share_of_height(body, chest) == pytest.approx(whole / 2, abs=0.1)
    assert share_of_height(np.zeros_like(small), mask) == share_of_height(small, np.zeros_like(mask)) == 0


@pytest.mark.parametrize(
    ("lung", "around", "share"), [(140, 60, 100), (255, 60, 67), (255, 10, 0), (10, 10, 0)]
)
def test_the_undecided_share_is_of_all_that_may_be_lung(lung: int, around: int, share: int) -> None:
    soft = np.full((SIDE, SIDE), 10, np.uint8)
    soft[:, SIDE // 4 :], soft[:, SIDE // 2 : 3 * SIDE // 4] = around, lung
    reasons = lung_reasons(np.zeros((SIDE, SIDE), np.uint8), measured(soft, (SIDE, SIDE)))
    (vague,) = [reason for reason in reasons if reason.doubt is Doubt.VAGUE_LUNGS]
    assert f": {share}% of what may be lung" in vague.found
