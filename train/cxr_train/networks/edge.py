"""Our own compact network of the paper's kind, for machines without a GPU."""

from collections import OrderedDict

from torch import nn

from cxr_train.networks.architecture import Architecture
from cxr_train.networks.network import Network, new_linear, rectifier_init

FILTERS = (24, 48, 96, 128, 160)
KERNEL = 7
DROPOUT = 0.2


def edge(architecture: Architecture) -> Network:
    """Five convolutions conv1..conv5 as in the paper, at a tenth of the cost of `custom`.

    170 million multiplications at 224 x 224 against 1,780 million at 227 x 227; 0.35 million parameters
    against 195.6. Differences from `custom`: fewer filters; batch normalisation, which melts into the
    convolutions on export, in place of LRN; a pool after conv3; and global average pooling with one linear
    layer in place of the fully connected ones, so that the class activation map is exact.
    """
    architecture.refuse_shape("head")
    filters, kernel = architecture.filters or FILTERS, architecture.kernel or KERNEL
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for depth, (inputs, outputs) in enumerate(zip((3, *filters), filters, strict=False), start=1):
        side, stride = (kernel, 2) if depth == 1 else (3, 1)
        layers[f"conv{depth}"] = nn.Conv2d(inputs, outputs, side, stride, side // 2, bias=False)
        layers[f"norm{depth}"] = nn.BatchNorm2d(outputs)
        layers[f"relu{depth}"] = nn.ReLU(inplace=True)
        if depth <= 3:
            layers[f"pool{depth}"] = nn.MaxPool2d(3, 2, padding=1)
    features = nn.Sequential(layers)
    rectifier_init(features)
    pool = nn.Sequential(OrderedDict(average=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten()))
    dropout = nn.Dropout(DROPOUT if architecture.dropout is None else architecture.dropout)
    classifier = nn.Sequential(OrderedDict(drop=dropout, linear=new_linear(filters[-1])))
    return Network(
        features,
        pool,
        classifier,
        conv5_layer="relu5",
        conv5_channels=filters[-1],
        new_layer="classifier.linear",
    )
