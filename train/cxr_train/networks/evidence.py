"""A classifier that sees the evidence in single cells of conv5, for networks that can have it."""

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional

from cxr_train.networks.heads import HeatHead
from cxr_train.networks.network import Network, new_linear

STRONGEST = "evidence-strongest"
EVIDENCE = ("evidence", STRONGEST)  # pools that this classifier is
SHARPNESS = 4.0  # of the soft maximum: 0 is the mean over cells, infinity the strongest cell alone
START_GAIN = 0.5
STRONGEST_SCALE = 0.25  # of each channel's strongest cell, some times as large as its average


class Evidence(nn.Module):
    """Logits from conv5's averages, and from a soft maximum of one logit a cell (Pinheiro 2015).

    The cells' logits are a HeatHead's, so boxes can teach them and their weights can be a manifest's heat
    recipe: the heat map then shows what moved the score.

    Args:
        channels: of conv5.
        dropout: before the linear layers.
        strongest: whether each channel's strongest cell counts beside its average.
    """

    def __init__(self, channels: int, dropout: float, strongest: bool = False) -> None:
        super().__init__()
        self.local = HeatHead(channels)
        self.drop = nn.Dropout(dropout)
        self.linear = new_linear(channels)
        self.strongest = new_linear(channels) if strongest else None
        self.gain = nn.Parameter(torch.tensor(START_GAIN))

    def forward(self, conv5: Tensor) -> Tensor:
        """(B, C, h, w) -> logits (B, 2) = [normal, abnormal]."""
        pooled: Tensor = self.linear(self.drop(functional.adaptive_avg_pool2d(conv5, 1).flatten(1)))
        if self.strongest is not None:
            strongest = functional.adaptive_max_pool2d(conv5, 1).flatten(1)
            pooled = pooled + self.strongest(self.drop(STRONGEST_SCALE * strongest))
        margin = self.gain * _soft_maximum(self.local(conv5).float()) / 2
        return pooled + torch.cat([-margin, margin], dim=1)


def _soft_maximum(cells: Tensor) -> Tensor:
    """(B, h, w) -> (B, 1) log of the mean of exp, by global poolings, which every ONNX opset has."""
    cells = cells[:, None]
    strongest = functional.adaptive_max_pool2d(cells, 1)
    others = functional.adaptive_avg_pool2d(torch.exp(SHARPNESS * (cells - strongest)), 1)
    return (strongest + torch.log(others) / SHARPNESS).flatten(1)


def with_evidence(
    features: nn.Sequential, conv5_layer: str, channels: int, dropout: float, pool: str
) -> Network:
    """A network with this classifier.

    Args:
        features: (B, 3, H, W) -> conv5.
        conv5_layer: name of the module in `features` whose output is conv5.
        channels: of conv5.
        dropout: before the linear layers.
        pool: one of EVIDENCE.
    """
    evidence = Evidence(channels, dropout, strongest=pool == STRONGEST)
    return Network(
        features,
        nn.Sequential(),
        nn.Sequential(OrderedDict(evidence=evidence)),
        conv5_layer=conv5_layer,
        conv5_channels=channels,
        new_layer="classifier.evidence",
        evidence_layer="classifier.evidence.local",
    )
