import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_runtime.errors import UsageError
from cxr_runtime.film import View
from cxr_runtime.lungs import lung_field
from cxr_runtime.phantom import OpacitySpot, draw_phantom
from cxr_runtime.phantom.body import draw_lots
from cxr_runtime.phantom.canvas import Canvas
from cxr_runtime.phantom.tissue import lung_area


def _drawn_lungs(seed: int, view: View, hw: tuple[int, int]) -> NDArray[np.bool_]:
    body = draw_lots(np.random.default_rng(seed), view, male=True)
    return np.asarray(lung_area(Canvas(hw), body) > 0.5)


def _dice(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


@pytest.mark.parametrize("name", ["unet", "atlas"])
@pytest.mark.parametrize("view", [View.PA, View.AP])
def test_the_lungs_of_a_phantom_are_found(name: str, view: View) -> None:
    film = draw_phantom(3, view=view)
    found = lung_field(name).find(film).over_film(film.shape)
    assert _dice(found, _drawn_lungs(3, view, film.shape)) > 0.85


def test_a_dense_opacity_does_not_eat_the_mask() -> None:
    clear = lung_field().find(draw_phantom(5))
    dense = lung_field().find(draw_phantom(5, opacity=OpacitySpot(x=0.27, y=0.45, radius=0.12, density=1.0)))
    assert _dice(clear.mask, dense.mask) > 0.9


def test_a_tall_film_s_mask_is_found_at_its_own_proportions() -> None:
    film = draw_phantom(7, hw=(700, 520))
    lungs = lung_field().find(film)
    assert lungs.over_film(film.shape).shape == (700, 520)
    assert lungs.box_film_xyxy is not None
    x0, y0, x1, y1 = lungs.box_film_xyxy
    assert 0 <= x0 < x1 <= 520
    assert 0 <= y0 < y1 <= 700
    assert len(lungs.outlines) == 2


def test_the_same_film_gives_the_same_mask_bit_for_bit() -> None:
    film = draw_phantom(11)
    first, second = lung_field().find(film), lung_field().find(film)
    np.testing.assert_array_equal(first.soft, second.soft)


@pytest.mark.parametrize("tone", [0, 128, 255])
@pytest.mark.parametrize("name", ["unet", "atlas"])
def test_a_blank_film_is_no_error(name: str, tone: int) -> None:
    lung_field(name).find(np.full((300, 200), tone, np.uint8))


def test_an_unknown_lung_field_names_those_there_are() -> None:
    with pytest.raises(UsageError, match="unet, atlas"):
        lung_field("snake")


def test_importing_the_lung_field_and_the_gate_loads_no_inference_library() -> None:
    code = "import sys, cxr_runtime.gate, cxr_runtime.lungs; sys.exit('onnxruntime' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
