from pathlib import Path

import numpy as np
import pytest
import torch

from cxr_runtime.placement import Placement
from cxr_train.data.known import Known
from cxr_train.explain.attribution import METHODS, occlusion, prior_alone
from cxr_train.explain.looker import Looker, ShownFilm, open_lookers
from cxr_train.networks.network import Network
from drawn_data_sets import draw_film

PLACEMENT = Placement((48, 48), (0, 0, 48, 48), (48, 48))


@pytest.fixture
def looker(finished_run: Path) -> Looker:
    return open_lookers(finished_run)[0]


@pytest.mark.parametrize("method", METHODS)
def test_heat_is_finite_and_never_negative(method: str, looker: Looker) -> None:
    film, _ = draw_film(True, 0)
    heat = METHODS[method](looker, ShownFilm(film[8:56, 8:56], PLACEMENT, (8.0, 8.0, 40.0, 40.0))).heat
    assert heat.ndim == 2
    assert np.isfinite(heat).all()
    assert heat.min() >= 0


class BrightnessOf(torch.nn.Module):
    """A classifier that calls a film abnormal for the brightness of one square."""

    def __init__(self, rows: slice, columns: slice) -> None:
        super().__init__()
        self.rows, self.columns = rows, columns

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        square = x[:, 0, self.rows, self.columns].mean(dim=(1, 2))
        return torch.stack([torch.zeros_like(square), square], dim=1)


def looks_at(rows: slice, columns: slice) -> Network:
    return Network(
        torch.nn.Sequential(torch.nn.Identity()),
        torch.nn.Sequential(),
        torch.nn.Sequential(BrightnessOf(rows, columns)),
        conv5_layer="0",
        conv5_channels=3,
        new_layer="classifier.0",
    ).eval()


@pytest.mark.parametrize(
    ("hw", "bright", "looks"),
    [
        ((48, 48), (slice(28, 42), slice(6, 20)), (slice(30, 40), slice(8, 18))),
        ((48, 96), (slice(30, 40), slice(80, 90)), (slice(30, 40), slice(80, 90))),
    ],
    ids=["square", "wide"],
)
def test_occlusion_is_hot_where_the_network_looks(
    hw: tuple[int, int], bright: tuple[slice, slice], looks: tuple[slice, slice], looker: Looker
) -> None:
    placement = Placement(hw, (0, 0, hw[1], hw[0]), hw)
    film = np.full(hw, 20, np.uint8)
    film[bright] = 250
    seen = Looker(looks_at(*looks), looker.how, looker.recipe, "scratch", Known())
    found = occlusion(seen, ShownFilm(film, placement, None))
    heat = placement.heat_on_film(found.heat, found.cells, hw)
    y, x = np.unravel_index(int(heat.argmax()), heat.shape)
    assert bright[0].start <= y < bright[0].stop
    assert bright[1].start <= x < bright[1].stop


def test_the_prior_alone_covers_the_whole_width_of_an_input_that_is_not_square(looker: Looker) -> None:
    placement = Placement((48, 96), (0, 0, 96, 48), (48, 96))
    found = prior_alone(looker, ShownFilm(np.zeros((48, 96), np.uint8), placement, None))
    assert found.heat.shape[1] * found.cells.stride == 96
