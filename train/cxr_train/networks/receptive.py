"""Which pixels of its input a cell of conv5 sees, by arithmetic over the layers."""

from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class ReceptiveField:
    """The squares of input pixels that the cells see; pixel 0 covers 0..1, so its centre is 0.5."""

    origin: float  # centre of cell 0's square
    stride: float  # distance of neighbouring cells' centres
    size: int  # side of the square


def receptive_field(features: nn.Module) -> ReceptiveField:
    """Follow the convolutions and poolings of a network in order.

    Branches that run side by side must share stride and centre, as a fire module's do.

    Args:
        features: modules registered in the order they run.
    """
    origin, stride, size = 0.5, 1.0, 1
    for layer in features.modules():
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d):
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
