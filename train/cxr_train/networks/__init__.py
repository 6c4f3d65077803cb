"""Every network by its name: the one place that lists them."""

from collections.abc import Callable
from dataclasses import dataclass

from cxr_runtime.errors import UsageError
from cxr_runtime.model.preprocessing import Preprocessing
from cxr_train.networks.alexnet_vgg import alexnet, vgg16, vgg19
from cxr_train.networks.architecture import Architecture
from cxr_train.networks.custom import custom
from cxr_train.networks.edge import edge
from cxr_train.networks.evidence import EVIDENCE
from cxr_train.networks.heads import HEADS
from cxr_train.networks.lite import lite, own_name
from cxr_train.networks.network import Network, Outputs
from cxr_train.networks.squeezenet import squeezenet

__all__ = ["NETWORKS", "Architecture", "Network", "NetworkKind", "Outputs", "build_network", "network_kind"]

IMAGENET = Preprocessing()  # the runtime's defaults: 224 x 224, ImageNet's mean and deviation
PAPER = Preprocessing(
    input_hw=(227, 227),
    working_hw=(1024, 1024),  # (paper, II.A)
    clahe_clip=2.0,
    mean=(0.5, 0.5, 0.5),
    std=(1 / 255, 1 / 255, 1 / 255),  # grey values of -127.5 .. 127.5, see custom.py
)
LITE = Preprocessing(clahe_clip=2.0, mean=(127 / 255,) * 3, std=(128 / 255,) * 3)
COMPACT = Preprocessing(clahe_clip=2.0, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))


@dataclass(frozen=True)
class NetworkKind:
    """A network that can be asked for by name."""

    build: Callable[[Architecture], Network]
    preprocessing: Preprocessing  # what it is fed unless the recipe says otherwise
    published: str = ""  # address of its ImageNet weights, ends in `-` and the start of their sha256
    summary: str = ""  # one line for --help and tables
    own_name: Callable[[str], str] = str  # of a weight in a file of published weights, that of ours


_TORCH = "https://download.pytorch.org/models/"
NETWORKS: dict[str, NetworkKind] = {
    "custom": NetworkKind(custom, PAPER, summary="the paper's network, 195.6 M parameters"),
    "alexnet": NetworkKind(alexnet, IMAGENET, f"{_TORCH}alexnet-owt-7be5be79.pth", "AlexNet, 57 M"),
    "vgg16": NetworkKind(vgg16, IMAGENET, f"{_TORCH}vgg16-397923af.pth", "VGG16, 134 M"),
    "vgg19": NetworkKind(vgg19, IMAGENET, f"{_TORCH}vgg19-dcbb9e9d.pth", "VGG19, 140 M"),
    "squeezenet": NetworkKind(
        squeezenet, IMAGENET, f"{_TORCH}squeezenet1_1-b8a52dc0.pth", "SqueezeNet 1.1, 0.7 M"
    ),
    "lite": NetworkKind(
        lite, LITE, summary="EfficientNet-Lite0 up to its tenth block, 0.5 M", own_name=own_name
    ),
    "edge": NetworkKind(edge, COMPACT, summary="five convolutions at a tenth of custom's cost, 0.4 M"),
}
POOLED = {"squeezenet": EVIDENCE, "lite": EVIDENCE}  # networks and what else they can pool by


def network_kind(name: str) -> NetworkKind:
    """Look a network up.

    Raises:
        UsageError: there is no network of that name.
    """
    if name not in NETWORKS:
        raise UsageError(f"there is no network {name!r}; expected one of: {', '.join(NETWORKS)}")
    return NETWORKS[name]


def build_network(architecture: Architecture) -> Network:
    """Build a network with fresh weights, drawn from torch's current random state.

    Raises:
        UsageError: the name, a training head, or a shape is not one that can be built.
    """
    pools = (None, "average", *POOLED.get(architecture.network, ()))
    if architecture.pool not in pools:
        others = "; ".join(f"for {name} {' or '.join(more)}" for name, more in POOLED.items())
        raise UsageError(
            f"{architecture.network} cannot pool by {architecture.pool!r}; expected average, or {others}"
        )
    network = network_kind(architecture.network).build(architecture)
    unknown = [name for name in architecture.heads if name not in HEADS]
    if unknown:
        raise UsageError(f"there is no training head {unknown[0]!r}; expected some of: {', '.join(HEADS)}")
    new = [name for name in architecture.heads if name not in network.training_heads()]
    network.heads.update({name: HEADS[name](network.conv5_channels) for name in new})
    return network
