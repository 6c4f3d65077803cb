"""What the reports are made from: each film with its pictures, and the run they belong to."""

from dataclasses import dataclass, field
from datetime import datetime

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


@dataclass(frozen=True)
class RunFacts:
    """What the reports say of the whole run."""

    product: str  # e.g. cxr-triage 0.1.0
    finished: datetime  # local time with offset
    inputs: tuple[str, ...]  # INPUTs as typed
    model: str
    model_sha256: str
    licence: str  # of the model's weights
    backend: str
    is_calibrated: bool  # False: every page bears a mark
    operating_point: str
    threshold: float  # probability at or above which a film is flagged
    is_met: bool  # the calibration's films supported what the operating point promises
    sensitivity: float | None  # of the operating point, measured by cross-validation
    specificity: float | None
    heat_method: str  # cam or strongest-channel
    heat_threshold: float  # heat below this is not coloured
    passed_over: int = 0  # files that cannot be films by name, counted only
