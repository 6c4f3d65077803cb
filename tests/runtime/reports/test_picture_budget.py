"""A worklist deals out its bytes: pictures get smaller down the list, and the page keeps within its size."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from cxr_runtime.pictures import decode_jpeg, smaller_jpeg
from cxr_runtime.reports.exhibit import Picture
from cxr_runtime.reports.worklist.picture_budget import ROW_BYTES, PictureBudget, Size, base64_bytes
from drawn_exhibits import picture

FILMS = 100
LARGE = picture(hw=(1024, 840))


def page(shown: Picture, size: int) -> tuple[list[Size], int, PictureBudget]:
    """Sizes of FILMS films alike, and the bytes that their pictures take."""
    budget = PictureBudget(FILMS, size)
    given = [budget.give(shown) for _ in range(FILMS)]
    layers = base64_bytes(shown.thumbnail_jpeg) + base64_bytes(shown.heat_png or b"")
    films = sum(base64_bytes(film) + layers for _, film in given if film)
    thumbnails = sum(size is Size.THUMBNAIL for size, _ in given) * base64_bytes(shown.thumbnail_jpeg)
    return [size for size, _ in given], films + thumbnails, budget


@pytest.mark.parametrize("size", [0, 200_000, 500_000, 1_000_000, 2_000_000, 5_000_000, 50_000_000])
def test_sizes_only_fall_and_what_is_given_fits(size: int) -> None:
    sizes, taken, _ = page(LARGE, size)
    assert sizes == sorted(sizes, reverse=True)
    assert taken <= max(0, size - ROW_BYTES * FILMS)
    assert {0: Size.NONE, 50_000_000: Size.FULL}.get(size, sizes[-1]) is sizes[-1]


def test_between_too_little_and_enough_every_film_has_a_picture_and_the_first_have_large_ones() -> None:
    sizes, _, budget = page(LARGE, 3_000_000)
    assert sizes[0] is Size.FULL
    assert sizes[-1] >= Size.THUMBNAIL
    assert f"Films 1 to {sizes.count(Size.FULL)}: pictures of up to 1,024 pixels." in budget.words()
    assert "--worklist-size" in budget.words()


def test_the_page_says_how_large_pictures_are_that_a_store_keeps_smaller() -> None:
    kept = replace(LARGE, preview_jpeg=picture(hw=(736, 604)).preview_jpeg)
    sizes, _, budget = page(kept, 2_000_000)
    assert f"Films 1 to {sizes.count(Size.FULL)}: pictures of up to 736 pixels." in budget.words()
    assert "pictures of up to 368 pixels." in budget.words()


def test_a_list_of_many_films_ends_and_says_so() -> None:
    budget = PictureBudget(100_000, 60_000_000)
    assert (budget.rows, budget.left) == (20_000, 30_000_000)
    assert "the first 20,000 of 100,000 films" in budget.end()
    assert PictureBudget(1_000, 0).end() == ""


def test_films_without_a_picture_take_no_room() -> None:
    budget = PictureBudget(2, 10_000_000)
    left = budget.left
    assert budget.give(None) == (Size.NONE, b"")
    assert budget.left == left
    assert budget.give(LARGE) == (Size.FULL, LARGE.preview_jpeg)


def test_a_thumbnail_stands_alone_without_a_layer_of_heat() -> None:
    budget = PictureBudget(1, ROW_BYTES + base64_bytes(LARGE.thumbnail_jpeg))
    assert budget.give(replace(LARGE, lung_outlines=())) == (Size.THUMBNAIL, b"")


@pytest.mark.parametrize(("side", "rows"), [(1024, 1024), (512, 512), (256, 256)])
def test_a_smaller_jpeg_is_the_film_at_a_half_or_a_quarter(side: int, rows: int) -> None:
    small, film = (decode_jpeg(jpeg) for jpeg in (smaller_jpeg(LARGE.preview_jpeg, side), LARGE.preview_jpeg))
    assert small.shape[0] == rows
    expected = cv2.resize(film, (small.shape[1], small.shape[0]), interpolation=cv2.INTER_AREA)
    assert float(np.abs(small.astype(float) - expected).mean()) < 2
