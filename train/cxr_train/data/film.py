"""One film of a data set: where it is, and what is known about it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from cxr_calibration.labels.facts import age_group
from cxr_runtime.film import View
from cxr_runtime.placement import Box

FINDINGS = (
    "Atelectasis",
    "Cardiomegaly",
    "Effusion",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pneumonia",
    "Pneumothorax",
    "Consolidation",
    "Edema",
    "Emphysema",
    "Fibrosis",
    "Pleural_Thickening",
    "Hernia",
)  # the 14 findings of NIH ChestX-ray14, spelt as its table spells them


class Truth(StrEnum):
    """Who says what a film's label is."""

    RADIOLOGIST = "radiologist"  # somebody looked at this film
    CLINIC = "clinic"  # the diagnosis of the patient, e.g. tuberculosis
    REPORT = "report"  # mined from the text of a report; often wrong
    STATED = "stated"  # a table says so


@dataclass(frozen=True)
class DrawnBox:
    """A box that somebody drew around disease."""

    share_xyxy: Box  # x0, y0, x1, y1 as shares of the film's width and height
    finding: str  # e.g. Lung Opacity
    by_radiologist: bool = True  # others may be learned from, but nothing is scored on them


@dataclass(frozen=True)
class TrainingFilm:
    """A film and what is known about it; None or empty where nothing is."""

    path: Path
    name: str  # how split files call it: relative to its data set, with / between
    patient: str  # unique over all data sets, e.g. `nih:00000061`
    label: float | None = None  # 0 normal .. 1 abnormal
    truth: Truth = Truth.STATED  # who says so
    weight: float = 1.0  # in the loss
    view: View = View.UNKNOWN
    sex: str = ""  # F, M or O
    age: float | None = None  # years
    site: str = ""  # e.g. Shenzhen
    radiologist_class: str = ""  # e.g. Lung Opacity
    findings: frozenset[str] | None = None  # of FINDINGS; None: not known
    boxes: tuple[DrawnBox, ...] = ()
    boxes_complete: bool = False  # outside its boxes this film shows no disease of their kind


@dataclass(frozen=True)
class DataSet:
    """Films read from one place."""

    name: str  # the table's or folder's own name, without the folders above it
    films: tuple[TrainingFilm, ...] = field(repr=False)
    absent: int = 0  # films the table names whose files are not there
    absent_example: str = ""  # the path of the first of them


def column(films: Sequence[TrainingFilm], name: str) -> list[str]:
    """One column of a film table as text, for grouping: label, view, sex, age group, site, ..."""
    return [age_group(film.age) if name == "age" else _as_text(getattr(film, name)) for film in films]


def _as_text(value: object) -> str:
    return "" if value is None else str(value)
