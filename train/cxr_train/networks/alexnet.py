"""AlexNet for transfer learning (paper, II.C)."""

from torch import nn

from cxr_train.networks.architecture import Architecture
from cxr_train.networks.network import Network, rectifier_init

DROPOUT = 0.5


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
