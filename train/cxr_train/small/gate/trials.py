"""Films put to the gate on trial, good and bad, and the table of what became of them."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_calibration.statistics.intervals import wilson
from cxr_runtime.errors import RejectedFilmError
from cxr_runtime.film import Film, FilmFacts, resize
from cxr_runtime.gate import Code, Gate
from cxr_runtime.gate.network import TURN_CODES, TURNS, PictureKind
from cxr_runtime.gate.visibility import SHORTEST_SIDE
from cxr_runtime.markdown import markdown_table
from cxr_train.small.gate.composed import photograph, screen, several, whole_body
from cxr_train.small.gate.drawn import DRAWINGS, draw_abdomen
from cxr_train.small.gate.moving import WORK, fragment, move
from cxr_train.small.gate.pictures import ANIMAL, OTHER_PARTS_FOLDER, Picture, read_pixels
from cxr_train.small.gate.sampling import CALM_JITTER, LATERAL_JITTER, OTHER_JITTER
from cxr_train.small.variations import Jitter

ADMITTED = ""  # what is expected of a good film
SPOILED = 100  # frontal films, or a few more, that are spoiled in every way
VARIATIONS = 20  # of each lateral film
PLACEMENTS = 8  # of each picture of something else
DRAWN = 40  # of each kind of drawing
CUT_VISIBLE = 0.5  # share of a lung that a cut film still shows
BLURRED = 1 / 64  # standard deviation, share of the film's short side
BODIES = 60  # drawn whole bodies
TINY = "px64_"  # begins the names of collections of pictures of 64 x 64 pixels
ENLARGED = 4  # times that these are enlarged
OTHER_KINDS = {
    OTHER_PARTS_FOLDER: "DICOM sample of another body part",
    "test_files": "slice, scintigram or ultrasound",
    "data": "natural picture",
    "images": "natural picture",
}  # others bear the names of their collections
FEW_GREYS = 24  # levels of a film spoiled by them
CORRECTED = frozenset(
    {Code.POLARITY_INVERTED, *TURN_CODES.values()}
)  # of films that are set right and scored
STILL = Jitter(turn_degrees=0, zoom=(1, 1), stretch=0, shift=0, bend=0, flip=0)
HEAD = ("put to the gate", "films", "as expected", "share (95 % interval)", "rejected", "codes given")
PASSED = "passed"


@dataclass(frozen=True)
class Trial:
    """One film for the gate."""

    kind: str  # row of the table
    name: str  # picture it was made from
    film: Film = field(repr=False)
    expected: frozenset[str]  # codes that are right


def good_trials(pictures: list[Picture]) -> Iterator[Trial]:
    """The frontal films as they are, by collection."""
    for picture in pictures:
        if picture.kind is PictureKind.FRONTAL:
            kind = f"{picture.collection} {picture.view}".strip()
            yield _trial(kind, picture.name, read_pixels(picture), ADMITTED)


def bad_trials(pictures: list[Picture], rng: np.random.Generator) -> Iterator[Trial]:
    """Bad films of every kind, made from the pictures given."""
    frontal = [picture for picture in pictures if picture.kind is PictureKind.FRONTAL]
    for picture in frontal[:: max(1, len(frontal) // SPOILED)]:
        yield from _spoiled(picture, rng)
        yield from _composed(picture, pictures, rng)
    for picture in pictures:
        if picture.kind is PictureKind.LATERAL:
            yield from _laterals(picture, rng)
        elif picture.kind is not PictureKind.FRONTAL:
            yield from _others(picture, rng)
    for picture in frontal[:: max(1, len(frontal) // BODIES)]:
        film = move(rng, picture.pixels, CALM_JITTER)[0]
        body = _bytes(whole_body(rng, film, draw_abdomen(rng, WORK)))
        yield _trial("drawn: whole body", picture.name, body, Code.NOT_A_CHEST_FILM)
    for name, draw in DRAWINGS.items():
        for _ in range(DRAWN):
            codes = (Code.NOT_A_CHEST_FILM, Code.TOO_DARK, Code.TOO_BRIGHT)
            yield _trial(f"drawn: {name}", name, _bytes(draw(rng, 256)), *codes)


def _spoiled(picture: Picture, rng: np.random.Generator) -> Iterator[Trial]:
    pixels = read_pixels(picture)
    turn = int(rng.integers(1, len(TURNS)))
    turned = np.ascontiguousarray(np.rot90(pixels, -turn))
    yield _trial(
        f"turned by {TURNS[turn]} (to be turned back)", picture.name, turned, f"rotated-{TURNS[turn]}"
    )
    steps = np.asarray(np.round(pixels / 255 * (FEW_GREYS - 1)) * (255 / (FEW_GREYS - 1)), np.uint8)
    yield _trial("few grey levels", picture.name, steps, Code.TOO_FEW_GREYS)
    yield _trial("mirrored", picture.name, np.ascontiguousarray(pixels[:, ::-1]), Code.MIRRORED)
    yield _trial("inverted (to be corrected)", picture.name, 255 - pixels, Code.POLARITY_INVERTED)
    cut = _cut(picture, _grown(pixels), rng)
    yield _trial("lungs cut off", picture.name, cut, Code.LUNGS_CUT_OFF)
    sigma = BLURRED * min(pixels.shape)
    blurred = np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8)
    yield _trial("blurred", picture.name, blurred, Code.TOO_BLURRED)
    yield _trial("too dark", picture.name, np.asarray(pixels * 0.04, np.uint8), Code.TOO_DARK)
    yield _trial(
        "too bright", picture.name, 255 - np.asarray((255 - pixels) * 0.04, np.uint8), Code.TOO_BRIGHT
    )
    small = resize(pixels, (90, 90))
    yield _trial("too small", picture.name, small, Code.TOO_SMALL)
    piece = _bytes(fragment(rng, picture))
    yield _trial("piece of a film", picture.name, piece, Code.NOT_A_CHEST_FILM, Code.LUNGS_CUT_OFF)


def _composed(picture: Picture, pictures: list[Picture], rng: np.random.Generator) -> Iterator[Trial]:
    others = [other for other in pictures if other.kind is PictureKind.OTHER]
    films = [other for other in pictures if other.kind in (PictureKind.FRONTAL, PictureKind.LATERAL)]
    film = move(rng, picture.pixels, CALM_JITTER)[0]
    scene = move(rng, others[int(rng.integers(len(others)))].pixels, OTHER_JITTER)[0]
    yield _trial("photographed", picture.name, _bytes(photograph(rng, film, scene)), Code.PHOTOGRAPHED)
    yield _trial("screenshot", picture.name, _bytes(screen(rng, film)), Code.PHOTOGRAPHED)
    beside = [move(rng, films[int(i)].pixels, STILL)[0] for i in rng.integers(len(films), size=3)]
    page = _bytes(several(rng, [film, *beside]))
    yield _trial("several films on a page", picture.name, page, Code.SEVERAL_IMAGES)


def _laterals(picture: Picture, rng: np.random.Generator) -> Iterator[Trial]:
    kind = "animal thorax, lateral" if picture.name == ANIMAL else "lateral"
    codes = (Code.LATERAL, Code.NOT_A_CHEST_FILM)
    pixels = read_pixels(picture)
    yield _trial(kind, picture.name, pixels, *codes)
    yield _trial(f"{kind}, flipped", picture.name, np.ascontiguousarray(pixels[:, ::-1]), *codes)
    for _ in range(VARIATIONS):
        moved = _bytes(move(rng, picture.pixels, LATERAL_JITTER)[0])
        yield _trial(f"{kind}, {VARIATIONS} variations each", picture.name, moved, *codes)


def _others(picture: Picture, rng: np.random.Generator) -> Iterator[Trial]:
    kind = OTHER_KINDS.get(picture.collection, picture.collection)
    codes = (Code.NOT_A_CHEST_FILM, Code.TOO_DARK, Code.TOO_BRIGHT)
    pixels = read_pixels(picture)
    yield _trial(kind, picture.name, pixels, *codes)
    if kind.startswith(TINY):
        large = np.asarray(cv2.resize(pixels, None, fx=ENLARGED, fy=ENLARGED), np.uint8)
        yield _trial(f"{kind}, enlarged", picture.name, large, *codes)
    for _ in range(PLACEMENTS if picture.collection in OTHER_KINDS else 0):
        moved = _bytes(move(rng, picture.pixels, OTHER_JITTER)[0])
        yield _trial(f"{kind}, {PLACEMENTS} placements each", picture.name, moved, *codes)


def _cut(picture: Picture, pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Cut a film from one side until one lung is half gone."""
    lungs = picture.lungs if picture.lungs is not None else np.full_like(picture.pixels, 255)
    side = int(rng.integers(4))
    inside = np.rot90(lungs >= 128, side)
    middle = int(np.nonzero(inside)[1].mean())
    left = inside[:, :middle].sum(axis=0) if side % 2 == 0 else inside.sum(axis=0)
    gone = np.cumsum(left) / max(int(left.sum()), 1)
    cut = int(np.searchsorted(gone, 1 - CUT_VISIBLE)) / inside.shape[1]
    turned = np.rot90(pixels, side)
    return np.ascontiguousarray(np.rot90(turned[:, int(cut * turned.shape[1]) :], -side))


