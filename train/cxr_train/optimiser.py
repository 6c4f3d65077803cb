"""The optimiser of a recipe, and its state as named tensors."""

from typing import Any

import torch
from torch import Tensor
from torch.optim import SGD, AdamW, Optimizer

from cxr_runtime.errors import UsageError
from cxr_train.networks import Network
from cxr_train.recipe import Recipe


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
