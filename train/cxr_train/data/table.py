"""A CSV of films of one's own, as `calibrate` reads it too, with more columns."""

from dataclasses import replace
from pathlib import Path

from cxr_calibration.labels.facts import abnormal_of, age_of, number_of, sex_of, view_of
from cxr_calibration.labels.film_csv import CsvRow, read_rows
from cxr_runtime.errors import UsageError
from cxr_runtime.placement import Box
from cxr_runtime.typed_json import from_json
from cxr_train.data.film import FINDINGS, DataSet, DrawnBox, TrainingFilm, Truth

NO_FINDING = "No Finding"  # as NIH ChestX-ray14 spells it


def read_table(path: Path) -> DataSet:
    """Any CSV of films.

    Columns: `file` (relative to the CSV's folder) and `label` (0 normal, 1 abnormal, empty unknown); where
    known also `patient`, `view`, `sex`, `age`, `site`, `weight`, `truth`, `findings` (of FINDINGS, joined by
    `|`) and `boxes` (JSON list of [x0, y0, x1, y1] as shares of the film's width and height). A patient is
    known by the site, or else the table's name, and the number. Without `patient`, every film is taken for a
    patient of its own: films of one patient may come to stand on both sides of a split.

    Raises:
        UsageError: a needed column is missing, or a value is not of its kind.
    """
    rows = read_rows(path, ("file", "label"))
    films = [replace(own_film(row), findings=row.fact("findings", _findings_of)) for row in rows]
    return present(path.stem, films)


def present(name: str, films: list[TrainingFilm]) -> DataSet:
    """The films whose files are there, and a count of the others.

    Raises:
        UsageError: none is there.
    """
    there, absent = list[TrainingFilm](), list[TrainingFilm]()
    for film in films:
        (there if film.path.is_file() else absent).append(film)
    first_absent = str(absent[0].path) if absent else ""
    if not there:
        example = f", e.g. {first_absent}" if absent else ""
        raise UsageError(
            f"none of the {len(films)} films of {name} is there{example}; put them beside the table"
        )
    return DataSet(name, tuple(there), len(absent), first_absent)


def own_film(row: CsvRow) -> TrainingFilm:
    """One row of a CSV of films, see `read_table`, without its findings."""
    abnormal, weight = row.fact("label", abnormal_of), row.fact("weight", _weight_of)
    film = TrainingFilm(
        path=row.path.parent / row["file"],
        name=row["file"],
        patient=_patient(row),
        label=None if abnormal is None else float(abnormal),
        truth=row.fact("truth", _truth_of),
        view=row.fact("view", view_of),
        sex=row.fact("sex", sex_of),
        age=row.fact("age", age_of),
        site=row["site"],
        boxes=row.fact("boxes", _boxes_of),
    )
    return film if weight is None else replace(film, weight=weight)


def _patient(row: CsvRow) -> str:
    """A patient's number is one person's within a site, or within a table that names no site."""
    if number := row["patient"]:
        return f"{row['site'] or row.path.stem}:{number}"
    return f"{row.path.stem}:{row['file']}"


def _truth_of(text: str) -> Truth:
    if text and text not in list(Truth):
        raise ValueError(f"expected {', '.join(Truth)}")
    return Truth(text or Truth.STATED)


def _weight_of(text: str) -> float | None:
    weight = number_of(text)
    if weight is not None and weight < 0:
        raise ValueError("expected 0 or more")
    return weight


def _findings_of(text: str) -> frozenset[str] | None:
    """Findings as FINDINGS spells them; None where nothing is stated."""
    spelt = {_plain(name): name for name in (*FINDINGS, NO_FINDING)}
    named = [_plain(name) for name in text.split("|") if name.strip()]
    if not named:
        return None
    if not spelt.keys() >= set(named):
        raise ValueError(f"expected names joined by |, of {', '.join(FINDINGS)} or {NO_FINDING}")
    return frozenset(spelt[name] for name in named) - {NO_FINDING}


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").split()).casefold()


def _boxes_of(text: str) -> tuple[DrawnBox, ...]:
    expected = "expected a list of boxes, each [x0, y0, x1, y1] as shares of the film's width and height"
    try:
        boxes = from_json(text or "[]", tuple[Box, ...])
    except ValueError as error:
        raise ValueError(f"{expected} ({error})") from error
    if not all(0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1 for x0, y0, x1, y1 in boxes):
        raise ValueError(expected)
    return tuple(DrawnBox(box, "") for box in boxes)
