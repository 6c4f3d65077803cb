"""JPEG 2000 codestreams: damage is known by lengths, markers, and by what no encoder writes."""

from typing import Any

import imagecodecs
import numpy as np
import pytest

import film_files as files
from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.reading.jpeg_2000 import decode_jpeg_2000

NOISE = np.random.default_rng(1).normal(0, 40, (256, 256))
DEEP = np.clip(files.phantom(256, 256) * 16.0 + NOISE, 0, 4095).astype(np.uint16)


def coded(pixels: Any = DEEP, **options: Any) -> bytes:
    """A reversible codestream."""
    settings = {"codecformat": "j2k", "level": 0, "reversible": True, **options}
    return bytes(imagecodecs.jpeg2k_encode(pixels, **settings))


STREAM = coded()
MIDDLE = len(STREAM) // 2
DAMAGED = {
    "zeroed": STREAM[:MIDDLE] + bytes(500) + STREAM[MIDDLE + 500 :],
    "lost": STREAM[:MIDDLE] + STREAM[MIDDLE + 500 :],
    "doubled": STREAM[: MIDDLE + 2000] + STREAM[MIDDLE:],
    "written over": STREAM[: MIDDLE + 2000] + STREAM[MIDDLE : MIDDLE + 2000] + STREAM[MIDDLE + 4000 :],
    "a marker within": STREAM[:MIDDLE] + b"\xff\xb0" + STREAM[MIDDLE + 2 :],
    "no end": STREAM[:-2],
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_damage_is_refused(damage: str) -> None:
    with pytest.raises(UnreadableFilmError) as caught:
        decode_jpeg_2000(DAMAGED[damage])
    assert caught.value.code in ("damaged", "truncated")


@pytest.mark.parametrize("tail", [b"", bytes(32), b"exported"])
def test_what_follows_the_end_does_no_harm(tail: bytes) -> None:
    np.testing.assert_array_equal(decode_jpeg_2000(STREAM + tail), DEEP)


def test_a_picture_larger_than_its_tiles_is_truncated() -> None:
    larger = bytearray(STREAM)
    larger[8:12] = (512).to_bytes(4, "big")
    with pytest.raises(UnreadableFilmError, match="tiles") as caught:
        decode_jpeg_2000(bytes(larger))
    assert caught.value.code == "truncated"


def test_a_blank_picture_is_read() -> None:
    blank = np.full((256, 256), 7, np.uint8)
    np.testing.assert_array_equal(decode_jpeg_2000(coded(blank)), blank)
