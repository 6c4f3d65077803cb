"""Heads that only training uses: they shape conv5 and are left out of an export."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional

from cxr_train.data.film import FINDINGS
from cxr_train.networks.network import gaussian_init, new_linear

SITES = 16  # hospitals that the site head can tell apart
SUBCELLS = 4  # the reconstruction head draws a square of 4 x 4 pixels for every conv5 cell


class PooledHead(nn.Module):
    """A linear layer on conv5's averages."""

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__()
        self.linear = new_linear(channels, outputs)

    def forward(self, conv5: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, outputs)."""
        predicted: Tensor = self.linear(conv5.mean(dim=(2, 3)))
        return predicted


class AdversaryHead(PooledHead):
    """A linear layer whose gradient is turned round, so that conv5 unlearns what the head learns."""

    def forward(self, conv5: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, outputs)."""
        turned: Tensor = _Reversal.apply(conv5)  # type: ignore[no-untyped-call]  # torch states no type
        return super().forward(turned)


class HeatHead(nn.Module):
    """One logit for every conv5 cell: is disease here? Its weights can be a manifest's heat recipe."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 1, 1, bias=False)
        self.bias = nn.Parameter(torch.tensor(-2.0))  # about one cell in eight, as boxes cover films
        gaussian_init(self.conv)

    def forward(self, conv5: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, h, w)."""
        cells: Tensor = self.conv(conv5)
        return cells[:, 0] + self.bias


class ReconstructionHead(nn.Module):
    """A coarse picture of the film as it was before it was blurred and cut out: learning without labels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, SUBCELLS * SUBCELLS, 1)

    def forward(self, conv5: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, SUBCELLS h, SUBCELLS w)."""
        return functional.pixel_shuffle(self.conv(conv5), SUBCELLS)[:, 0]


class _Reversal(Function):
    @staticmethod
    def forward(_: object, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(_: object, gradient: Tensor) -> Tensor:
        return -gradient


HEADS: dict[str, Callable[[int], nn.Module]] = {
    "findings": lambda channels: PooledHead(channels, len(FINDINGS)),
    "view": lambda channels: AdversaryHead(channels, 1),
    "site": lambda channels: AdversaryHead(channels, SITES),
    "sex": lambda channels: PooledHead(channels, 1),
    "age": lambda channels: PooledHead(channels, 1),
    "heat": HeatHead,
    "reconstruction": ReconstructionHead,
}
HEAD_OF = {
    "overlap": "heat",
    "teacher_heat": "heat",
    **{name: name for name in HEADS},
}  # the head that a term of the loss needs
