import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from cxr_export.importing.impulse import measured_by_impulse
from cxr_runtime.errors import ModelError
from cxr_train.networks.cells import measured_cells

FILMS = np.random.default_rng(1).normal(0, 1, (2, 3, 128, 128)).astype(np.float32)


def run(network: nn.Module, films: NDArray[np.float32]) -> NDArray[np.float32]:
    with torch.no_grad():
        return np.asarray(network(torch.from_numpy(films)).numpy(), np.float32)


@pytest.mark.parametrize("padding", [0, 1])
def test_impulses_find_the_cells_that_gradients_find(padding: int) -> None:
    torch.manual_seed(0)
    features = nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, padding), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, 2, padding), nn.ReLU()
    ).eval()
    exact, found = measured_cells(features), measured_by_impulse(lambda films: run(features, films), FILMS)
    assert found.stride == exact.stride == 8
    assert found.origin == pytest.approx(exact.origin, abs=1.5)


def test_where_cells_are_measured_roughly_their_number_tells_how_far_apart_they_are() -> None:
    starts = (0, 16, 27, 48, 69, 80, 96, 112)  # of what each cell sees: two of the middle are 5 pixels off

    def rough(films: NDArray[np.float32]) -> NDArray[np.float32]:
        rows = np.stack([films[:, :, start : start + 16].mean(axis=2) for start in starts], axis=2)
        return np.stack([rows[..., start : start + 16].mean(axis=3) for start in starts], axis=3)

    found = measured_by_impulse(rough, FILMS)
    assert found.stride == 16
    assert found.origin == pytest.approx(7.5, abs=1.5)


def test_cells_that_lie_on_no_even_grid_are_refused() -> None:
    def shuffled(films: NDArray[np.float32]) -> NDArray[np.float32]:
        cells = films.reshape(len(films), 3, 8, 16, 8, 16).mean(axis=(3, 5))
        return np.ascontiguousarray(cells[:, :, [0, 4, 2, 6, 1, 5, 3, 7]])

    with pytest.raises(ModelError, match="off the even grid"):
        measured_by_impulse(shuffled, FILMS)
