"""AlexNet, VGG16 and VGG19 for transfer learning (paper, II.C)."""

from torch import nn

from cxr_train.networks.architecture import Architecture
from cxr_train.networks.network import Network, rectifier_init

DROPOUT = 0.5
FILTERS = (64, 128, 256, 512, 512)  # of the convolutions of each block
VGG16_DEPTHS = (2, 2, 3, 3, 3)  # convolutions of each block
VGG19_DEPTHS = (2, 2, 4, 4, 4)


def alexnet(architecture: Architecture) -> Network:
    """AlexNet in torchvision's layout, so that its published ImageNet weights load; two classes.

    That layout is Krizhevsky's of 2014 (arXiv:1404.5997): 64, 192, 384, 256, 256 filters and no LRN, where
    MATLAB's AlexNet, which the paper used, has 96, 256, 384, 384, 256 in two groups, with LRN. The paper's
    "last three layers" are fully connected, softmax and output: the first is new, the others are the loss.
    """
    architecture.refuse_shape("filters", "kernel", "head")
    features = nn.Sequential(
        nn.Conv2d(3, 64, 11, stride=4, padding=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, padding=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(384, 256, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(256, 256, 3, padding=1),
        nn.ReLU(inplace=True),
    )
    dropout = DROPOUT if architecture.dropout is None else architecture.dropout
    classifier = nn.Sequential(
        nn.Dropout(dropout),
        nn.Linear(256 * 6 * 6, 4096),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
        nn.Linear(4096, 4096),
        nn.ReLU(inplace=True),
        nn.Linear(4096, 2),
    )
    pool = nn.Sequential(nn.MaxPool2d(3, 2), nn.AdaptiveAvgPool2d(6), nn.Flatten())
    rectifier_init(features)
    rectifier_init(classifier)
    return Network(features, pool, classifier, conv5_layer="11", conv5_channels=256, new_layer="classifier.6")


def vgg16(architecture: Architecture) -> Network:
    """VGG16 in torchvision's layout; conv5 is the last convolution of the fifth block (conv5_3)."""
    return _vgg(architecture, VGG16_DEPTHS)


def vgg19(architecture: Architecture) -> Network:
    """VGG19 in torchvision's layout; conv5 is the last convolution of the fifth block (conv5_4)."""
    return _vgg(architecture, VGG19_DEPTHS)


def _vgg(architecture: Architecture, depths: tuple[int, ...]) -> Network:
    architecture.refuse_shape("filters", "kernel", "head")
    layers: list[nn.Module] = []
    inputs = 3
    for block, (outputs, depth) in enumerate(zip(FILTERS, depths, strict=True)):
        if block > 0:
            layers.append(nn.MaxPool2d(2, 2))
        for _ in range(depth):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(inplace=True)]
            inputs = outputs
    dropout = DROPOUT if architecture.dropout is None else architecture.dropout
    classifier = nn.Sequential(
        nn.Linear(512 * 7 * 7, 4096),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
        nn.Linear(4096, 4096),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
        nn.Linear(4096, 2),
    )
    pool = nn.Sequential(nn.MaxPool2d(2, 2), nn.AdaptiveAvgPool2d(7), nn.Flatten())
    last = str(len(layers) - 1)
    convolutions = nn.Sequential(*layers)
    rectifier_init(convolutions)
    rectifier_init(classifier)
    return Network(
        convolutions, pool, classifier, conv5_layer=last, conv5_channels=inputs, new_layer="classifier.6"
    )