def _grown(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """At least 4 * SHORTEST_SIDE, so that a part of it is not too small."""
    times = -(-4 * SHORTEST_SIDE // min(pixels.shape))
    return pixels if times <= 1 else np.asarray(cv2.resize(pixels, None, fx=times, fy=times), np.uint8)


def _bytes(picture: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(h, w) shares as grey levels, at a size that the gate takes."""
    grown = cv2.resize(np.asarray(255 * picture, np.uint8), (2 * WORK, 2 * WORK))
    return np.asarray(grown, np.uint8)


def _trial(kind: str, name: str, pixels: NDArray[np.uint8], *expected: str) -> Trial:
    return Trial(kind, name, Film(pixels, FilmFacts("png")), frozenset(expected))


@dataclass(frozen=True)
class Answer:
    """What the gate made of a trial."""

    trial: Trial
    code: str  # of the rejection, or of the remark on an admitted film; "" if it simply passed
    is_rejected: bool

    @property
    def is_right(self) -> bool:
        """A good film passed, one to be set right was, a bad one was rejected, whatever the reason."""
        if self.trial.expected == {ADMITTED}:
            return not self.is_rejected
        if self.trial.expected <= CORRECTED:
            return not self.is_rejected and self.code in self.trial.expected
        return self.is_rejected


def ask(gate: Gate, trials: Iterable[Trial]) -> list[Answer]:
    """Put films to the gate."""
    return [_ask(gate, trial) for trial in trials]


def _ask(gate: Gate, trial: Trial) -> Answer:
    try:
        admission = gate.admit(trial.film)
    except RejectedFilmError as rejection:
        return Answer(trial, rejection.code, is_rejected=True)
    remark = admission.remark
    return Answer(trial, ADMITTED if remark is None else remark.code, is_rejected=False)


def markdown(answers: list[Answer]) -> str:
    """One row a kind, in the order in which kinds first came."""
    kinds = dict.fromkeys(answer.trial.kind for answer in answers)
    rows = [_row(kind, [answer for answer in answers if answer.trial.kind == kind]) for kind in kinds]
    return markdown_table(HEAD, rows) + "\n"


def _row(kind: str, answers: list[Answer]) -> tuple[str, ...]:
    right = sum(answer.is_right for answer in answers)
    share = wilson(right, len(answers))
    rejected = sum(answer.is_rejected for answer in answers)
    codes = Counter(answer.code or PASSED for answer in answers).most_common()
    given = ", ".join(f"{code} {count}" for code, count in codes)
    interval = f"{share.value:.2%} ({share.low:.1%} to {share.high:.1%})"
    return kind, f"{len(answers)}", f"{right}", interval, f"{rejected}", given


def wrong(answers: list[Answer]) -> str:
    """The films that did not end as expected, one a line: kind, name, code."""
    lines = [(answer.trial.kind, answer.trial.name, answer.code) for answer in answers if not answer.is_right]
    return "".join("\t".join(line) + "\n" for line in lines)
