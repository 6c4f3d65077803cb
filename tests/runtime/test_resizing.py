import cv2
import numpy as np
import pytest

from cxr_runtime.phantom import draw_phantom
from cxr_runtime.resizing import thumbnail


@pytest.mark.parametrize("hw", [(128, 128), (300, 512), (1024, 1024), (1577, 1311)])
def test_a_large_film_is_averaged_as_in_one_step(hw: tuple[int, int]) -> None:
    film = draw_phantom(1, hw=hw)
    at_once = cv2.resize(film, (128, 128), interpolation=cv2.INTER_AREA).astype(float)
    assert np.abs(thumbnail(film, 128) - at_once).mean() < 1.0


def test_a_small_film_is_enlarged() -> None:
    film = draw_phantom(1, hw=(110, 100))
    assert thumbnail(film, 128).shape == (128, 128)


def test_one_tone_stays_one_tone() -> None:
    assert (thumbnail(np.full((2047, 1999), 77, np.uint8), 160) == 77).all()
