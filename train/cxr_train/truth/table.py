"""What a model promises, and what films say that it has not seen: the table of docs/truth.md."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.statistics.intervals import Estimate, bootstrap, wilson_by_patient
from cxr_calibration.statistics.roc import auc, specificity_at_sensitivity
from cxr_runtime.markdown import markdown_table
from cxr_runtime.model.folder import Model
from cxr_runtime.progress import Progress
from cxr_train.data import TrainingFilm
from cxr_train.data.fifths import Fifth
from cxr_train.data.film import Truth
from cxr_train.data.prepared_films import CACHE
from cxr_train.evaluation.tables import told
from cxr_train.heat.localisation import box_mask, film_by_film
from cxr_train.truth.looking import Look, look
from cxr_train.truth.promises import promised
from cxr_train.truth.unseen import nodule_films, unseen_films

SENSITIVITY = 0.90  # at which specificity is stated
Chosen = Callable[[TrainingFilm], bool]
Measured = Callable[[Look, float], Estimate]  # of some films, by the margin at or above which one is flagged


def area(films: Look, _: float) -> Estimate:
    """AUC."""
    return _of_both(films, auc)


def specificity_at_90(films: Look, _: float) -> Estimate:
    """Specificity where sensitivity is 90 %."""
    return _of_both(films, lambda margins, truth: specificity_at_sensitivity(margins, truth, SENSITIVITY))


def sensitivity(films: Look, least: float) -> Estimate:
    """Share of the abnormal films that is flagged."""
    return _share(films.margins >= least, films, _truth(films))


def specificity(films: Look, least: float) -> Estimate:
    """Share of the normal films that is not flagged."""
    return _share(films.margins < least, films, ~_truth(films))


def pointing(films: Look, _: float) -> Estimate:
    """Share of the films with boxes whose hottest point lies in one."""
    rows = sorted(films.heats)
    masks = [box_mask([box.share_xyxy for box in films.films[row].boxes]) for row in rows]
    hits = film_by_film([films.heats[row] for row in rows], masks)["pointing"]
    return bootstrap(lambda drawn: float(hits[drawn].mean()), _patients(films)[rows])


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    films: str  # which ones, in words
    measure: str
    tables: tuple[str, ...]  # whose films: names of CSVs without their ending
    chosen: Chosen
    found: Measured
    view: str = ""  # where a report promises something for this view alone


def every(_: TrainingFilm) -> bool:
    """Whether a film is taken: each is."""
    return True


def classed(film: TrainingFilm) -> bool:
    """Whether a radiologist gave a film its class."""
    return film.truth is Truth.RADIOLOGIST


def with_boxes(film: TrainingFilm) -> bool:
    """Whether all that is to be found on a film has a box."""
    return film.boxes_complete


def of_view(view: str) -> Chosen:
    """Films of one view, with a radiologist's class."""
    return lambda film: classed(film) and film.view.value == view


def but_class(radiologist_class: str) -> Chosen:
    """Films of all radiologists' classes but one."""
    return lambda film: classed(film) and film.radiologist_class != radiologist_class


OTHER = "No Lung Opacity / Not Normal"
AREA, FOUND, RIGHT, AT_90 = "AUC", "sensitivity", "specificity", "specificity at 90 % sensitivity"
POINTING = "hottest point in a box"
CLASSES = "NIH, radiologists' classes"
NIH, GUANGZHOU = ("nih512", "nih256"), ("guangzhou512",)
SHENZHEN, TBX = ("nlm128",), ("tbx512",)
ROWS = (
    Row(CLASSES, AREA, NIH, classed, area),
    Row(f"{CLASSES}, PA", AREA, NIH, of_view("PA"), area),
    Row(f"{CLASSES}, AP", AREA, NIH, of_view("AP"), area),
    Row(f"{CLASSES}, `Normal` or `Lung Opacity`", AREA, NIH, but_class(OTHER), area),
    Row(CLASSES, AT_90, NIH, classed, specificity_at_90),
    Row(CLASSES, FOUND, NIH, classed, sensitivity),
    Row(CLASSES, RIGHT, (*NIH, "nih224"), classed, specificity),
    *(
        Row(f"{CLASSES}, {view}", measure, tables, of_view(view), found, view)
        for view in ("PA", "AP")
        for measure, tables, found in (
            (FOUND, NIH, sensitivity),
            (RIGHT, (*NIH, "nih224"), specificity),
        )
    ),
    Row("Shenzhen, tuberculosis", AREA, SHENZHEN, every, area),
    Row("Shenzhen, tuberculosis", FOUND, SHENZHEN, every, sensitivity),
    Row("Shenzhen, tuberculosis", RIGHT, SHENZHEN, every, specificity),
    Row("TBX11K, tuberculosis", FOUND, TBX, every, sensitivity),
    Row("Guangzhou, children", AREA, GUANGZHOU, every, area),
    Row("Guangzhou, children", FOUND, GUANGZHOU, every, sensitivity),
    Row("Guangzhou, children", RIGHT, GUANGZHOU, every, specificity),
    Row("JSRT, nodules", AREA, ("jsrt224",), every, area),
    Row("NIH, radiologists' boxes", POINTING, NIH, with_boxes, pointing),
    Row("TBX11K, experts' boxes", POINTING, TBX, with_boxes, pointing),
)


