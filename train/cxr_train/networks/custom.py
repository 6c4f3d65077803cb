"""The paper's customised network (paper, II.B), and its local response normalisation."""

from collections import OrderedDict
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from cxr_runtime.errors import UsageError
from cxr_train.networks.architecture import Architecture
from cxr_train.networks.network import Network, gaussian_init

FILTERS = (96, 128, 256, 256, 256)
KERNEL = 7
HEAD = (4096, 4096)
DROPOUT = 0.5
INIT_STD = 0.01


class LocalResponseNorm(nn.Module):
    """Divide each activation by the energy of its neighbouring channels (paper, II.B, after AlexNet).

    y = x / (k + alpha / size * sum of x^2 over `size` neighbouring channels) ** beta, with the window centred
    on the channel and cut at both ends. The paper states no constants; these are AlexNet's, alpha divided
    by the window as MATLAB (the paper's tool), torch and ONNX LRN all do it.
    """

    def __init__(self, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (B, C, h, w) over its channels; same shape out, float32 or, of float64, float64."""
        x = x if x.dtype == torch.float64 else x.float()  # squares overflow half precision
        below, above = self.size // 2, (self.size - 1) // 2
        squares = functional.pad(x * x, (0, 0, 0, 0, below, above))
        energy = squares[:, : x.shape[1]]
        for shift in range(1, self.size):
            energy = energy + squares[:, shift : shift + x.shape[1]]
        return x * torch.pow(self.k + self.alpha / self.size * energy, -self.beta)

    def extra_repr(self) -> str:
        """Its constants, as print(network) shows them."""
        return f"size={self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


def custom(architecture: Architecture) -> Network:
    """Five convolutions and three fully connected layers; 195.6 million parameters at 227 x 227 x 3.

    As the paper says: conv1 96 @ 7 x 7 stride 2, conv2 128, conv3 to conv5 256 @ 3 x 3, ReLU after each; LRN
    and a 3 x 3 / 2 max-pool after conv1 and conv2; fully connected 4096, 4096, 2; dropout 0.5 on the outputs
    of the first two of these; N(0, 0.01).

    Where the paper is silent: no padding before conv1 and one pixel before the others, so that only strides
    and pools shrink the maps (111, 55, 27, 13 cells); ReLU before LRN, LRN's constants, and a third 3 x 3 / 2
    max-pool after conv5, all as in AlexNet; no groups; zero biases at the start. Inputs are grey values of
    -127.5 .. 127.5: with weights drawn from N(0, 0.01) the signal would die out on inputs of unit variance.
    """
    filters, kernel = architecture.filters or FILTERS, architecture.kernel or KERNEL
    features = nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, filters[0], kernel, stride=2),
            relu1=nn.ReLU(inplace=True),
            norm1=LocalResponseNorm(),
            pool1=nn.MaxPool2d(3, 2),
            conv2=nn.Conv2d(filters[0], filters[1], 3, padding=1),
            relu2=nn.ReLU(inplace=True),
            norm2=LocalResponseNorm(),
            pool2=nn.MaxPool2d(3, 2),
            conv3=nn.Conv2d(filters[1], filters[2], 3, padding=1),
            relu3=nn.ReLU(inplace=True),
            conv4=nn.Conv2d(filters[2], filters[3], 3, padding=1),
            relu4=nn.ReLU(inplace=True),
            conv5=nn.Conv2d(filters[3], filters[4], 3, padding=1),
            relu5=nn.ReLU(inplace=True),
        )
    )
    pool = nn.Sequential(OrderedDict(pool5=nn.MaxPool2d(3, 2), flatten=nn.Flatten()))
    widths = (_pooled_size(architecture.input_hw, filters[4], kernel), *_hidden(architecture), 2)
    classifier = _fully_connected(widths, DROPOUT if architecture.dropout is None else architecture.dropout)
    last = f"classifier.fc{len(widths) + 4}"
    network = Network(
        features, pool, classifier, conv5_layer="relu5", conv5_channels=filters[4], new_layer=last
    )
    gaussian_init(network, INIT_STD)
    return network


def _hidden(architecture: Architecture) -> tuple[int, ...]:
    return HEAD if architecture.head is None else architecture.head


def _pooled_size(input_hw: tuple[int, int], channels: int, kernel: int) -> int:
    """Numbers that pool5 hands to fc6."""
    sides = [((((side - kernel) // 2 + 1) - 3) // 2 + 1 - 3) // 2 + 1 for side in input_hw]
    pooled = channels * ((sides[0] - 3) // 2 + 1) * ((sides[1] - 3) // 2 + 1)
    if min(sides) < 3 or pooled < 1:
        raise UsageError(
            f"an input of {input_hw[1]} x {input_hw[0]} is too small for custom with a kernel of {kernel}: "
            "nothing is left of it after three pools; give a larger --size"
        )
    return pooled


def _fully_connected(widths: tuple[int, ...], dropout: float) -> nn.Sequential:
    """fc6, fc7, fc8 and so on, with ReLU and dropout between them."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for depth, (inputs, outputs) in enumerate(pairwise(widths), start=6):
        if depth > 6:
            layers[f"relu{depth - 1}"] = nn.ReLU(inplace=True)
            layers[f"drop{depth - 1}"] = nn.Dropout(dropout)
        layers[f"fc{depth}"] = nn.Linear(inputs, outputs)
    return nn.Sequential(layers)
