"""Pictures that damage has torn are refused, though every decoder is content with them."""

import cv2
import numpy as np
import pytest

import film_files as files
from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.film import GreyPixels
from cxr_runtime.reading.torn import check_rows
from cxr_runtime.reading.torn_blocks import check_blocks


def noisy(rows: int = 512, columns: int = 512) -> GreyPixels:
    """A film with the noise of a detector."""
    noise = np.random.default_rng(1).normal(0, 2, (rows, columns))
    return np.clip(files.phantom(rows, columns) * 0.8 + 20 + noise, 0, 255).astype(np.uint8)


def test_sound_films_pass() -> None:
    for film in (noisy(640, 640), files.phantom(640, 640), np.zeros((640, 640), np.uint8)):
        check_rows(film)
        check_blocks(film)


def test_a_film_with_empty_borders_passes() -> None:
    film = noisy(640, 640)
    film[:60], film[-90:], film[:, :40], film[:, -30:] = 0, 0, 0, 0
    check_rows(film)
    check_blocks(film)


def test_an_enlarged_film_that_repeats_its_rows_passes() -> None:
    check_rows(np.repeat(np.repeat(noisy(256, 256), 2, axis=0), 2, axis=1))


def tear(film: GreyPixels, kind: str) -> GreyPixels:
    """What is read once bytes were lost, doubled or zeroed in the middle of a row."""
    flat, at, length = film.ravel(), 200 * 512 + 100, 3 * 512 + 200
    if kind == "lost":
        flat = np.concatenate([flat[:at], flat[at + length :], flat[:length]])
    elif kind == "doubled":
        flat = np.concatenate([flat[: at + length], flat[at:-length]])
    else:
        flat = np.concatenate([flat[:at], np.zeros(length, np.uint8), flat[at + length :]])
    return flat.reshape(film.shape)


@pytest.mark.parametrize("kind", ["lost", "doubled", "zeroed"])
def test_rows_that_go_on_shifted_doubled_or_blank_are_damage(kind: str) -> None:
    with pytest.raises(UnreadableFilmError, match="torn") as caught:
        check_rows(tear(noisy(), kind))
    assert caught.value.code == "damaged"


def misread(film: GreyPixels, kind: str) -> GreyPixels:
    """A film of which some bytes were changed, none lost."""
    flat, at = film.copy().ravel(), 300 * 512 + 140
    if kind == "blank":
        flat[at : at + 10] = 0
    elif kind == "a row of another place":
        flat[at : at + 512] = flat[:512][::-1] // 2 + 90
    else:
        count, random = (400 if kind == "a few flipped" else 12 * 512), np.random.default_rng(2)
        flat[at : at + count] ^= np.uint8(1) << random.integers(0, 8, count, np.uint8)
    return flat.reshape(film.shape)


@pytest.mark.parametrize("kind", ["blank", "a few flipped", "rows flipped", "a row of another place"])
def test_pixels_that_stand_out_along_a_row_are_damage(kind: str) -> None:
    with pytest.raises(UnreadableFilmError, match="torn"):
        check_rows(misread(noisy(), kind))


def test_grain_and_writing_pass() -> None:
    film = noisy(640, 640)
    for number in range(8):
        cv2.putText(film, "PORTABLE AP 12:45", (20, 40 + 70 * number), 0, 0.3 + number / 10, 255, 1)
    check_rows(film)
    grain = np.random.default_rng(3).normal(0, 12, film.shape)
    check_rows(np.clip(film + grain, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("columns", [24, 48, 60])
def test_rows_that_go_on_a_little_to_one_side_are_damage(columns: int) -> None:
    film = noisy(640, 640)
    flat, at = film.ravel(), 300 * 640 + 250
    moved = np.concatenate([flat[:at], flat[at - columns : -columns]]).reshape(film.shape)
    with pytest.raises(UnreadableFilmError, match="torn"):
        check_rows(moved)


@pytest.mark.parametrize("jump", [-12, 8, 20])
@pytest.mark.parametrize("block_rows", [8, 16])
def test_blocks_that_are_all_brighter_from_one_on_are_damage(block_rows: int, jump: int) -> None:
    film = cv2.GaussianBlur(noisy(640, 640), (0, 0), 1.5).astype(np.int16)
    film[20 * block_rows : 21 * block_rows, 200:] += jump
    film[21 * block_rows :] += jump
    with pytest.raises(UnreadableFilmError, match="torn"):
        check_blocks(np.clip(film, 0, 255).astype(np.uint8), block_rows)


@pytest.mark.parametrize("grey", [0, 255])
@pytest.mark.parametrize("block_rows", [8, 16])
def test_blocks_that_are_all_blank_from_one_on_are_damage(block_rows: int, grey: int) -> None:
    film = noisy(640, 640)
    film[320 : 320 + block_rows, 200:] = grey
    film[320 + block_rows :] = grey
    with pytest.raises(UnreadableFilmError, match="torn"):
        check_blocks(film, block_rows)


def test_a_film_that_ends_in_a_box_of_black_passes() -> None:
    film = noisy(640, 640)
    film[480:], film[400:480, 200:] = 0, 0
    check_blocks(film)
