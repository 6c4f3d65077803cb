import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_runtime.lungs import LungMask, lung_field, measured
from cxr_runtime.model.looks import GREYS, LOOKS, TENTHS, Looks, looks_of
from cxr_runtime.phantom import draw_phantom


def _looks(pixels: NDArray[np.uint8]) -> Looks:
    lungs = lung_field().find(pixels)
    return looks_of(pixels, lungs, _inputs(pixels, lungs))


def _inputs(pixels: NDArray[np.uint8], lungs: LungMask) -> NDArray[np.uint8]:
    assert lungs.box_film_xyxy is not None
    x0, y0, x1, y1 = (int(edge) for edge in lungs.box_film_xyxy)
    return np.asarray(cv2.resize(pixels[y0:y1, x0:x1], (224, 224), interpolation=cv2.INTER_AREA), np.uint8)


def test_every_look_has_a_name_and_a_finite_number() -> None:
    looks = _looks(draw_phantom(1))
    assert len(looks) == len(LOOKS) == len(set(LOOKS))
    assert np.isfinite(looks).all()


def test_a_blank_film_has_looks_too() -> None:
    blank = np.zeros((200, 180), np.uint8)
    soft = np.zeros((160, 160), np.uint8)
    soft[40:120, 40:120] = 255
    assert np.isfinite(looks_of(blank, measured(soft, blank.shape), blank)).all()
    soft[:] = 0
    assert np.isfinite(looks_of(blank, measured(soft, blank.shape), blank)).all()


def test_greys_are_the_percentiles_of_the_film_in_and_around_the_lungs() -> None:
    film = np.full((160, 160), 200, np.uint8)
    soft = np.zeros((160, 160), np.uint8)
    soft[40:120, 40:120] = 255
    film[soft == 255] = 50
    looks = dict(zip(LOOKS, looks_of(film, measured(soft, film.shape), film), strict=True))
    assert looks["grey-in-lungs-0.50"] == pytest.approx(50 / 255, abs=1e-4)
    assert looks["grey-around-lungs-0.50"] == pytest.approx(200 / 255, abs=1e-4)
    assert (looks["lungs-left"], looks["lungs-right"]) == (0.25, 0.75)


def test_the_size_in_which_a_film_was_saved_changes_little_and_another_tone_curve_much() -> None:
    film = draw_phantom(3, hw=(1024, 1024))
    small = np.asarray(cv2.resize(film, (256, 256), interpolation=cv2.INTER_AREA), np.uint8)
    darker = np.rint(255 * (film / 255.0) ** 1.6).astype(np.uint8)
    greys = [number for number, name in enumerate(LOOKS) if name.startswith(("grey", "input"))]
    whole, reduced, changed = (np.array(_looks(each))[greys] for each in (film, small, darker))
    assert np.abs(whole - reduced).max() < 0.1 < np.abs(whole - changed).max()


def test_greys_are_found_by_counting_every_pixel() -> None:
    film = draw_phantom(2, hw=(300, 260))
    lungs = lung_field().find(film)
    looks = dict(zip(LOOKS, looks_of(film, lungs, _inputs(film, lungs)), strict=True))
    small = np.asarray(cv2.resize(film, lungs.soft.shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)
    for name, part in (("in", small[lungs.mask]), ("around", small[~lungs.mask])):
        upto = np.cumsum(np.bincount(part, minlength=256))
        for tenth, place in zip(TENTHS, np.searchsorted(upto, TENTHS * part.size), strict=True):
            assert looks[f"grey-{name}-lungs-{tenth:.2f}"] == round(float(GREYS[place]), 5)
    undecided = (lungs.soft > 25) & (lungs.soft < 230)
    assert looks["lungs-vagueness"] == round(float(undecided.sum() / lungs.mask.sum()), 5)
    assert looks["lungs-area"] == round(float(lungs.mask.mean()), 5)
