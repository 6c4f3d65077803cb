"""What speaks against a film, with what the user is told; what its tags alone say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import exp

from cxr_runtime.errors import RejectedFilmError
from cxr_runtime.film import FilmFacts, View


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
    OWN_RESULT = "own-result"
    FOR_PROCESSING = "for-processing"
    TOO_FEW_GREYS = "too-few-greys"
    SEVERAL_IMAGES = "several-images"  # a remark where a file has several pages: the first is scored


class Doubt(StrEnum):
    """What may speak against a film by its pixels. The first that is enough is told."""

    DARK = "dark"
    BRIGHT = "bright"
    OTHER = "other"  # lateral, several films, anything else
    PICTURED = "pictured"  # with its surroundings
    LYING = "lying"  # turned, or neither turned nor upright
    MIRRORED = "mirrored"
    CUT = "cut"  # lungs beyond the edge, by the network
    NO_LUNGS = "no-lungs"
    VAGUE_LUNGS = "vague-lungs"
    SMALL_LUNGS = "small-lungs"
    LOWER_EDGE = "lower-edge"  # lungs beyond the edge, by the lung field
    BLURRED = "blurred"
    FEW_GREYS = "few-greys"


CERTAIN = 1.0  # confidence in what a tag says or a count of pixels shows
SUREST = 0.999  # confidence that nothing judged by pixels exceeds: tests were not large enough
LEAST_ODDS = 50.0  # log odds against a film that are as good as any more
MOST_DOUBT = 1.5  # size of what is measured, at most: far beyond a bound is hardly surer than beyond it


@dataclass(frozen=True)
class Reason:
    """One thing that may speak against a film, and how much it does."""

    doubt: Doubt
    size: float  # 0 where it does not
    enough: float  # size from which on it is enough by itself
    code: Code
    found: str
    next_step: str


def measured_size(value: float, good: float, bad: float) -> float:
    """The size of a doubt that is measured: 0 as far as good films go, 1 at a bound beyond all of them.

    Args:
        value: what was measured.
        good: from here on it speaks against the film.
        bad: there the doubt is 1; above or below `good`.
    """
    return float(min(max((value - good) / (bad - good), 0.0), MOST_DOUBT))


@dataclass(frozen=True)
class Weighing:
    """A logistic model of doubts. None can speak for a film: without any, it is as likely as it can be."""

    base: float  # log odds of a film that nothing speaks against
    weights: Mapping[Doubt, float]  # log odds that a doubt of size 1 takes away, each 0 or more
    least_probability: float  # below it a film is not scored

    def probability(self, reasons: Iterable[Reason]) -> float:
        """The probability that a film is an upright frontal chest film with readable lungs, 0..1."""
        against = sum(self.weights[reason.doubt] * reason.size for reason in reasons)
        return 1 / (1 + exp(min(against - self.base, LEAST_ODDS)))

    def to_tell(self, reasons: Iterable[Reason]) -> Reason:
        """The reason that the user is given: the first that is enough by itself, or else the gravest."""
        in_order = sorted(reasons, key=lambda reason: list(Doubt).index(reason.doubt))
        enough = (reason for reason in in_order if reason.size >= reason.enough)
        return next(enough, max(in_order, key=lambda reason: self.weights[reason.doubt] * reason.size))


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
    sure = "" if confidence >= CERTAIN else f" (confidence {min(confidence, SUREST):.1%})"
    return f"{found}{sure}; {next_step}"


# Modality (PS3.3 C.7.3.1.1.1) of what may be a chest film: computed, digital and plain radiography, digitised
# films, secondary captures, and what some devices write instead. Others are certain to be something else.
FILM_MODALITIES = frozenset({"", "CR", "DX", "DR", "RG", "HC", "SC", "OT", "XR", "X-RAY", "RF", "DF"})
PHOTOGRAPH_MODALITIES = frozenset({"XC", "GM"})  # cameras

# Body Part Examined (PS3.16 CID 4, Annex L) of other parts. A value that is in neither list, such as a
# hospital's own, decides nothing: the pixels do.
OTHER_PARTS = frozenset((
    "ABDOMEN", "ACJOINT", "ANKLE", "ARM", "BLADDER", "BREAST", "CALCANEUS", "CALF", "CLAVICLE",
    "COCCYX", "COLON", "CSPINE", "CTSPINE", "ELBOW", "EXTREMITY", "EYE", "FACE", "FEMUR", "FINGER",
    "FOOT", "FOREARM", "HAND", "HEAD", "HIP", "HUMERUS", "JAW", "KIDNEY", "KNEE", "KUB", "LEG",
    "LOWERLEG", "LOWERLIMB", "LSPINE", "LSSPINE", "LUMBAR", "MANDIBLE", "MAXILLA", "NASALBONE",
    "NECK", "ORBIT", "PELVIS", "RADIUSULNA", "SACRUM", "SCAPULA", "SHOULDER", "SIJOINT", "SINUS",
    "SKULL", "SPINE", "TEETH", "THIGH", "THUMB", "TIBIAFIBULA", "TLSPINE", "TMJ", "TOE", "TOOTH",
    "TSPINE", "UPPERARM", "UPPERLIMB", "WRIST", "ZYGOMA",
))  # fmt: skip
YOUNGEST_ADULT = 15.0  # years; WHO recommends computer-aided detection from this age on (2021)
BABY = 2.0  # years, up to which an age is stated in months


def check_tags(facts: FilmFacts) -> None:
    """Reject a film whose tags say that it is none to score; tags that are missing say nothing.

    Raises:
        RejectedFilmError: not a chest film, a photograph, a result of ours, a lateral view, a child, or not
            made for the eye.
    """
    if facts.is_for_processing:
        raise reject(
            Code.FOR_PROCESSING,
            "the tags say that these are raw values of the detector (FOR PROCESSING)",
            "give the film FOR PRESENTATION, which the same machine makes of them",
            CERTAIN,
        )
    if facts.is_own_result:
        raise reject(
            Code.OWN_RESULT,
            "the tags say that cxr-triage itself made this picture, of another film",
            "give the film itself",
            CERTAIN,
        )
    if facts.modality in PHOTOGRAPH_MODALITIES:
        raise reject(
            Code.PHOTOGRAPHED,
            f"the tags say that this is a camera's picture (modality {facts.modality})",
            "give the film itself, as CR or DX",
            CERTAIN,
        )
    if facts.modality not in FILM_MODALITIES:
        raise _no_chest(f"the modality is {facts.modality}", "a chest film is CR, DX or DR")
    if "".join(filter(str.isalpha, facts.body_part.upper())) in OTHER_PARTS:
        raise _no_chest(f"the body part is {facts.body_part}", "if it is a chest, correct that tag")
    if facts.view is View.LATERAL:
        raise reject(
            Code.LATERAL,
            "the tags say that this is a lateral film",
            "only frontal ones (PA or AP) are scored",
            CERTAIN,
        )
    if facts.age_years is not None and facts.age_years < YOUNGEST_ADULT:
        raise reject(
            Code.CHILD,
            f"the patient is {_age(facts.age_years)} old by the tags",
            f"the model was made for patients of {YOUNGEST_ADULT:.0f} years and more: have the film read",
            CERTAIN,
        )


def _no_chest(found: str, next_step: str) -> RejectedFilmError:
    return reject(
        Code.NOT_A_CHEST_FILM, f"the tags say that this is not a chest film: {found}", next_step, CERTAIN
    )


def _age(years: float) -> str:
    """An age in whole units that have passed, as people state it."""
    if years >= BABY:
        return f"{int(years)} years"
    months = int(years * 12 + 1e-6)
    return "less than a month" if months < 1 else f"{months} month{'s' if months > 1 else ''}"
