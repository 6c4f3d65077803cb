"""What speaks against a film, with what the user is told; what its tags alone say."""

from dataclasses import dataclass
from enum import StrEnum

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
