"""The gate: nothing is scored that is not an upright frontal chest film with readable lungs."""

from dataclasses import dataclass, field, replace

import numpy as np

from cxr_runtime.film import Film, thumbnail
from cxr_runtime.gate.network import (
    TURN_CODES,
    TURNS,
    GateAnswers,
    GateNetwork,
    answer_reasons,
    mean_of_odds,
)
from cxr_runtime.gate.reasons import (
    CERTAIN,
    SUREST,
    Code,
    Reason,
    Remark,
    Weighing,
    check_tags,
    reject,
    sentence,
)
from cxr_runtime.gate.visibility import SIDE, check_size, exposure_reasons, lung_reasons
from cxr_runtime.gate.weighing import read_weighing
from cxr_runtime.lungs import LungField, LungMask, measured

# Probabilities from which a film is changed or looked at again; see docs/gate.md.
SURE_INVERSION = 0.9  # its polarity is changed
SURE_TURN = 0.99  # it is turned back, by the mean of a look at it as it lies and one at it turned back
DOUBT_MIRROR = 0.5  # of being mirrored: its mirror image is looked at, too


@dataclass(frozen=True)
class Righted:
    """A film with its polarity and its turn set right, and what the network says of it."""

    film: Film
    answers: GateAnswers
    mirrored: float  # probability that left and right changed places, of both looks where there were two
    remark: Remark | None  # what was set right


@dataclass(frozen=True)
class Doubts:
    """All that may speak against a film, once it is set right."""

    righted: Righted
    lungs: LungMask = field(repr=False)
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Admission:
    """A film that may be scored."""

    film: Film  # its polarity and its turn set right
    lungs: LungMask = field(repr=False)
    remark: Remark | None  # something to tell about a film that is scored all the same
    probability: float  # that it is one to score, 0..1


@dataclass(frozen=True)
class Gate:
    """Looks at a film before any score."""

    lung_field: LungField
    network: GateNetwork = field(default_factory=GateNetwork)
    weighing: Weighing = field(default_factory=read_weighing)

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
        doubts = self.doubts(film)
        probability = self.weighing.probability(doubts.reasons)
        if probability < self.weighing.least_probability:
            told = self.weighing.to_tell(doubts.reasons)
            raise reject(told.code, told.found, told.next_step, min(1 - probability, SUREST))
        remark, frames = doubts.righted.remark, film.facts.frames
        pages = _several(frames) if frames > 1 else None
        return Admission(
            doubts.righted.film, doubts.lungs, _both(remark, pages) if remark else pages, probability
        )

    def doubts(self, film: Film) -> Doubts:
        """Set a film right, and gather all that its pixels say against it."""
        righted = self._set_right(film)
        film = righted.film
        lungs = measured(self.lung_field.find(film.halved).soft, film.hw)
        small = thumbnail(film.halved, SIDE)
        reasons = (
            *exposure_reasons(film.pixels, small),
            *answer_reasons(righted.answers, righted.mirrored),
            *lung_reasons(small, lungs),
        )
        return Doubts(righted, lungs, reasons)

    def _set_right(self, film: Film) -> Righted:
        answers, remark = self.network.read(film.halved), None
        if answers.inverted >= SURE_INVERSION:
            film, remark = replace(film, pixels=255 - film.pixels), _inversion(answers.inverted)
            answers = self.network.read(film.halved)
        turn = int(np.argmax(answers.turns))
        if turn and answers.turns[turn] >= SURE_TURN:
            facts = replace(film.facts, turned_back=TURNS[turn])
            back = Film(np.ascontiguousarray(np.rot90(film.pixels, turn)), facts)
            again = self.network.read(back.halved)
            certainty = mean_of_odds(answers.turns[turn], again.turns[0])
            if certainty >= SURE_TURN:
                film, answers, told = back, again, _turned(TURNS[turn], certainty)
                remark = _both(remark, told) if remark else told
        mirrored = answers.mirrored
        if mirrored >= DOUBT_MIRROR:  # the network's opinion of the mirror image counts as much
            flipped = self.network.read(np.ascontiguousarray(film.pixels[:, ::-1]))
            mirrored = mean_of_odds(mirrored, 1 - flipped.mirrored)
        return Righted(film, answers, mirrored, remark)


def _several(frames: int) -> Remark:
    """A file of several pages or frames: the first one is examined and scored."""
    found = f"the file holds {frames} pictures and only the first was read"
    told = sentence(found, "give the others as files of their own", CERTAIN)
    return Remark(Code.SEVERAL_IMAGES, told, CERTAIN)


def _both(first: Remark, second: Remark | None) -> Remark:
    """One remark that says what two say, under the code of the first."""
    return first if second is None else replace(first, sentence=f"{first.sentence}. Also: {second.sentence}")


def _inversion(confidence: float) -> Remark:
    found = "the polarity was inverted and has been corrected before scoring"
    next_step = "check the file's photometric interpretation"
    return Remark(Code.POLARITY_INVERTED, sentence(found, next_step, confidence), confidence)


def _turned(degrees: int, confidence: float) -> Remark:
    found = f"the film lay turned by {degrees} degrees clockwise and has been turned back before scoring"
    next_step = "it is shown upright; check its side marker"
    return Remark(TURN_CODES[degrees], sentence(found, next_step, confidence), confidence)
