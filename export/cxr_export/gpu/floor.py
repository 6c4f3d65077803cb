"""The least time that a network can take on a device: its products and its bytes, at the device's rates."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import torch

from cxr_runtime.backends.engine import CONV5, INPUT, LOGITS
from cxr_runtime.backends.graph.half import COMPUTED
from cxr_runtime.backends.graph.messages import read_model, shapes_of

_HALF, _WHOLE = 2, 4  # bytes of a number
_TIMES = 10


@dataclass(frozen=True)
class Work:
    """What one network asks of a device."""

    flops: float  # a film: two for each multiplication of convolutions and products
    weight_bytes: int  # a batch: every weight once, in float16
    bus_bytes: int  # a film: its float32 input and both float32 outputs between host and device


@dataclass(frozen=True)
class Rates:
    """What one device can do, measured on it."""

    flops: float  # a second, in a large float16 product
    memory_bytes: float  # a second, read and written within the device
    bus_bytes: float  # a second, from page-locked host memory to the device


def work_of(onnx: bytes) -> Work:
    """The work of a float32 model whose shapes are written in its file.

    Raises:
        ValueError: the bytes are not an ONNX model.
    """
    graph = read_model(onnx).graph
    cells = {name: prod(size or 1 for size in shape[2:]) for name, shape in shapes_of(graph).items()}
    moved = sum(prod(size or 1 for size in shapes_of(graph)[name]) for name in (INPUT, LOGITS, CONV5))
    weights = {tensor.name: prod(tensor.dims) for tensor in graph.initializer}
    products = [node for node in graph.node if node.op_type in COMPUTED]
    return Work(
        # two for each weight at each place where it is used
        flops=float(sum(2 * weights[node.input[1]] * cells[node.output[0]] for node in products)),
        weight_bytes=_HALF * sum(weights.values()),
        bus_bytes=_WHOLE * moved,
    )


def least_seconds(work: Work, rates: Rates, batch: int) -> float:
    """Time of a batch in which computing, reading weights and copying overlap perfectly."""
    return max(
        batch * work.flops / rates.flops,
        work.weight_bytes / rates.memory_bytes,
        batch * work.bus_bytes / rates.bus_bytes,
    )


def measure_rates(device: str, side: int = 8192) -> Rates:
    """Measure a device with a product of two square float16 matrices, and with copies of one of them.

    Args:
        device: as PyTorch names it.
        side: rows and columns of the matrices.
    """
    host = torch.zeros(side, side, dtype=torch.float16, pin_memory=device != "cpu")
    one = torch.rand(side, side, device=device).half()
    other = torch.empty_like(one)
    size = one.numel() * _HALF
    return Rates(
        flops=2 * side**3 / _seconds(lambda: torch.mm(one, one, out=other), device),
        memory_bytes=2 * size / _seconds(lambda: other.copy_(one), device),
        bus_bytes=size / _seconds(lambda: other.copy_(host, non_blocking=True), device),
    )


def _seconds(work: Callable[[], object], device: str) -> float:
    """Mean time of a piece of work, once it has run warm."""
    work()
    _wait(device)
    started = time.perf_counter()
    for _ in range(_TIMES):
        work()
    _wait(device)
    return (time.perf_counter() - started) / _TIMES


def _wait(device: str) -> None:
    if device != "cpu":
        torch.cuda.synchronize()
