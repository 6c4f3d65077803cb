"""A running average of a network's weights: steadier than the last step's."""

import copy

import torch

from cxr_train.networks import Network

WARM_UP = 10  # steps after which the average forgets its start


class RunningAverage:
    """Exponential moving average of a network (Polyak averaging).

    Args:
        network: the network that is trained.
        decay: share of the average that a step keeps, 0 <= decay < 1; less during the first steps.
    """

    def __init__(self, network: Network, decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, network: Network, step: int) -> None:
        """Move towards the network after one step; counts such as those of batch norm are taken over."""
        decay = min(self.decay, (1 + step) / (WARM_UP + step))
        for mean, new in zip(self.network.state_dict().values(), network.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(new, 1 - decay)
            else:
                mean.copy_(new)
