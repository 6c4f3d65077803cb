"""The optimiser of a recipe, the learning rate of every step, and the running average of weights."""

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from cxr_runtime.errors import UsageError
from cxr_train.networks import Network
from cxr_train.recipe.recipe import Recipe

WARM_UP = 10  # steps after which the average forgets its start


@dataclass(frozen=True)
class Plateau:
    """What validation has shown so far."""

    best: float = -math.inf  # best figure, higher is better
    stale: int = 0  # epochs since
    drops: int = 0  # how often the rate was divided by ten

    def after(self, figure: float, recipe: Recipe) -> "Plateau":
        """What it is one epoch later: a rate that no longer helps is divided by ten (paper, II.B)."""
        if figure > self.best:
            return replace(self, best=figure, stale=0)
        stale = self.stale + 1
        if stale > recipe.patience and self.drops < recipe.drops:
            return replace(self, stale=0, drops=self.drops + 1)
        return replace(self, stale=stale)


def rate_factor(recipe: Recipe, step: int, steps: int, plateau: Plateau) -> float:
    """What the recipe's learning rate is multiplied by.

    Args:
        recipe: says which schedule.
        step: 0 <= step < steps, over all epochs.
        steps: of the whole run.
        plateau: what validation has shown so far.
    """
    warm = min(1.0, (step + 1) / (recipe.warmup_steps + 1))
    if recipe.schedule == "cosine":
        return warm * (0.5 + 0.5 * math.cos(math.pi * step / steps))
    return float(warm * 0.1**plateau.drops)


def freeze(network: Network, layers: int) -> None:
    """Keep the first modules of `features` as they are, running statistics included.

    Raises:
        UsageError: there are not so many.
    """
    if layers > len(network.features):
        raise UsageError(
            f"frozen_layers is {layers}; expected {len(network.features)} at most for this network"
        )
    for layer in list(network.features)[:layers]:
        layer.requires_grad_(False).eval()


def make_optimiser(network: Network, recipe: Recipe) -> Optimizer:
    """SGD with momentum and L2 (paper, II.B), or AdamW; the new layer may learn faster (paper, II.C)."""
    learning = [(name, weight) for name, weight in network.named_parameters() if weight.requires_grad]
    is_new = [name.startswith((f"{network.new_layer}.", "heads.")) for name, _ in learning]
    factors = ((False, 1.0), (True, recipe.new_layer_factor))
    groups: list[dict[str, Any]] = [
        {
            "params": [weight for (_, weight), new in zip(learning, is_new, strict=True) if new is wanted],
            "factor": factor,
        }
        for wanted, factor in factors
    ]
    if recipe.optimiser == "sgd":
        return SGD(groups, recipe.learning_rate, recipe.momentum, weight_decay=recipe.l2)
    return AdamW(groups, recipe.learning_rate, weight_decay=recipe.l2)


def set_rate(optimiser: Optimizer, rate: float) -> None:
    """Set the learning rate, a faster one in the new layer."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group["factor"]


def optimiser_tensors(optimiser: Optimizer) -> dict[str, Tensor]:
    """Its state, named `NUMBER.NAME` by parameter and quantity."""
    state: dict[int, dict[str, Any]] = optimiser.state_dict()["state"]
    return {
        f"{number}.{name}": torch.as_tensor(value)
        for number, quantities in state.items()
        for name, value in quantities.items()
        if value is not None
    }


def restore_optimiser(optimiser: Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put a state back that optimiser_tensors gave."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        number, name = key.split(".", 1)
        state.setdefault(int(number), {})[name] = tensor
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


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
