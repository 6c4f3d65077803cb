"""From a PyTorch network to an ONNX model with logits and conv5, its LRN as one operator."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import onnx
import torch
from torch import Tensor, nn

from cxr_export.tidy import tidy
from cxr_runtime.backends.engine import CONV5, INPUT, LOGITS
from cxr_runtime.errors import ModelError
from cxr_train.networks import Network
from cxr_train.networks.custom import LocalResponseNorm
from cxr_train.tracing import traced

LARGEST_FILE = 2**31 - 2**20  # bytes; protobuf cannot hold 2 GiB


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


def trace(network: Network, input_hw: tuple[int, int]) -> onnx.ModelProto:
    """Export a network with inputs and outputs as in the contract; only the batch is dynamic.

    Args:
        network: any network of the train package; it is left in evaluation mode.
        input_hw: rows and columns of the input.

    Returns:
        A checked model, all float32: input `image` (B, 3, H, W), outputs `logits` (B, 2) and `conv5`
        (B, C, h, w).

    Raises:
        ModelError: the network is too large for one file, or became a model that is not valid.
    """
    wrapped = LogitsAndConv5(network).eval()
    with onnx_lrn(network):
        model = traced(wrapped, torch.zeros(2, 3, *input_hw), INPUT, [LOGITS, CONV5], any_batch=True)
    _refuse_too_large(network)
    return tidy(model)


def _refuse_too_large(network: Network) -> None:
    size = sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())
    if size > LARGEST_FILE:
        raise ModelError(
            f"the network holds {size / 2**30:.1f} GiB of weights, one ONNX file can hold 2 GiB; "
            "train a smaller one, or export with --precision fp16"
        )
