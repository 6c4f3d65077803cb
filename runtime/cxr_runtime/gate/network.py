"""What the gate network says of a film: kind, turn, side, polarity, completeness."""

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.film import GreyPixels, standardised
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
