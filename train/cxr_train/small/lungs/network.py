"""The lung field network, a small U-Net at half its input's resolution, and its training."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (the name everyone gives it)

from cxr_runtime.progress import Progress
from cxr_train.small.lungs.sampling import MILD, STRONG, OutlinedFilm, draw_batch
from cxr_train.small.training import Schedule, train

WIDTHS = (16, 32, 48, 64, 64)  # channels at 1/2, 1/4, 1/8, 1/16 and 1/32 of the input
SCHEDULE = Schedule(steps=2000, batch_size=16)
MILD_FROM = 0.75  # share of the steps from which on films are changed less


class Convolutions(nn.Module):
    """Two 3 x 3 convolutions, each with batch normalisation and ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*_convolution(inputs, outputs), *_convolution(outputs, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, h, w) -> (B, outputs, h, w)."""
        result: Tensor = self.layers(x)
        return result


class LungNet(nn.Module):
    """U-Net (Ronneberger et al. 2015) with few channels; 0.4 million weights.

    Input: (B, 1, S, S) float32, S a multiple of 32, standardised. Output: (B, 1, S, S) float32 logits,
    positive inside the lungs. The first layer halves the resolution, the last one restores it by
    pixel shuffle: nothing is ever computed on the whole grid.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, WIDTHS[0], 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(WIDTHS[0]),
            nn.ReLU(inplace=True),
        )
        self.down = nn.ModuleList(
            Convolutions(before, after) for before, after in zip((WIDTHS[0], *WIDTHS), WIDTHS, strict=False)
        )
        self.up = nn.ModuleList(
            Convolutions(below + beside, beside)
            for below, beside in zip(WIDTHS[:0:-1], WIDTHS[-2::-1], strict=True)
        )
        self.head = nn.Conv2d(WIDTHS[0], 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 1, S, S) standardised film -> (B, 1, S, S) logits."""
        x = self.stem(x)
        levels: list[Tensor] = []
        for depth, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2) if depth else x)
            levels.append(x)
        for block, beside in zip(self.up, levels[-2::-1], strict=True):
            x = block(torch.cat([F.interpolate(x, scale_factor=2.0), beside], dim=1))
        return F.pixel_shuffle(self.head(x), 2)


def _convolution(inputs: int, outputs: int) -> tuple[nn.Module, nn.Module, nn.Module]:
    return (
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def train_lung_net(films: list[OutlinedFilm], schedule: Schedule, progress: Progress) -> LungNet:
    """Train on all the films given; on one thread the same arguments give the same network.

    Raises:
        CxrTriageError: the loss is not finite any more.
    """

    def draw(rng: np.random.Generator, done: float) -> tuple[Tensor, Tensor]:
        return draw_batch(rng, films, schedule.batch_size, MILD if done >= MILD_FROM else STRONG)

    torch.manual_seed(schedule.seed)
    return train(LungNet(), draw, overlap_loss, schedule, progress)


def overlap_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy plus one minus the soft Dice; (B, 1, S, S) each, targets in 0..1; a scalar."""
    found = torch.sigmoid(logits)
    overlap = (found * targets).sum(dim=(1, 2, 3))
    total = found.sum(dim=(1, 2, 3)) + targets.sum(dim=(1, 2, 3))
    dice = (2 * overlap + 1) / (total + 1)
    return F.binary_cross_entropy_with_logits(logits, targets) + (1 - dice).mean()
