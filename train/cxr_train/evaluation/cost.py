"""What a network costs: weights, arithmetic and time a film."""

import time
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor, nn

from cxr_train.networks import Network

BATCH = 8  # films at once, as a scan runs them
TRIES = 3  # batches that are timed; their median counts


@dataclass(frozen=True)
class Cost:
    """One network at one input size."""

    parameters: int
    multiply_adds: int  # of convolutions and fully connected layers, for one film
    megabytes: float  # of its weights as float32, 10^6 bytes
    milliseconds: float  # a film, by PyTorch on one processor thread, in batches of BATCH


def cost_of(network: Network, input_hw: tuple[int, int]) -> Cost:
    """Measure a network on blank films.

    Args:
        network: on the CPU; left in evaluation mode.
        input_hw: rows and columns of its input.
    """
    network.eval()
    used = (*network.features.parameters(), *network.classifier.parameters())
    parameters = sum(weights.numel() for weights in used)
    return Cost(parameters, _multiply_adds(network, input_hw), parameters * 4 / 1e6, _time(network, input_hw))


def _multiply_adds(network: Network, input_hw: tuple[int, int]) -> int:
    counted: list[int] = []

    def count(layer: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        assert isinstance(layer, nn.Conv2d | nn.Linear)
        counted.append(output.numel() * layer.weight[0].numel())

    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    try:
        _run(network, torch.zeros(1, 3, *input_hw))
    finally:
        for hook in hooks:
            hook.remove()
    return sum(counted)


def _time(network: Network, input_hw: tuple[int, int]) -> float:
    films, threads = torch.zeros(BATCH, 3, *input_hw), torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        _run(network, films)
        return median(_seconds(network, films) for _ in range(TRIES)) / BATCH * 1000
    finally:
        torch.set_num_threads(threads)


def _seconds(network: Network, films: Tensor) -> float:
    started = time.perf_counter()
    _run(network, films)
    return time.perf_counter() - started


def _run(network: Network, films: Tensor) -> None:
    """Without the heads that only training needs."""
    with torch.inference_mode():
        network.classify(network.features(films))
