"""The film that a store keeps is small, shows no squares, and is the film."""

import numpy as np
import pytest

from cxr_runtime.benchmark.previews import even_parts, squares
from cxr_runtime.film import GreyPixels, resize
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pictures import decode_jpeg, encode_jpeg, jpeg_hw, kept_jpeg

BYTES = 40_000  # of a drawn chest of 1024 x 1024, at most; films of patients have more grain
SQUARES = 0.7  # grey levels, at most; 0.78 and more are seen in even lung


@pytest.fixture(scope="module")
def chest() -> GreyPixels:
    return draw_phantom(1, hw=(1024, 1024))


def test_a_chest_is_kept_in_few_bytes_without_squares_in_even_parts(chest: GreyPixels) -> None:
    kept, even = kept_jpeg(chest), even_parts(chest)
    assert len(kept) < BYTES
    assert squares(decode_jpeg(kept), even) < SQUARES
    coarse = encode_jpeg(chest, 66)  # as many bytes by coarser steps alone
    assert abs(len(coarse) / len(kept) - 1) < 0.1
    assert squares(decode_jpeg(coarse), even) > 0.75


def test_what_is_kept_is_the_film(chest: GreyPixels) -> None:
    shown = resize(decode_jpeg(kept_jpeg(chest)), (1024, 1024))
    assert float(np.abs(shown.astype(float) - chest).mean()) < 1.6  # its grain alone has 1.6


@pytest.mark.parametrize(
    ("hw", "quality", "kept"),
    [
        ((1024, 840), 60, (736, 604)),
        ((1024, 840), 87, (736, 604)),
        ((1024, 840), 88, (1024, 840)),
        ((700, 736), 84, (700, 736)),
        ((90, 70), 60, (90, 70)),
    ],
)
def test_a_large_film_is_kept_smaller_below_quality_88(
    hw: tuple[int, int], quality: int, kept: tuple[int, int]
) -> None:
    film = draw_phantom(2, hw=hw)
    content = kept_jpeg(film, quality)
    assert jpeg_hw(content) == kept
    if kept == hw:
        assert content == encode_jpeg(film, quality)
