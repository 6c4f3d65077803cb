"""The stream of pictures that the gate network learns from, each with its answers."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cxr_runtime.film import standardised
from cxr_runtime.gate.network import INPUT_SIDE, TURNS, PictureKind
from cxr_train.small.gate.composed import collimate, on_a_page, photograph, screen, several, whole_body
from cxr_train.small.gate.drawn import DRAWINGS, draw_abdomen
from cxr_train.small.gate.moving import WORK, Grey, fragment, move, scramble, visible_shares
from cxr_train.small.gate.pictures import Picture
from cxr_train.small.variations import Jitter, change_appearance

NOT_ASKED = -1.0  # an answer that has no meaning for a picture
WHOLE, CUT = 0.85, 0.65  # share of the less visible lung from which on it is whole, and down from which cut
LITTLE = 0.25  # share of both lungs below which a film shows something else than the chest
COLLIMATED = 0.25  # share of frontal films that get a frame
ON_A_PAGE = 0.06  # share of frontal films that fill a part of a page only
PLACED = 0.5  # share of drawings that are moved within their frame
FRONTAL_JITTER = Jitter(
    turn_degrees=12, zoom=(0.5, 1.5), stretch=0.25, shift=0.12, bend=0.01, flip=0, cut=0.3
)
LATERAL_JITTER = Jitter(turn_degrees=15, zoom=(0.7, 1.5), stretch=0.35, shift=0.12, bend=0.03, flip=0.5)
OTHER_JITTER = Jitter(turn_degrees=40, zoom=(0.7, 2.5), stretch=0.4, shift=0.2, bend=0.02, flip=0.5)
SCREEN_JITTER = Jitter(turn_degrees=2, zoom=(0.9, 1.6), stretch=0.2, shift=0.1, bend=0, flip=0)
CALM_JITTER = Jitter(turn_degrees=5, zoom=(0.9, 1.15), stretch=0.1, shift=0.04, bend=0.01, flip=0.5)


@dataclass(frozen=True)
class Sample:
    """A picture and what the network should answer; NOT_ASKED where a question has no meaning."""

    pixels: Grey
    kind: PictureKind
    turn: float = NOT_ASKED  # index into TURNS
    mirrored: float = NOT_ASKED
    inverted: float = NOT_ASKED
    cut_off: float = NOT_ASKED


class _Pile:
    """The pictures of one kind. Collections are drawn from by the roots of their sizes: none is all, none
    is lost."""

    def __init__(self, pictures: list[Picture], kind: PictureKind) -> None:
        self.pictures = [picture for picture in pictures if picture.kind is kind]
        sizes = Counter(picture.collection for picture in self.pictures)
        shares = np.array([sizes[picture.collection] ** -0.5 for picture in self.pictures])
        self.up_to = np.cumsum(shares / shares.sum())

    def draw(self, rng: np.random.Generator) -> Picture:
        found = int(np.searchsorted(self.up_to, rng.random(), side="right"))
        return self.pictures[min(found, len(self.pictures) - 1)]


class Sampler:
    """Draws samples from a set of pictures.

    Args:
        pictures: of the kinds frontal, lateral and other, lungs given on the frontal ones.
    """

    def __init__(self, pictures: list[Picture]) -> None:
        self.frontal = _Pile(pictures, PictureKind.FRONTAL)
        self.lateral = _Pile(pictures, PictureKind.LATERAL)
        self.other = _Pile(pictures, PictureKind.OTHER)
        self.screens = _Pile(pictures, PictureKind.PICTURED)
        self.makers = (
            (self.draw_frontal, 0.48),
            (self.draw_lateral, 0.14),
            (self.draw_other, 0.19),
            (self.draw_pictured, 0.13),
            (self.draw_several, 0.06),
        )

    def draw_batch(self, rng: np.random.Generator, size: int) -> tuple[Tensor, Tensor]:
        """Draw samples.

        Returns:
            Inputs (size, 1, S, S) float32, standardised, and answers (size, 5) float32: kind, turn, mirrored,
            inverted, cut off.
        """
        shares = [share for _, share in self.makers]
        chosen = rng.choice(len(self.makers), size=size, p=shares)
        samples = [self.makers[int(index)][0](rng) for index in chosen]
        pixels = [np.ascontiguousarray(255 * sample.pixels).astype(np.uint8) for sample in samples]
        inputs = np.stack([standardised(film, INPUT_SIDE) for film in pixels])[:, None]
        answers = [(s.kind, s.turn, s.mirrored, s.inverted, s.cut_off) for s in samples]
        return torch.from_numpy(inputs), torch.tensor(answers, dtype=torch.float32)

    def draw_frontal(self, rng: np.random.Generator) -> Sample:
        """A frontal film, moved, changed, and at times mirrored, turned or inverted."""
        picture = self.frontal.draw(rng)
        film, maps = move(rng, picture.pixels, FRONTAL_JITTER)
        lungs = np.full_like(picture.pixels, 255) if picture.lungs is None else picture.lungs
        least, shown = visible_shares(lungs, maps)
        mirrored, inverted = bool(rng.random() < 0.5), bool(rng.random() < 0.15)
        turn = int(rng.integers(1, len(TURNS))) if rng.random() < 0.2 else 0
        film = collimate(rng, film) if rng.random() < COLLIMATED else film
        film = on_a_page(rng, film) if rng.random() < ON_A_PAGE else film
        film = change_appearance(rng, film[:, ::-1] if mirrored else film, 0.8)
        film = np.rot90(1 - film if inverted else film, -turn)
        if shown < LITTLE:
            return Sample(film, PictureKind.OTHER)
        cut_off = NOT_ASKED if CUT < least < WHOLE else float(least <= CUT)
        if turn:
            return Sample(film, PictureKind.FRONTAL, turn=turn, inverted=float(inverted))
        return Sample(film, PictureKind.FRONTAL, 0, float(mirrored), float(inverted), cut_off)

    def draw_lateral(self, rng: np.random.Generator) -> Sample:
        """A lateral film, or two laid over each other, as the shadows of two chests add up."""
        one, other = (move(rng, self.lateral.draw(rng).pixels, LATERAL_JITTER)[0] for _ in range(2))
        share = float(rng.uniform(0.5, 1)) if rng.random() < 0.3 else 1.0
        film = change_appearance(rng, share * one + (1 - share) * other, 0.8)
        inverted = bool(rng.random() < 0.12)
        turn = int(rng.integers(1, len(TURNS))) if rng.random() < 0.1 else 0
        film = np.rot90(1 - film if inverted else film, -turn)
        return Sample(film, PictureKind.LATERAL, inverted=float(inverted))

    def draw_other(self, rng: np.random.Generator) -> Sample:
        """Something that is no chest film."""
        which = rng.random()
        if which < 0.45:
            picture, _ = move(rng, self.other.draw(rng).pixels, OTHER_JITTER)
        elif which < 0.65:
            picture = fragment(rng, self.frontal.draw(rng))
        elif which < 0.73:
            picture = scramble(rng, move(rng, self.frontal.draw(rng).pixels, CALM_JITTER)[0])
        elif which < 0.81:
            return self._draw_body(rng)
        else:
            names = list(DRAWINGS)
            drawing = DRAWINGS[names[int(rng.integers(len(names)))]](rng, WORK)
            placed = move(rng, np.asarray(255 * drawing, np.uint8), OTHER_JITTER)[0]
            picture = placed if rng.random() < PLACED else drawing
        picture = np.rot90(change_appearance(rng, picture, 0.5), int(rng.integers(4)))
        return Sample(1 - picture if rng.random() < 0.3 else picture, PictureKind.OTHER)

    def _draw_body(self, rng: np.random.Generator) -> Sample:
        film = move(rng, self.frontal.draw(rng).pixels, CALM_JITTER)[0]
        body = whole_body(rng, film, draw_abdomen(rng, WORK))
        return Sample(change_appearance(rng, body, 0.5), PictureKind.OTHER)

    def draw_pictured(self, rng: np.random.Generator) -> Sample:
        """A film with its surroundings."""
        film = self._any_film(rng)
        which = rng.random()
        if self.screens.pictures and which < 0.15:
            picture = move(rng, self.screens.draw(rng).pixels, SCREEN_JITTER)[0]
            return Sample(change_appearance(rng, picture, 0.3), PictureKind.PICTURED)
        if which < 0.55:
            has_scene = rng.random() < 0.5
            scene = move(rng, self.other.draw(rng).pixels, OTHER_JITTER)[0] if has_scene else None
            return Sample(photograph(rng, film, scene), PictureKind.PICTURED)
        return Sample(change_appearance(rng, screen(rng, film), 0.3), PictureKind.PICTURED)

    def draw_several(self, rng: np.random.Generator) -> Sample:
        """Several films on one page."""
        page = several(rng, [self._any_film(rng) for _ in range(4)])
        return Sample(change_appearance(rng, page, 0.4), PictureKind.SEVERAL)

    def _any_film(self, rng: np.random.Generator) -> Grey:
        films = self.lateral if rng.random() < 0.25 else self.frontal
        return move(rng, films.draw(rng).pixels, CALM_JITTER)[0]
