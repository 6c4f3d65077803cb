"""Where cells lie: as measured, and by arithmetic over the layers as a second opinion."""

from dataclasses import dataclass
from itertools import product

import pytest
import torch
from torch import Tensor, nn

from cxr_runtime.placement import CellGrid
from cxr_train.networks import NETWORKS, Architecture, alexnet_vgg, build_network
from cxr_train.networks.cells import measured_cells


@dataclass(frozen=True)
class ReceptiveField:
    """The squares of input pixels that the cells see; pixel 0 covers 0..1, so its centre is 0.5."""

    origin: float  # centre of cell 0's square
    stride: float  # distance of neighbouring cells' centres
    size: int  # side of the square


def receptive_field(features: nn.Module) -> ReceptiveField:
    """Follow the convolutions and poolings of a network in order.

    Of branches that run side by side, all but a fire module's would be counted twice.
    """
    origin, stride, size = 0.5, 1.0, 1
    for layer in features.modules():
        if isinstance(layer, nn.ZeroPad2d):
            origin -= stride * layer.padding[0]
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
            kernel, step, padding = _side(layer.kernel_size), _side(layer.stride), _side(layer.padding)
            origin += stride * ((kernel - 1) / 2 - padding)
            size += int(stride) * (kernel - 1)
            stride *= step
    return ReceptiveField(origin, stride, size)


def _side(value: object) -> int:
    """The one number of a square kernel, stride or padding."""
    side = value[0] if isinstance(value, tuple) else value
    if not isinstance(side, int):
        raise TypeError(f"layer states {value!r}; expected whole numbers of pixels")
    return side


class Residual(nn.Module):
    """A block of a ResNet: two convolutions, and a shortcut beside them."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1)
        self.norm = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, h, w) -> (B, outputs, h / stride, w / stride)."""
        return torch.relu(self.second(torch.relu(self.norm(self.first(x)))) + self.shortcut(x))


class Excited(nn.Module):
    """Channels weighted by what is seen anywhere on the film (squeeze and excitation)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> the same shape."""
        return x * torch.sigmoid(self.linear(x.mean(dim=(2, 3))))[:, :, None, None]


@pytest.mark.parametrize("name", NETWORKS)
def test_cells_are_measured_where_arithmetic_says_that_they_lie(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alexnet_vgg, "FILTERS", (1, 1, 1, 1, 1))
    network = build_network(Architecture(name, NETWORKS[name].preprocessing.input_hw))
    field = receptive_field(network.features)
    assert network.cells == CellGrid(field.origin, field.stride)


def test_a_pooling_by_average_counts() -> None:
    features = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.AvgPool2d(2), nn.Conv2d(4, 4, 3))
    field = receptive_field(features)
    assert measured_cells(features) == CellGrid(field.origin, field.stride) == CellGrid(5.5, 4.0)


def test_a_shortcut_beside_convolutions_is_not_counted_twice() -> None:
    stem = (nn.Conv2d(3, 4, 7, stride=2, padding=3), nn.MaxPool2d(3, 2, padding=1))
    features = nn.Sequential(*stem, Residual(4, 4, 1), Residual(4, 8, 2), Residual(8, 8, 2))
    assert measured_cells(features) == CellGrid(0.5, 16.0)


def test_what_a_cell_learns_of_the_whole_film_does_not_move_it() -> None:
    plain = nn.Sequential(nn.Conv2d(3, 4, 5, stride=4), nn.ReLU(), nn.Conv2d(4, 4, 3, stride=2))
    features = nn.Sequential(plain[0], nn.ReLU(), Excited(4), plain[2])
    assert measured_cells(features) == measured_cells(plain) == CellGrid(6.5, 8.0)


def test_the_network_measured_stays_as_it_is() -> None:
    network = build_network(Architecture("edge", (64, 64)))
    before = {name: values.clone() for name, values in network.state_dict().items()}
    assert network.cells.stride == 16
    assert all(values.equal(before[name]) for name, values in network.state_dict().items())


def test_a_network_without_neighbouring_cells_is_refused() -> None:
    with pytest.raises(ValueError, match="its place cannot be measured"):
        measured_cells(nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1)))


@pytest.mark.parametrize("name", NETWORKS)
def test_cells_react_to_the_pixels_of_their_receptive_field_and_to_no_others(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alexnet_vgg, "FILTERS", (1, 1, 1, 1, 1))
    side = 160 if name.startswith("vgg") else NETWORKS[name].preprocessing.input_hw[0]
    filters = (1, 1, 1, 1, 1) if name in ("custom", "edge") else None
    network = build_network(Architecture(name, (side, side), filters)).eval()
    for layer in network.features.modules():
        if isinstance(layer, nn.Conv2d):
            layer.weight.data.fill_(1 / layer.weight[0].numel())
            if layer.bias is not None:
                layer.bias.data.zero_()
    field = receptive_field(network.features)
    pixels = list(product((0, 90, side - 9), repeat=2))
    inputs = torch.zeros(len(pixels), 3, side, side)
    for number, (y, x) in enumerate(pixels):
        inputs[number, :, y, x] = 1e4
    with torch.inference_mode():
        reacts = network.features(inputs).amax(dim=1) > 0
    centres = field.origin + field.stride * torch.arange(reacts.shape[1])
    for number, (y, x) in enumerate(pixels):
        sees_y, sees_x = ((centres - (pixel + 0.5)).abs() <= (field.size - 1) / 2 for pixel in (y, x))
        assert torch.equal(reacts[number], sees_y[:, None] & sees_x[None, :])
