"""The module that is exported: a network that gives its logits and its conv5, with LRN as one operator."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from cxr_train.networks import Network
from cxr_train.networks.lrn import LocalResponseNorm


class LogitsAndConv5(nn.Module):
    """A network without its training heads."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) float32 -> logits (B, 2), conv5 (B, C, h, w)."""
        conv5 = self.network.features(image)
        return self.network.classify(conv5), conv5


class OnnxLrn(nn.Module):
    """LocalResponseNorm as the ONNX operator LRN; can be traced, not run."""

    def __init__(self, source: LocalResponseNorm) -> None:
        super().__init__()
        if source.size % 2 == 0:
            raise ValueError(
                f"LRN over {source.size} channels: torch and ONNX centre an even window differently; "
                "use an odd one"
            )
        self.constants: dict[str, Any] = {
            "size": source.size,
            "alpha": float(source.alpha),
            "beta": float(source.beta),
            "bias": float(source.k),
        }

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> same shape."""
        return torch.onnx.ops.symbolic("LRN", (x,), self.constants, dtype=x.dtype, shape=x.shape)


@contextmanager
def onnx_lrn(network: nn.Module) -> Iterator[None]:
    """Within the block, every LocalResponseNorm of the network is traced as the one operator LRN.

    Raises:
        ValueError: an LRN has an even window, which ONNX would centre on another channel.
    """
    found = {
        name: module for name, module in network.named_modules() if isinstance(module, LocalResponseNorm)
    }
    replaced = {name: OnnxLrn(module) for name, module in found.items()}
    try:
        for name, operator in replaced.items():
            network.set_submodule(name, operator)
        yield
    finally:
        for name, module in found.items():
            network.set_submodule(name, module)
