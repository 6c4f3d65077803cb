"""The gate network: one look at a thumbnail of the whole film."""

from dataclasses import dataclass

from torch import Tensor, nn

from cxr_runtime.gate.network import ANSWERS


@dataclass(frozen=True)
class GateWidths:
    """Channels after each halving of the resolution."""

    channels: tuple[int, ...] = (24, 40, 64, 96, 112)
    hidden: int = 128  # units between the last convolution and the answers


class GateNet(nn.Module):
    """A plain convolutional network with one linear head for all questions.

    Input: (B, 1, S, S) float32, standardised. Output: (B, ANSWERS) float32 logits, in the order of
    `cxr_runtime.gate.network`. The last map is not averaged away: where the heart lies is the question.
    """

    def __init__(self, side: int, widths: GateWidths | None = None) -> None:
        super().__init__()
        widths = widths or GateWidths()
        stem, *later = widths.channels
        layers: list[nn.Module] = _convolution(1, stem, 5, 2)
        before = stem
        for after in later:
            layers += [*_convolution(before, after, 3, 2), *_convolution(after, after, 3, 1)]
            before = after
        layers += _convolution(before, 48, 1, 1)
        self.features = nn.Sequential(*layers)
        cells = side // 2 ** len(widths.channels)
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(48 * cells * cells, widths.hidden),
            nn.ReLU(inplace=True),
            nn.Linear(widths.hidden, ANSWERS),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, 1, S, S) standardised film -> (B, ANSWERS) logits."""
        answers: Tensor = self.head(self.features(x))
        return answers


def _convolution(inputs: int, outputs: int, size: int, stride: int) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, size, stride=stride, padding=size // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    ]
