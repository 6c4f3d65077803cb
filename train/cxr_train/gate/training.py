"""Training of the gate network."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from cxr_runtime.gate.network import CUT_OFF, INPUT_SIDE, INVERTED, MIRRORED, TURNS, PictureKind
from cxr_runtime.progress import Progress
from cxr_train.gate.network import GateNet
from cxr_train.gate.pictures import Picture
from cxr_train.gate.sampling import Sampler
from cxr_train.one_cycle import Schedule, train

SCHEDULE = Schedule(steps=4000, batch_size=32, peak_rate=2e-3, weight_decay=1e-2, averaging=0.998)
SMOOTHING = 0.02  # of the labels of kinds and turns


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
