"""The training of the small networks: AdamW over one cycle, averaged weights, and their ONNX file."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

import numpy as np
import torch
from torch import Tensor, nn

from cxr_runtime.atomic import write_bytes
from cxr_runtime.errors import CxrTriageError
from cxr_runtime.progress import Progress
from cxr_runtime.small_network import SmallNetwork
from cxr_train.loop.losses import has_bfloat16
from cxr_train.loop.optimiser import running_average
from cxr_train.tracing import traced

SAY_EVERY = 100  # steps
LARGEST_GRADIENT = 5.0  # norm at which gradients are cut

Net = TypeVar("Net", bound=nn.Module)
Draw = Callable[[np.random.Generator, float], tuple[Tensor, Tensor]]  # share done -> inputs, targets
Loss = Callable[[Tensor, Tensor], Tensor]  # outputs, targets -> scalar
WORST_DIFFERENCE = 1e-3  # of an output, between PyTorch and ONNX Runtime


@dataclass(frozen=True)
class Schedule:
    """How long and how fast a network learns."""

    steps: int  # batches
    batch_size: int
    peak_rate: float = 3e-3  # of AdamW, one cycle (Smith & Topin 2018)
    weight_decay: float = 1e-3
    averaging: float = 0.995  # of the weights, exponentially; the average is the result
    seed: int = 1


def train(network: Net, draw: Draw, loss_of: Loss, schedule: Schedule, progress: Progress) -> Net:
    """Train a network; on one thread the same arguments give the same weights.

    Args:
        network: freshly made after `torch.manual_seed`.
        draw: draws a batch.
        loss_of: the loss of a batch.
        schedule: how long and how fast.
        progress: hears of every step.

    Returns:
        The running average of the network's weights, in evaluation mode.

    Raises:
        CxrTriageError: the loss is not finite any more.
    """
    rng = np.random.default_rng(schedule.seed)
    average = running_average(network, schedule.averaging)
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=schedule.peak_rate, weight_decay=schedule.weight_decay
    )
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, schedule.peak_rate, total_steps=schedule.steps)
    network.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch states no such type
    progress.begin("training", schedule.steps)
    for step in range(schedule.steps):
        inputs, targets = draw(rng, step / schedule.steps)
        with torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16()):
            outputs = network(inputs.contiguous(memory_format=torch.channels_last))
        loss = loss_of(outputs.float(), targets)
        if not torch.isfinite(loss):
            raise CxrTriageError(f"the loss is {loss.item()} at step {step}; lower the rate and start again")
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch states no type
        torch.nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
        optimiser.step()
        cycle.step()
        average.update_parameters(network)
        progress.advance()
        if (step + 1) % SAY_EVERY == 0:
            progress.say(f"step {step + 1} of {schedule.steps}: loss {loss.item():.3f}")
    progress.end()
    return cast("Net", average.module)


def write_onnx(network: nn.Module, path: Path, side: int, output: str) -> None:
    """Export a network with one square grey input `film` (1, 1, side, side) and one output.

    Raises:
        CxrTriageError: ONNX Runtime disagrees with the network; no file is left.
    """
    network = network.eval()
    example = torch.randn(1, 1, side, side, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = network(example).numpy()
    write_bytes(path, traced(network, example, "film", [output]).SerializeToString())
    worst = float(np.abs(SmallNetwork(path).run(example.numpy()) - expected).max())
    if not worst < WORST_DIFFERENCE:
        path.unlink()
        raise CxrTriageError(f"{path.name}: ONNX Runtime and PyTorch differ by {worst:.2g}; it was not kept")
