"""What the gate says of a film that is not simply admitted."""

from dataclasses import dataclass
from enum import StrEnum

from cxr_runtime.errors import RejectedFilmError


class Code(StrEnum):
    """Reasons of the gate, a contract of results.csv."""

    NOT_A_CHEST_FILM = "not-a-chest-film"
    LATERAL = "lateral"
    ROTATED_90 = "rotated-90"  # degrees clockwise, as it lies
    ROTATED_180 = "rotated-180"
    ROTATED_270 = "rotated-270"
    MIRRORED = "mirrored"
    POLARITY_INVERTED = "polarity-inverted"  # a remark: corrected, then scored
    LUNGS_CUT_OFF = "lungs-cut-off"
    TOO_DARK = "too-dark"
    TOO_BRIGHT = "too-bright"
    TOO_BLURRED = "too-blurred"
    TOO_SMALL = "too-small"
    PHOTOGRAPHED = "photographed-or-screenshot"
    CHILD = "child"
    FOR_PROCESSING = "for-processing"
    TOO_FEW_GREYS = "too-few-greys"
    SEVERAL_IMAGES = "several-images"  # a remark where a file has several pages: the first is scored


CERTAIN = 1.0  # confidence in what a tag says or a count of pixels shows
GOOD_FILMS = 2069  # on which bars were set that none of them reaches: nih512, nih1024, nlm128, jsrt224
# That one more good film, drawn like those, would be the first to reach such a bar: 1 in n + 1.
BEYOND_ALL = GOOD_FILMS / (GOOD_FILMS + 1)  # confidence in what is measured against one
SUREST_TOLD = 0.999  # no number above it is told: tests were not large enough


@dataclass(frozen=True)
class Remark:
    """One reason, with what the user is told."""

    code: Code
    sentence: str  # what was found, what was expected, what to do next; one line
    confidence: float  # 0..1


def reject(code: Code, found: str, next_step: str, confidence: float) -> RejectedFilmError:
    """The error that ends a film as `rejected`."""
    return RejectedFilmError(code.value, sentence(found, next_step, confidence), confidence)


def sentence(found: str, next_step: str, confidence: float) -> str:
    """One line: what was found, how sure that is where it is not certain, what to do next."""
    sure = "" if confidence >= CERTAIN else f" (confidence {min(confidence, SUREST_TOLD):.1%})"
    return f"{found}{sure}; {next_step}"
