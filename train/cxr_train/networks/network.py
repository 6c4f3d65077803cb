"""What every network is: features up to conv5, a classifier of two classes, and heads for training alone."""

from functools import cached_property
from typing import NamedTuple

from torch import Tensor, nn

from cxr_runtime.placement import CellGrid
from cxr_train.networks.cells import measured_cells


class Outputs(NamedTuple):
    """What a network says of one batch."""

    logits: Tensor  # (B, 2) = [normal, abnormal]
    conv5: Tensor  # (B, C, h, w), the last convolution's output after its ReLU if any, before any pooling
    auxiliary: dict[str, Tensor]  # what each training head says, by its name


class Network(nn.Module):
    """A network whose last convolution can be seen.

    Args:
        features: (B, 3, H, W) -> conv5.
        pool: conv5 -> what the classifier takes; without parameters.
        classifier: -> (B, 2) logits, or (B, 2, 1, 1).
        conv5_layer: name of the module in `features` whose output is conv5, e.g. `relu5`.
        conv5_channels: channels of conv5.
        new_layer: name of the layer that transfer learning replaces, e.g. `classifier.6`.
        evidence_layer: name of the classifier's own HeatHead, which is then the training head `heat` too.
    """

    def __init__(
        self,
        features: nn.Sequential,
        pool: nn.Sequential,
        classifier: nn.Sequential,
        *,
        conv5_layer: str,
        conv5_channels: int,
        new_layer: str,
        evidence_layer: str = "",
    ) -> None:
        super().__init__()
        self.features, self.pool, self.classifier = features, pool, classifier
        self.heads = nn.ModuleDict()  # training heads by name, each conv5 -> Tensor
        self.conv5_layer = f"features.{conv5_layer}"
        self.conv5_channels = conv5_channels
        self.new_layer = new_layer
        self.evidence_layer = evidence_layer

    def forward(self, x: Tensor, layers_behind: int = 0) -> Outputs:
        """Run everything on a normalised batch, (B, 3, H, W) float32.

        Args:
            x: the batch, or what its first layers have made of it.
            layers_behind: how many modules of `features` x has been through.
        """
        conv5 = (self.features[layers_behind:] if layers_behind else self.features)(x)
        said = {name: head(conv5) for name, head in self.training_heads().items()}
        return Outputs(self.classify(conv5), conv5, said)

    def training_heads(self) -> dict[str, nn.Module]:
        """What training compares with targets, by name; each conv5 -> Tensor."""
        own = {"heat": self.get_submodule(self.evidence_layer)} if self.evidence_layer else {}
        return {**self.heads, **own}

    def classify(self, conv5: Tensor) -> Tensor:
        """Conv5 (B, C, h, w) -> logits (B, 2) = [normal, abnormal]."""
        logits: Tensor = self.classifier(self.pool(conv5))
        return logits.flatten(1)

    @cached_property
    def cells(self) -> CellGrid:
        """Where conv5's cells lie in the network's input."""
        return measured_cells(self.features)

    def convolutions(self) -> dict[str, nn.Conv2d]:
        """Every convolution up to conv5 by its name, from the first to the last."""
        return {
            f"features.{name}": module
            for name, module in self.features.named_modules()
            if isinstance(module, nn.Conv2d)
        }


def new_linear(inputs: int, outputs: int = 2) -> nn.Linear:
    """A fresh fully connected layer, Gaussian (paper, II.B) with zero bias."""
    layer = nn.Linear(inputs, outputs)
    gaussian_init(layer)
    return layer


def rectifier_init(module: nn.Module) -> None:
    """Draw convolutions so that ReLU keeps the signal's size (He 2015), other layers from N(0, 0.01).

    A deep network that starts from scratch learns nothing from smaller weights.
    """
    gaussian_init(module)
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")


def gaussian_init(module: nn.Module, std: float = 0.01) -> None:
    """Draw every convolution and fully connected layer from N(0, std) with zero bias (paper, II.B)."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.normal_(layer.weight, std=std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
