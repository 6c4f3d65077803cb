"""A running average of a network's weights, torch's own with a warm-up: steadier than the last step's."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

WARM_UP = 10  # steps after which the average forgets its start


def running_average(network: nn.Module, decay: float, steps: int = 0) -> AveragedModel:
    """An exponential moving average of a network (Polyak averaging), to be updated after every step.

    Args:
        network: the network that is trained; its copy, in evaluation mode, is `module`.
        decay: share of the average that a step keeps, 0 <= decay < 1; less during the first steps.
        steps: how many the average has seen; `module` then takes the weights that it had.
    """

    def move(averages: Any, weights: Any, seen: Tensor | int) -> None:
        """Move floats towards the network; counts such as those of batch normalisation are taken over."""
        count = int(seen)
        if torch.is_floating_point(averages[0]):
            keep = min(decay, count / (count + WARM_UP - 1))
            ema = get_ema_multi_avg_fn(keep)  # type: ignore[no-untyped-call]  # torch states no type
            ema(averages, weights, seen)
        else:
            for mine, new in zip(averages, weights, strict=True):
                mine.copy_(new)

    average = AveragedModel(network, multi_avg_fn=move, use_buffers=True)
    average.n_averaged.fill_(steps + 1)  # at 0, torch would replace the start by the first step's weights
    average.module.eval().requires_grad_(False)
    return average
