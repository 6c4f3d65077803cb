"""The gate network, one look at a thumbnail of the whole film, and its training."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from cxr_runtime.gate.network import ANSWERS, CUT_OFF, INPUT_SIDE, INVERTED, MIRRORED, TURNS, PictureKind
from cxr_runtime.progress import Progress
from cxr_train.small.gate.pictures import Picture
from cxr_train.small.gate.sampling import Sampler
from cxr_train.small.training import Schedule, train

SCHEDULE = Schedule(steps=4000, batch_size=32, peak_rate=2e-3, weight_decay=1e-2, averaging=0.998)
SMOOTHING = 0.02  # of the labels of kinds and turns
CHANNELS = (24, 40, 64, 96, 112)  # after each halving of the resolution
HIDDEN = 128  # units between the last convolution and the answers


class GateNet(nn.Module):
    """A plain convolutional network with one linear head for all questions.

    Input: (B, 1, S, S) float32, standardised. Output: (B, ANSWERS) float32 logits, in the order of
    `cxr_runtime.gate.network`. The last map is not averaged away: where the heart lies is the question.
    """

    def __init__(self, side: int) -> None:
        super().__init__()
        stem, *later = CHANNELS
        layers: list[nn.Module] = _convolution(1, stem, 5, 2)
        before = stem
        for after in later:
            layers += [*_convolution(before, after, 3, 2), *_convolution(after, after, 3, 1)]
            before = after
        layers += _convolution(before, 48, 1, 1)
        self.features = nn.Sequential(*layers)
        cells = side // 2 ** len(CHANNELS)
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(48 * cells * cells, HIDDEN),
            nn.ReLU(inplace=True),
            nn.Linear(HIDDEN, ANSWERS),
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


def train_gate_net(pictures: list[Picture], schedule: Schedule, progress: Progress) -> GateNet:
    """Train on all the pictures given; on one thread the same arguments give the same network.

    Raises:
        CxrTriageError: the loss is not finite any more.
    """
    sampler = Sampler(pictures)

    def draw(rng: np.random.Generator, _: float) -> tuple[Tensor, Tensor]:
        return sampler.draw_batch(rng, schedule.batch_size)

    torch.manual_seed(schedule.seed)
    return train(GateNet(INPUT_SIDE), draw, answers_loss, schedule, progress)


def answers_loss(logits: Tensor, answers: Tensor) -> Tensor:
    """Sum of the cross-entropies of all questions that were asked.

    Args:
        logits: (B, ANSWERS).
        answers: (B, 5): kind, turn, mirrored, inverted, cut off; negative where not asked.
    """
    kinds, turns = logits[:, : len(PictureKind)], logits[:, len(PictureKind) : len(PictureKind) + len(TURNS)]
    loss = F.cross_entropy(kinds, answers[:, 0].long(), label_smoothing=SMOOTHING)
    asked = answers[:, 1] >= 0
    if asked.any():
        loss = loss + F.cross_entropy(turns[asked], answers[asked, 1].long(), label_smoothing=SMOOTHING)
    for column, place in ((2, MIRRORED), (3, INVERTED), (4, CUT_OFF)):
        asked = answers[:, column] >= 0
        if asked.any():
            found, wanted = logits[asked, place], answers[asked, column]
            loss = loss + F.binary_cross_entropy_with_logits(found, wanted)
    return loss
