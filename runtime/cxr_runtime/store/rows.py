"""What goes into the store and comes out of it: a run, a film's place, its row, and its pictures."""

from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.heat.map import HeatView
from cxr_runtime.identity import Identity, IdentityKind
from cxr_runtime.outcome import Outcome
from cxr_runtime.placement import Outline, Placement
from cxr_runtime.presentation import Presentation
from cxr_runtime.store.objects import MadeObject
from cxr_runtime.view_shares import ViewShares


@dataclass(frozen=True)
class RunFacts:
    """What the reports say of the whole run."""

    product: str  # e.g. cxr-triage 0.1.0
    finished: datetime  # local time with offset
    inputs: tuple[str, ...]  # INPUTs as typed, printable
    model: str
    model_sha256: str
    licence: str  # of the model's weights
    backend: str  # the providers that scored its films, e.g. onnxruntime-cpu; "" before any was scored
    is_calibrated: bool  # False: every page bears a mark
    operating_point: str
    threshold: float  # probability at or above which a film is flagged
    is_met: bool  # the calibration's films supported what the operating point promises
    sensitivity: float | None  # of the operating point, measured by cross-validation
    specificity: float | None
    heat: HeatView  # how stored heat is shown
    foreign: str = ""  # what is said where the films are unlike those of the calibration
    likeness: str = ""  # whether they are like those, in a few words; "" where that is not known
    by_view: tuple[ViewShares, ...] = ()  # the same of PA and of AP films, where that is known
    calibration: str = ""  # whose it is; "" where there is none, or that is not known
    calibration_films: int = 0  # labelled films that it was made on; 0 where that is not known
    calibration_abnormal: int = 0  # of these
    model_remarks: tuple[str, ...] = ()  # on where the model comes from, if not with the program
    passed_over: int = 0  # files that cannot be films by name, counted only
    sandbox: str = ""  # how the system confined the processes that read films; "" where that is not known
    results: tuple[str, ...] = ()  # folders of results that lay among the films and were not searched
    seen: int = 0  # films left out, for their rows are in the folders of earlier days
    lung_outline: bool = False  # drawn on the pictures in heatmaps/, too
    is_of_store: bool = False  # the reports hold every film of the store, by arrival, not one run's alone
    identity: str = IdentityKind.NONE.value  # label of what is kept of patients (pseudonyms.Keeping.label)
    presentation: Presentation = field(default_factory=Presentation)  # how the reports look and speak

    @property
    def heat_threshold(self) -> float:
        """Heat below this is not coloured."""
        return self.heat.threshold

    @property
    def heat_method(self) -> str:
        """`cam` or `strongest-channel`."""
        return self.heat.method.value


# Columns of `results` that are a row of results.csv, in the order of Outcome; its file is that of the place.
OUTCOME_COLUMNS = tuple(entry.name for entry in fields(Outcome) if entry.name != "file")
JUDGED_COLUMNS = ("probability", "triage", "threshold", "operating_point")  # by calibration and threshold
SCORE_COLUMNS = ("margin", "input_mean", "input_contrast", "finished", "looks")
# All that a result's seal is of; `pictures` is the digest of its pictures.
SEALED_COLUMNS = (*OUTCOME_COLUMNS, *SCORE_COLUMNS, "fingerprint", "bytes", "is_lasting", "pictures")
FINGERPRINT = SEALED_COLUMNS.index("fingerprint")
# Kinds of sealed rows.
RESULT, PLACE, WRITTEN, RUN, FEATURES = "result", "place", "written", "run", "features"
PICTURE = "picture"  # content of a written file that is drawn from the store alone
PICTURE_COLUMNS = (
    "preview_jpeg", "thumbnail_jpeg", "heat_png", "placement", "heat", "heat_rows", "heat_columns",
    "outlines", "spacing_mm",
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Where a film was found in a run."""

    position: int  # in the run, from 1
    file: str  # as in results.csv
    stamp: str  # changes whenever the file does; "" where that is not known
    is_settled: bool = True  # False: the file was written a moment ago; if it fails, it is tried again


@dataclass(frozen=True)
class StoredScore:
    """One row with what calibration and monitoring need beside it."""

    outcome: Outcome
    margin: float | None  # logit of abnormal minus logit of normal
    input_mean: float | None  # mean of the network's input before normalisation, 0..1
    input_contrast: float | None  # its standard deviation, 0..1
    finished: str  # ISO time with offset
    looks: tuple[float, ...] = ()  # how the film looks; empty where it was not scored
    is_ours: bool = True  # its seal is right: this machine made it, and nobody has changed it since


class Judged(NamedTuple):
    """How a scored film was judged."""

    file: str
    sha256: str
    margin: float  # logit of abnormal minus logit of normal
    probability: float | None
    triage: str | None
    threshold: float | None
    operating_point: str


MADE_ELSEWHERE = "Rows of {} were made on another machine, or changed since they were made."


@dataclass(frozen=True)
class StoredPicture:
    """The pictures of one film, small enough to keep for every film."""

    preview_jpeg: bytes = field(repr=False)  # grey film, longer side at most PREVIEW_LONG_SIDE
    placement: Placement  # what of the film the network was shown
    heat_cells: NDArray[np.float32] | None  # (h, w) 0..1 on conv5's cells; None on a rejected film
    lung_outlines: tuple[Outline, ...] = ()
    thumbnail_jpeg: bytes | None = field(default=None, repr=False)  # with its heat; None in stores of 0.1.0
    heat_png: bytes | None = field(default=None, repr=False)  # the heat as a layer to be laid on the film
    spacing_mm: float | None = None  # from row to row of the film as read, millimetres; None where not known


@dataclass(frozen=True)
class FinishedFilm:
    """A film that was done in this run."""

    place: Place
    score: StoredScore
    picture: StoredPicture | None = None  # None where the film could not be read, or nothing is to be shown
    size: int | None = None  # bytes of the file
    is_lasting: bool = True  # False: the machine is to blame, and the next run tries again
    files: tuple[tuple[str, str], ...] = ()  # its pictures in the output folder: name and stamp
    identity: tuple[str, Identity] | None = None  # what is kept of its patient, and under which label
    features: bytes = b""  # int8, one a channel of conv5: its mean, the largest is 127; b"": none
    objects: tuple[tuple[MadeObject, str], ...] = ()  # its DICOM results, and the stamps of their files


@dataclass(frozen=True)
class SeenFilm:
    """A film whose row is elsewhere, or stands as it is: there is nothing to note."""

    place: Place


@dataclass(frozen=True)
class KnownFilm:
    """A film that was finished before: nothing but its place is new."""

    place: Place
    result: int  # id in the store
    outcome: Outcome
    seal: str = ""  # of this very place, where it was noted before; "" where that is not known
    is_repeated: bool = False  # the run before this one had it at this very position


def time_now() -> str:
    """The time as a row states it: ours, to the second, with its offset."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def time_of(text: str) -> datetime:
    """A time as a row states it, with its offset; a text that is no time is the earliest of all."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