def truth_table(
    models: Sequence[Model],
    data: Path,
    fifths: Sequence[Fifth] = (Fifth.LOCKED,),
    learned: Sequence[Path] = (),
    cache: Path = CACHE,
    progress: Progress | None = None,
) -> str:
    """The table as markdown: a line a measure, and for each model what it promises and what was found.

    Args:
        models: calibrated; all are measured on the same films.
        data: folder of the tables and their films.
        fifths: of the patients; JSRT is taken whole.
        learned: data sets of which one of the models has learned every film.
        cache: folder of prepared films.
        progress: hears of every film that is prepared.

    Raises:
        UsageError: a data set or a film cannot be read.
    """
    films = {
        name: nodule_films(data / f"{name}.csv")
        if name == "jsrt224"
        else unseen_films([data / f"{name}.csv"], fifths, learned)
        for name in dict.fromkeys(name for row in ROWS for name in row.tables)
    }
    looks = [{name: look(model, some, cache, progress) for name, some in films.items()} for model in models]
    names = [model.folder.name for model in models]
    heads = [head for name in names for head in (f"promised by {name}", "found")]
    lines = [line for row in ROWS if (line := _line(row, models, looks))]
    return markdown_table(["films", "n", "abnormal", "measure", *heads], lines)


def _line(row: Row, models: Sequence[Model], looks: Sequence[dict[str, Look]]) -> list[str]:
    """The cells of a row; none where there is no film for it."""
    cells: list[str] = []
    for model, looked in zip(models, looks, strict=True):
        some = Look.together([looked[name] for name in row.tables])
        some = some.part([place for place, film in enumerate(some.films) if row.chosen(film)])
        if not some.films:
            return []
        if not cells:
            cells = [row.films, str(len(some.films)), str(int(_truth(some).sum())), row.measure]
        cells += [_promise(row, model), told(row.found(some, _least_margin(model)))]
    return cells


def _promise(row: Row, model: Model) -> str:
    """What a calibration says at the default operating point, with its interval; of a view, where it does."""
    promise = promised(model.folder, row.view)
    said = {FOUND: promise.sensitivity, RIGHT: promise.specificity}.get(row.measure)
    return "-" if said is None or isnan(said.value) else told(said)


def _least_margin(model: Model) -> float:
    """The lowest margin that the default operating point flags."""
    margins = np.linspace(-30, 30, 600_001)
    point = model.calibration.operating_point()
    return float(margins[np.searchsorted(model.calibration.probability(margins), point.threshold)])


def _of_both(films: Look, statistic: Callable[[NDArray[np.float64], NDArray[np.bool_]], float]) -> Estimate:
    truth = _truth(films)

    def of(rows: NDArray[np.intp]) -> float:
        mixed = 0 < truth[rows].sum() < len(rows)
        return statistic(films.margins[rows], truth[rows]) if mixed else float("nan")

    return bootstrap(of, _patients(films), classes=truth)


def _share(hits: NDArray[np.bool_], films: Look, which: NDArray[np.bool_]) -> Estimate:
    return wilson_by_patient(hits[which], _patients(films)[which])


def _truth(films: Look) -> NDArray[np.bool_]:
    return np.array([film.label == 1 for film in films.films], np.bool_)


def _patients(films: Look) -> NDArray[np.str_]:
    return np.array([film.patient for film in films.films], np.str_)
