"""Noise in the bits that pixels do not need is damage; overlays, signs and bits beyond the header are not."""

import numpy as np
import pytest

import film_files as files
from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.reading.dicom.bits import check_unused_bits


def film() -> np.ndarray[tuple[int, ...], np.dtype[np.uint16]]:
    """A phantom of 12 bits with grain."""
    grain = np.random.default_rng(1).normal(0, 20, (256, 256))
    return np.clip(files.phantom(256, 256) * 15.0 + 100 + grain, 0, 4095).astype(np.uint16)


def test_bytes_that_are_swapped_from_one_pixel_on_are_damage() -> None:
    samples = film()
    samples.ravel()[90 * 256 + 30 :] = samples.ravel()[90 * 256 + 30 :].byteswap()
    with pytest.raises(UnreadableFilmError, match="noise") as caught:
        check_unused_bits(samples, high=11)
    assert caught.value.code == "damaged"


def test_a_short_run_of_wrong_bytes_is_damage() -> None:
    samples = film()
    samples.ravel()[30_000:30_400] ^= np.random.default_rng(2).integers(0, 1 << 16, 400, np.uint16)
    with pytest.raises(UnreadableFilmError, match="noise"):
        check_unused_bits(samples, high=11)


def test_overlays_signs_and_films_of_more_bits_than_stated_pass() -> None:
    samples = film()
    rows, columns = np.indices(samples.shape)
    overlay = (((rows // 9 + columns // 7) % 3 == 0) & (rows > 40)).astype(np.uint16)
    other = (((rows // 5 + columns // 3) % 4 == 0) & (rows > 60)).astype(np.uint16)
    check_unused_bits(samples, high=11)
    check_unused_bits(samples | overlay << 12 | (other & ~overlay & 1) << 14, high=11)
    check_unused_bits((samples.astype(np.int16) - 900).view(np.uint16), high=11)
    check_unused_bits(np.where(rows > 40, samples, samples // 16), high=9)


def test_films_that_hold_noise_there_from_the_first_row_on_pass() -> None:
    noise = np.random.default_rng(3).integers(0, 16, (256, 256)).astype(np.uint16)
    check_unused_bits(film() | noise << 12, high=11)
