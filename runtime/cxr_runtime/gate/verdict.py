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
    SEVERAL_IMAGES = "several-images"  # a remark where a file has several pages: the first is scored


@dataclass(frozen=True)
class Verdict:
    """One reason, with what the user is told."""

    code: Code
    sentence: str  # what was found, what was expected, what to do next; one line
    confidence: float  # 0..1; 1 where it is certain, as from a tag or a count of pixels


def reject(code: Code, found: str, next_step: str, confidence: float = 1.0) -> RejectedFilmError:
    """The error that ends a film as `rejected`; its sentence states the confidence where it is not 1."""
    return RejectedFilmError(code.value, sentence(found, next_step, confidence))


def sentence(found: str, next_step: str, confidence: float) -> str:
    """One line: what was found, how sure that is, what to do next."""
    sure = "" if confidence >= 1 else f" (confidence {min(confidence, 0.999):.1%})"
    return f"{found}{sure}; {next_step}"
