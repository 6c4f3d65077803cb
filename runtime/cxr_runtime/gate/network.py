"""What the gate network says of a film (kind, turn, side, polarity, whole or not), and what is against it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from math import exp, log, log1p
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.film import GreyPixels, standardised
from cxr_runtime.gate.reasons import Code, Doubt, Reason
from cxr_runtime.logits import sigmoid
from cxr_runtime.small_network import SmallNetwork

GATE_FILE = Path(__file__).parent / "gate.onnx"
INPUT_SIDE = 128  # rows and columns of the network's input, the whole film squashed


class PictureKind(IntEnum):
    """What the picture is; the order of the network's first answers."""

    FRONTAL = 0  # a frontal chest film, whichever way round
    LATERAL = 1  # a lateral chest film
    OTHER = 2  # anything else: other body parts, pieces of films, photographs of the world, pages, noise
    PICTURED = 3  # a film with its surroundings: photographed, or on a screen
    SEVERAL = 4  # several films in one picture


TURNS = (0, 90, 180, 270)  # degrees clockwise by which the film lies turned
_KINDS = slice(0, len(PictureKind))
_TURNS = slice(_KINDS.stop, _KINDS.stop + len(TURNS))
MIRRORED, INVERTED, CUT_OFF = range(_TURNS.stop, _TURNS.stop + 3)  # places of the yes-or-no answers
ANSWERS = CUT_OFF + 1


@dataclass(frozen=True)
class GateAnswers:
    """Probabilities, each 0..1."""

    kinds: tuple[float, ...]  # of each PictureKind, in its order; they add up to 1
    turns: tuple[float, ...]  # of each of TURNS, if it is a chest film; they add up to 1
    mirrored: float  # left and right changed places, if it is an upright frontal film
    inverted: float  # dense tissue is dark, if it is a chest film
    cut_off: float  # a good part of a lung lies beyond the film's edge, if it is an upright frontal film

    @property
    def kind(self) -> PictureKind:
        """The likeliest kind."""
        return PictureKind(int(np.argmax(self.kinds)))


@dataclass(frozen=True)
class GateNetwork:
    """Reads thumbnails; the file is opened at the first use."""

    path: Path = GATE_FILE

    def read(self, pixels: GreyPixels) -> GateAnswers:
        """Read a film; (rows, columns) uint8.

        Raises:
            OSError: the network's file is missing.
        """
        logits = SmallNetwork(self.path).run(standardised(pixels, INPUT_SIDE)[None, None])[0]
        logits = logits.astype(np.float64)
        mirrored, inverted, cut_off = sigmoid(logits[[MIRRORED, INVERTED, CUT_OFF]]).tolist()
        return GateAnswers(_softmax(logits[_KINDS]), _softmax(logits[_TURNS]), mirrored, inverted, cut_off)


def mean_of_odds(one: float, other: float) -> float:
    """The probability whose logit is the mean of two others', each 0..1."""
    for_it, against = np.sqrt(one * other), np.sqrt((1 - one) * (1 - other))
    return float(for_it / max(for_it + against, np.finfo(float).tiny))


def _softmax(logits: NDArray[np.float64]) -> tuple[float, ...]:
    shares = np.exp(logits - logits.max())
    return tuple(float(share) for share in shares / shares.sum())


NOTHING = 1e-6  # the least probability, and the most is 1 less that
# Probabilities from which on an answer counts. A heart that lies on the right is rare, and disease moves
# hearts, so that a mirror image must be more likely than not.
FROM = {Doubt.OTHER: 0.05, Doubt.PICTURED: 0.05, Doubt.LYING: 0.05, Doubt.MIRRORED: 0.5, Doubt.CUT: 0.05}
# Probabilities from which on an answer is enough by itself.
SURE = {Doubt.OTHER: 0.95, Doubt.PICTURED: 0.97, Doubt.LYING: 0.8, Doubt.MIRRORED: 0.997, Doubt.CUT: 0.95}
NAMED_TURN = 0.9  # probability from which a film is said to lie turned; below, it may be no chest film

KIND_REASONS = {
    PictureKind.LATERAL: (
        Code.LATERAL,
        "this looks like a lateral chest film",
        "only frontal ones (PA or AP) are scored",
    ),
    PictureKind.OTHER: (
        Code.NOT_A_CHEST_FILM,
        "this does not look like a chest film",
        "a frontal chest film was expected: have it looked at",
    ),
    PictureKind.PICTURED: (
        Code.PHOTOGRAPHED,
        "this looks like a photograph or screenshot of a film",
        "give the film's own file",
    ),
    PictureKind.SEVERAL: (
        Code.SEVERAL_IMAGES,
        "this looks like several films in one picture",
        "give each of them as a file of its own",
    ),
}
TURN_CODES = {90: Code.ROTATED_90, 180: Code.ROTATED_180, 270: Code.ROTATED_270}
SIDES_CHANGED = (
    Code.MIRRORED,
    "left and right seem to have changed places: the heart lies on the other side",
    "check the side marker; flip the film if it was mirrored",
)
CUT_OFF_LUNGS = (
    Code.LUNGS_CUT_OFF,
    "a good part of the lungs lies beyond the film's edge",
    "give a film that shows both lungs whole",
)


def doubt_size(probability: float, start: float) -> float:
    """The size of a doubt of which the network knows the probability.

    Args:
        probability: 0..1.
        start: the probability from which on it counts.

    Returns:
        softplus of the log odds above those of `start`: about 0 far below it, then the log odds.
    """
    within = min(max(probability, NOTHING), 1 - NOTHING)
    above = log(within / (1 - within)) - log(start / (1 - start))
    return max(above, 0.0) + log1p(exp(-abs(above)))


ENOUGH = {doubt: doubt_size(SURE[doubt], FROM[doubt]) for doubt in FROM}  # sizes


def answer_reasons(answers: GateAnswers, mirrored: float) -> Iterator[Reason]:
    """What the network says against a film.

    Args:
        answers: of a film whose polarity and turn are set right as far as they are certain.
        mirrored: the probability that left and right changed places, of both looks where there were two.
    """
    pictured, frontal = answers.kinds[PictureKind.PICTURED], answers.kinds[PictureKind.FRONTAL]
    other = 1 - frontal - pictured
    # Surroundings are named only where they are likelier than a plain film.
    named = [kind for kind in KIND_REASONS if kind is not PictureKind.PICTURED or pictured > frontal]
    kind = max(named, key=lambda kind: answers.kinds[kind])
    turn = TURNS[int(np.argmax(answers.turns))]
    lies = (f"the film seems to lie turned by {turn} degrees clockwise", "turn it back, then scan it again")
    is_turned = turn and max(answers.turns) >= NAMED_TURN
    for doubt, probability, told in (
        (Doubt.OTHER, other, KIND_REASONS[kind]),
        (Doubt.PICTURED, pictured, KIND_REASONS[PictureKind.PICTURED]),
        (
            Doubt.LYING,
            1 - answers.turns[0],
            (TURN_CODES[turn], *lies) if is_turned else KIND_REASONS[PictureKind.OTHER],
        ),
        (Doubt.MIRRORED, mirrored, SIDES_CHANGED),
        (Doubt.CUT, answers.cut_off, CUT_OFF_LUNGS if frontal > other else KIND_REASONS[kind]),
    ):
        yield Reason(doubt, doubt_size(probability, FROM[doubt]), ENOUGH[doubt], *told)
