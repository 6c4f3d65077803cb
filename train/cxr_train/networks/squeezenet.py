"""SqueezeNet 1.1, with its own classifier or one that sees the evidence in single cells."""

import torch
from torch import Tensor, nn

from cxr_train.networks.architecture import Architecture
from cxr_train.networks.evidence import EVIDENCE, with_evidence
from cxr_train.networks.network import Network, gaussian_init, rectifier_init

DROPOUT = 0.5


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
        return with_evidence(features, "12", 512, dropout, architecture.pool)
    last = nn.Conv2d(512, 2, 1)
    gaussian_init(last)
    classifier = nn.Sequential(nn.Dropout(dropout), last, nn.AdaptiveAvgPool2d(1))
    return Network(
        features, nn.Sequential(), classifier, conv5_layer="12", conv5_channels=512, new_layer="classifier.1"
    )
