"""Where the cells of a network's last maps lie in its input, measured: by the pixels that move them."""

import math
from copy import deepcopy

import torch
from torch import Tensor, nn

from cxr_runtime.placement import CellGrid

HEIGHTS = (128, 256, 512, 1024)  # rows of the input that is tried, until two cells see no edge of it
WIDTH = 48  # columns of the same: one axis is measured, the other is taken to be like it
LEVEL = 1 / math.e  # of the strongest pixel; no share of path counts is that, so rounding decides nothing
AT_THE_EDGE = 0.01  # of the strongest pixel; what may reach the edge of the tallest input


def measured_cells(features: nn.Module) -> CellGrid:
    """Measure two neighbouring cells by their gradients in float64, every weight of a layer being the same.

    A cell's centre is that of the pixels that move it most. All poolings and branches count: a shortcut
    beside convolutions, or an average over the whole map, leaves the centre where it is.

    Args:
        features: (B, 3, H, W) -> (B, C, h, w). Poolings by maximum must be modules; they count as averages,
            as only one pixel would move a maximum.

    Raises:
        ValueError: a cell sees more than the tallest input that is tried.
    """
    network = _evened(features)
    for height in HEIGHTS:
        image = torch.ones(1, 3, height, WIDTH, dtype=torch.float64, requires_grad=True)
        maps = network(image)
        second = maps.shape[2] // 2
        moved = [_rows_that_move(maps, image, cell) for cell in (second - 1, second) if cell >= 0]
        allowed = AT_THE_EDGE if height == HEIGHTS[-1] else 0.0
        if len(moved) == 2 and all(max(rows[0], rows[-1]) <= allowed * rows.max() for rows in moved):
            before, after = (_centre(rows) for rows in moved)
            stride = after - before
            return CellGrid(after - stride * second, stride)
    raise ValueError(f"a cell of the network sees more than {HEIGHTS[-1]} rows; its place cannot be measured")


def _evened(features: nn.Module) -> nn.Module:
    """A copy whose layers weigh all that they see alike, and add nothing."""
    network = deepcopy(features).cpu().double().eval()
    for name, module in features.named_modules():
        if isinstance(module, nn.MaxPool2d):
            average = nn.AvgPool2d(module.kernel_size, module.stride, module.padding, module.ceil_mode)
            network.set_submodule(name, average)
        if isinstance(module, nn.ReLU6):  # beyond 6 nothing would move it any more
            network.set_submodule(name, nn.ReLU())
    with torch.no_grad():
        for name, weights in network.named_parameters():
            one = 1.0 if weights.ndim < 2 else 1.0 / weights[0].numel()
            weights.requires_grad_(False).fill_(0.0 if name.endswith("bias") else one)
        for name, values in network.named_buffers():
            values.fill_(float(name.endswith("running_var")))
    return network


def _rows_that_move(maps: Tensor, image: Tensor, cell: int) -> Tensor:
    """(H,) how far each row of the input moves a cell of the middle column."""
    answer = maps[0, :, cell, maps.shape[3] // 2].sum()
    return torch.autograd.grad(answer, image, retain_graph=True)[0].abs().sum(dim=(0, 1, 3))


def _centre(rows: Tensor) -> float:
    """The middle of the rows that move a cell most; row 0 covers 0..1, so its centre is 0.5."""
    most = torch.nonzero(rows >= LEVEL * rows.max()).flatten()
    return float(most[0] + most[-1] + 1) / 2
