"""Training of the lung field network."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from cxr_runtime.progress import Progress
from cxr_train.one_cycle import Schedule, train
from cxr_train.segmentation.films import OutlinedFilm
from cxr_train.segmentation.network import LungNet
from cxr_train.segmentation.sampling import MILD, STRONG, draw_batch

SCHEDULE = Schedule(steps=2000, batch_size=16)
MILD_FROM = 0.75  # share of the steps from which on films are changed less


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
