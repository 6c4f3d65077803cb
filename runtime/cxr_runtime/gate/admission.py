"""The gate: nothing is scored that is not an upright frontal chest film with readable lungs."""

from dataclasses import dataclass, field, replace

import numpy as np

from cxr_runtime.film import Film
from cxr_runtime.gate.anatomy import check_lower_edge, check_lungs, check_sharpness
from cxr_runtime.gate.exposure import check_exposure, check_size
from cxr_runtime.gate.reading import TURNS, GateNetwork, Kind, Reading, mean_of_odds
from cxr_runtime.gate.tags import check_tags
from cxr_runtime.gate.verdict import CERTAIN, Code, Verdict, reject, sentence
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
    Kind.LATERAL: (
        Code.LATERAL,
        "this looks like a lateral chest film",
        "only frontal ones (PA or AP) are scored",
    ),
    Kind.OTHER: (
        Code.NOT_A_CHEST_FILM,
        "this does not look like a chest film",
        "a frontal chest film was expected: have it looked at",
    ),
    Kind.PICTURED: (
        Code.PHOTOGRAPHED,
        "this looks like a photograph or screenshot of a film",
        "give the film's own file",
    ),
    Kind.SEVERAL: (
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
    remark: Verdict | None  # something to tell about a film that is scored all the same


@dataclass(frozen=True)
class Gate:
    """Looks at a film before any score."""

    lung_field: LungField
    network: GateNetwork = field(default_factory=GateNetwork)

    def examine(self, film: Film) -> Admission:
        """Admit a film, or reject it.

        Raises:
            RejectedFilmError: it must not be scored; `code` is one of `Code`.
        """
        check_size(film.hw)
        check_tags(film.facts)
        return self.examine_pixels(film)

    def examine_pixels(self, film: Film) -> Admission:
        """Admit a film by its pixels alone, whatever its tags say.

        Raises:
            RejectedFilmError: it must not be scored.
        """
        check_exposure(film.pixels)
        reading = self.network.read(film.pixels)
        remark = _pages(film)
        if reading.inverted >= SURE_INVERSION:
            film, remark = _inverted(film), _both(_inversion(reading.inverted), remark)
            reading = self.network.read(film.pixels)
        _check_kind(reading)
        _check_upright(reading)
        self._check_side(film, reading)
        lungs = self.lung_field.find(film.pixels)
        _check_whole(reading, SURELY_CUT)
        check_lungs(lungs)
        _check_whole(reading, SURE_CUT)
        check_lower_edge(lungs)
        check_sharpness(film.pixels, lungs)
        return Admission(film, lungs, remark)

    def _check_side(self, film: Film, reading: Reading) -> None:
        """Where the network doubts the side, its opinion of the mirror image counts as much."""
        if reading.mirrored < DOUBT_MIRROR:
            return
        flipped = self.network.read(np.ascontiguousarray(film.pixels[:, ::-1]))
        mirrored = mean_of_odds(reading.mirrored, 1 - flipped.mirrored)
        if mirrored >= SURE_MIRROR:
            raise reject(
                Code.MIRRORED,
                "left and right seem to have changed places: the heart lies on the other side",
                "check the side marker; flip the film if it was mirrored",
                mirrored,
            )


def examine(film: Film, lung_field: LungField) -> Admission:
    """Pass a film through the gate that came with the program; see `Gate.examine`."""
    return Gate(lung_field).examine(film)


def _check_kind(reading: Reading) -> None:
    pictured = reading.kinds[Kind.PICTURED]
    no_film = 1 - reading.kinds[Kind.FRONTAL] - pictured
    if no_film < SURE_OTHER and pictured < SURE_PICTURED:
        return
    code, found, next_step = KIND_REASONS[_kind_to_name(reading)]
    raise reject(code, found, next_step, 1 - reading.kinds[Kind.FRONTAL])


def _kind_to_name(reading: Reading) -> Kind:
    """The likeliest kind but a plain film; surroundings only where they are likelier than that, too."""
    has_surroundings = reading.kinds[Kind.PICTURED] > reading.kinds[Kind.FRONTAL]
    named = [kind for kind in KIND_REASONS if has_surroundings or kind is not Kind.PICTURED]
    return max(named, key=lambda kind: reading.kinds[kind])


def _check_upright(reading: Reading) -> None:
    for turn, probability in zip(TURNS, reading.turns, strict=True):
        if turn and probability >= SURE_TURN:
            found = f"the film lies turned by {turn} degrees clockwise"
            raise reject(TURN_CODES[turn], found, "turn it back, then scan it again", probability)
    if reading.turns[0] < SURE_UPRIGHT:
        code, found, next_step = KIND_REASONS[Kind.OTHER]
        raise reject(code, found, next_step, 1 - reading.turns[0])


def _check_whole(reading: Reading, sure: float) -> None:
    if reading.cut_off >= sure:
        raise reject(
            Code.LUNGS_CUT_OFF,
            "a good part of the lungs lies beyond the film's edge",
            "give a film that shows both lungs whole",
            reading.cut_off,
        )


def _pages(film: Film) -> Verdict | None:
    """A file of several pages or frames: the first one is examined and scored."""
    if film.facts.frames <= 1:
        return None
    found = f"the file holds {film.facts.frames} pictures and only the first was read"
    told = sentence(found, "give the others as files of their own", CERTAIN)
    return Verdict(Code.SEVERAL_IMAGES, told, CERTAIN)


def _both(first: Verdict, second: Verdict | None) -> Verdict:
    """One remark that says what two say, under the code of the first."""
    return first if second is None else replace(first, sentence=f"{first.sentence}. Also: {second.sentence}")


def _inverted(film: Film) -> Film:
    return replace(film, pixels=255 - film.pixels)


def _inversion(confidence: float) -> Verdict:
    found = "the polarity was inverted and has been corrected before scoring"
    next_step = "check the file's photometric interpretation"
    return Verdict(Code.POLARITY_INVERTED, sentence(found, next_step, confidence), confidence)
