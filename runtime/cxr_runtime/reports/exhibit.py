"""What the reports are made from: each film with its pictures; of the run, store/run.py."""

from dataclasses import dataclass, field

from cxr_runtime.outcome import Outcome
from cxr_runtime.placement import Outline


@dataclass(frozen=True)
class Picture:
    """What there is to see of one film; every scored film has one, a rejected one may."""

    preview_jpeg: bytes = field(repr=False)  # grey film, longer side at most PREVIEW_LONG_SIDE
    film_hw: tuple[int, int]  # rows and columns of the film itself
    heat_png: bytes | None = field(repr=False)  # as heat.colour.heat_layer makes it; None on a rejected film
    thumbnail_jpeg: bytes = field(repr=False)  # as heat.overlay.thumbnail_jpeg makes it
    lung_outlines: tuple[Outline, ...] = ()  # one polygon a lung


@dataclass(frozen=True)
class Exhibit:
    """One film as the reports show it."""

    outcome: Outcome
    picture: Picture | None  # None where the film could not be read
    name: str  # stem of its files in heatmaps/: safe stem, `-`, first 12 digits of the sha256
