"""The gate: nothing is scored that is not an upright frontal chest film with readable lungs."""

from dataclasses import dataclass, field, replace

import numpy as np

from cxr_runtime.film import Film
from cxr_runtime.gate.network import TURNS, GateAnswers, GateNetwork, PictureKind, mean_of_odds
from cxr_runtime.gate.reasons import CERTAIN, Code, Remark, check_tags, reject, sentence
from cxr_runtime.gate.visibility import (
    check_exposure,
    check_greys,
    check_lower_edge,
    check_lungs,
    check_sharpness,
    check_size,
)
from cxr_runtime.lungs import LungField, LungMask

# Probabilities from which a film is rejected; see docs/gate.md. Frames around films are common, so that a
# photograph of one must be surer than what is no frontal film at all.
SURE_OTHER = 0.2  # lateral, several films, anything else
SURE_PICTURED = 0.6  # with its surroundings
SURE_TURN = 0.9  # probability from which a film lies turned
SURE_UPRIGHT = 0.5  # probability of lying upright that a chest film has; those looked at have far more
DOUBT_MIRROR = 0.5  # probability of being mirrored from which a film's mirror image is looked at, too
SURE_MIRROR = 0.99  # probability from which it is mirrored; a heart on the right is rare, so this is high
SURE_INVERSION = 0.9  # probability from which its polarity is changed
SURE_CUT = 0.3  # probability from which the lungs are cut off
SURELY_CUT = 0.9  # probability from which that is said even where no clear lungs are left

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


@dataclass(frozen=True)
class Admission:
    """A film that may be scored."""

    film: Film  # its polarity set right
    lungs: LungMask = field(repr=False)
    remark: Remark | None  # something to tell about a film that is scored all the same


@dataclass(frozen=True)
class Gate:
    """Looks at a film before any score."""

    lung_field: LungField
    network: GateNetwork = field(default_factory=GateNetwork)

    def admit(self, film: Film) -> Admission:
        """Admit a film, or reject it.

        Raises:
            RejectedFilmError: it must not be scored; `code` is one of `Code`.
        """
        check_size(film.hw)
        check_tags(film.facts)
        return self.admit_by_pixels(film)

    def admit_by_pixels(self, film: Film) -> Admission:
        """Admit a film by its pixels alone, whatever its tags say.

        Raises:
            RejectedFilmError: it must not be scored.
        """
        check_exposure(film.pixels)
        answers = self.network.read(film.pixels)
        remark = _pages(film)
        if answers.inverted >= SURE_INVERSION:
            film, remark = _inverted(film), _both(_inversion(answers.inverted), remark)
            answers = self.network.read(film.pixels)
        _check_kind(answers)
        _check_upright(answers)
        self._check_side(film, answers)
        lungs = self.lung_field.find(film.pixels)
        _check_whole(answers, SURELY_CUT)
        check_lungs(lungs)
        _check_whole(answers, SURE_CUT)
        check_lower_edge(lungs)
        check_sharpness(film.pixels, lungs)
        check_greys(film.pixels)
        return Admission(film, lungs, remark)

    def _check_side(self, film: Film, answers: GateAnswers) -> None:
        """Where the network doubts the side, its opinion of the mirror image counts as much."""
        if answers.mirrored < DOUBT_MIRROR:
            return
        flipped = self.network.read(np.ascontiguousarray(film.pixels[:, ::-1]))
        mirrored = mean_of_odds(answers.mirrored, 1 - flipped.mirrored)
        if mirrored >= SURE_MIRROR:
            raise reject(
                Code.MIRRORED,
                "left and right seem to have changed places: the heart lies on the other side",
                "check the side marker; flip the film if it was mirrored",
                mirrored,
            )


def _check_kind(answers: GateAnswers) -> None:
    pictured = answers.kinds[PictureKind.PICTURED]
    no_film = 1 - answers.kinds[PictureKind.FRONTAL] - pictured
    if no_film < SURE_OTHER and pictured < SURE_PICTURED:
        return
    code, found, next_step = KIND_REASONS[_kind_to_name(answers)]
    raise reject(code, found, next_step, 1 - answers.kinds[PictureKind.FRONTAL])


def _kind_to_name(answers: GateAnswers) -> PictureKind:
    """The likeliest kind but a plain film; surroundings only where they are likelier than that, too."""
    has_surroundings = answers.kinds[PictureKind.PICTURED] > answers.kinds[PictureKind.FRONTAL]
    named = [kind for kind in KIND_REASONS if has_surroundings or kind is not PictureKind.PICTURED]
    return max(named, key=lambda kind: answers.kinds[kind])


def _check_upright(answers: GateAnswers) -> None:
    for turn, probability in zip(TURNS, answers.turns, strict=True):
        if turn and probability >= SURE_TURN:
            found = f"the film lies turned by {turn} degrees clockwise"
            raise reject(TURN_CODES[turn], found, "turn it back, then scan it again", probability)
    if answers.turns[0] < SURE_UPRIGHT:
        code, found, next_step = KIND_REASONS[PictureKind.OTHER]
        raise reject(code, found, next_step, 1 - answers.turns[0])


def _check_whole(answers: GateAnswers, sure: float) -> None:
    if answers.cut_off >= sure:
        raise reject(
            Code.LUNGS_CUT_OFF,
            "a good part of the lungs lies beyond the film's edge",
            "give a film that shows both lungs whole",
            answers.cut_off,
        )


def _pages(film: Film) -> Remark | None:
    """A file of several pages or frames: the first one is examined and scored."""
    if film.facts.frames <= 1:
        return None
    found = f"the file holds {film.facts.frames} pictures and only the first was read"
    told = sentence(found, "give the others as files of their own", CERTAIN)
    return Remark(Code.SEVERAL_IMAGES, told, CERTAIN)


def _both(first: Remark, second: Remark | None) -> Remark:
    """One remark that says what two say, under the code of the first."""
    return first if second is None else replace(first, sentence=f"{first.sentence}. Also: {second.sentence}")


def _inverted(film: Film) -> Film:
    return replace(film, pixels=255 - film.pixels)


def _inversion(confidence: float) -> Remark:
    found = "the polarity was inverted and has been corrected before scoring"
    next_step = "check the file's photometric interpretation"
    return Remark(Code.POLARITY_INVERTED, sentence(found, next_step, confidence), confidence)
