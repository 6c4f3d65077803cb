"""SqueezeNet 1.1, with its own classifier or one that sees the evidence in single cells."""

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional

from cxr_train.networks.architecture import Architecture
from cxr_train.networks.heads import HeatHead
from cxr_train.networks.network import Network, gaussian_init, new_linear, rectifier_init

STRONGEST = "evidence-strongest"
EVIDENCE = ("evidence", STRONGEST)  # pools that this classifier is
SHARPNESS = 4.0  # of the soft maximum: 0 is the mean over cells, infinity the strongest cell alone
START_GAIN = 0.5
STRONGEST_SCALE = 0.25  # of each channel's strongest cell, some times as large as its average
DROPOUT = 0.5


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


class Fire(nn.Module):
    """Squeeze to few channels, then expand by 1 x 1 and 3 x 3 filters side by side (arXiv:1602.07360)."""

    def __init__(self, inputs: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeezed, 1)
        self.squeeze_activation = nn.ReLU(inplace=True)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)
        self.expand_activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, h, w) -> (B, 2 expanded, h, w)."""
        squeezed = self.squeeze_activation(self.squeeze(x))
        both = torch.cat([self.expand1x1(squeezed), self.expand3x3(squeezed)], dim=1)
        activated: Tensor = self.expand_activation(both)
        return activated


def squeezenet(architecture: Architecture) -> Network:
    """SqueezeNet 1.1 in torchvision's layout, two classes; conv5 is the output of fire9.

    The published classifier takes a ReLU before it averages; here the last 1 x 1 convolution is averaged as
    it is, so that logits may be negative and the class activation map is exact. With a pool of
    EVIDENCE the classifier is `Evidence`.
    """
    architecture.refuse_shape("filters", "kernel", "head")
    features = nn.Sequential(
        nn.Conv2d(3, 64, 3, stride=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        Fire(64, 16, 64),
        Fire(128, 16, 64),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        Fire(128, 32, 128),
        Fire(256, 32, 128),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        Fire(256, 48, 192),
        Fire(384, 48, 192),
        Fire(384, 64, 256),
        Fire(512, 64, 256),
    )
    rectifier_init(features)
    dropout = DROPOUT if architecture.dropout is None else architecture.dropout
    if architecture.pool in EVIDENCE:
        evidence = Evidence(512, dropout, strongest=architecture.pool == STRONGEST)
        return Network(
            features,
            nn.Sequential(),
            nn.Sequential(OrderedDict(evidence=evidence)),
            conv5_layer="12",
            conv5_channels=512,
            new_layer="classifier.evidence",
            evidence_layer="classifier.evidence.local",
        )
    last = nn.Conv2d(512, 2, 1)
    gaussian_init(last)
    classifier = nn.Sequential(nn.Dropout(dropout), last, nn.AdaptiveAvgPool2d(1))
    return Network(
        features, nn.Sequential(), classifier, conv5_layer="12", conv5_channels=512, new_layer="classifier.1"
    )
