from pathlib import Path

import numpy as np
import pytest
import torch

from cxr_runtime.placement import Placement
from cxr_train.data.known import Known
from cxr_train.explain.attribution import METHODS, occlusion
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

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        square = x[:, 0, 30:40, 8:18].mean(dim=(1, 2))
        return torch.stack([torch.zeros_like(square), square], dim=1)


def test_occlusion_is_hot_where_the_network_looks(looker: Looker) -> None:
    looks_there = Network(
        torch.nn.Sequential(torch.nn.Identity()),
        torch.nn.Sequential(),
        torch.nn.Sequential(BrightnessOf()),
        conv5_layer="0",
        conv5_channels=3,
        new_layer="classifier.0",
    ).eval()
    film = np.full((48, 48), 20, np.uint8)
    film[28:42, 6:20] = 250
    seen = Looker(looks_there, looker.how, looker.recipe, "scratch", Known())
    found = occlusion(seen, ShownFilm(film, PLACEMENT, None))
    heat = PLACEMENT.heat_on_film(found.heat, found.cells, (48, 48))
    y, x = np.unravel_index(int(heat.argmax()), heat.shape)
    assert 28 <= y < 42
    assert 6 <= x < 20
