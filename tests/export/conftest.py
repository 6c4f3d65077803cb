"""A small network of the train package's kind, and films for it."""

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from cxr_export.films import ExportFilms
from cxr_export.trace import trace
from cxr_runtime.heat.map import HeatRecipe
from cxr_runtime.model.folder import Manifest
from cxr_runtime.model.preprocessing import Preprocessing
from cxr_runtime.placement import CellGrid
from cxr_train.networks import Network
from cxr_train.networks.custom import LocalResponseNorm

INPUT_HW = (33, 33)
CHANNELS = 12


@pytest.fixture
def network() -> Network:
    """The small network, in evaluation mode."""
    return _network()


@pytest.fixture(scope="session")
def traced() -> onnx.ModelProto:
    """The small network as an ONNX model; do not change it."""
    return trace(_network(), INPUT_HW)


def _network() -> Network:
    """conv - ReLU - LRN - pool - conv - batch norm - ReLU = conv5 - pool - dropout - linear."""
    torch.manual_seed(0)
    features = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2),
        nn.ReLU(inplace=True),
        LocalResponseNorm(alpha=0.1),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        nn.Conv2d(8, CHANNELS, 3, padding=1),
        nn.BatchNorm2d(CHANNELS),
        nn.ReLU(inplace=True),
    )
    pool = nn.Sequential(nn.MaxPool2d(2, 2), nn.AdaptiveAvgPool2d(4), nn.Flatten())
    classifier = nn.Sequential(nn.Dropout(0.5), nn.Linear(CHANNELS * 16, 2))
    network = Network(
        features, pool, classifier, conv5_layer="6", conv5_channels=CHANNELS, new_layer="classifier.1"
    ).eval()
    norm = features[5]
    assert isinstance(norm, nn.BatchNorm2d)
    nn.init.uniform_(norm.running_mean, -0.2, 0.2)  # type: ignore[arg-type]  # tracked, so not None
    nn.init.normal_(norm.bias)
    return network


@pytest.fixture
def manifest() -> Manifest:
    """What is known of the small network before it is exported."""
    heat = HeatRecipe((1.0,) * CHANNELS, 0.0, 1.0, 0.5, CellGrid(2.5, 4.0), "features.6", 1.0)
    return Manifest("small", "small", "", "fp32", Preprocessing(input_hw=INPUT_HW), heat, "Apache-2.0")


@pytest.fixture(scope="session")
def films() -> ExportFilms:
    """Smooth blobs on noise, half of them bright and called abnormal."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[: INPUT_HW[0], : INPUT_HW[1]] / INPUT_HW[0]
    centres, labels = rng.uniform(0.45, 0.55, (56, 2)), np.arange(56) % 2
    blobs = [
        (60 + 150 * label) * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 0.05) + rng.uniform(0, 20, INPUT_HW)
        for (cy, cx), label in zip(centres, labels, strict=True)
    ]
    drawn = np.stack(blobs).astype(np.uint8)
    return ExportFilms(drawn[:8], drawn[8:16], drawn[16:], labels[16:].astype(np.intp), "blobs")
