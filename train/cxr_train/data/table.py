"""Reading tables: any CSV of films, and what every other reader needs of a CSV."""

import csv
import json
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from cxr_runtime.errors import UsageError
from cxr_runtime.film import View
from cxr_train.data.film import DataSet, DrawnBox, TrainingFilm, Truth

LABELS = {"0": 0.0, "1": 1.0, "normal": 0.0, "abnormal": 1.0, "": None}
OLDEST = 120  # ages beyond it are slips of the pen; NIH's table holds 414


def read_rows(path: Path, needed: Collection[str]) -> list[dict[str, str]]:
    """Every row of a CSV with a header.

    Raises:
        UsageError: there is no such file, or a needed column is missing.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            rows = [{key: value or "" for key, value in row.items()} for row in reader]
            header = reader.fieldnames or []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"table {path} cannot be read ({error}); expected a CSV in UTF-8") from error
    missing = [name for name in needed if name not in header]
    if missing:
        raise UsageError(f"table {path} has no column {missing[0]!r}; expected {', '.join(needed)}")
    return rows


def read_table(path: Path) -> DataSet:
    """Any CSV of films.

    Columns: `file` (relative to the CSV's folder) and `label` (0 normal, 1 abnormal, empty unknown); where
    known also `patient`, `view`, `sex`, `age`, `site`, `weight`, `truth`, `findings` (joined by `|`) and
    `boxes` (JSON list of [x0, y0, x1, y1] as shares of the film's width and height). A patient is known by
    the site, or else the table's name, and the number. Without `patient`, every film is taken for a patient
    of its own: films of one patient may come to stand on both sides of a split.

    Raises:
        UsageError: a needed column is missing, or a value is not of its kind.
    """
    films = []
    for number, row in enumerate(read_rows(path, ("file", "label")), start=2):
        try:
            films.append(_film(path, row))
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"row {number} of {path} cannot be used ({error!r}); correct it") from error
    return present(path.stem, films)


def present(name: str, films: list[TrainingFilm]) -> DataSet:
    """The films whose files are there, and a count of the others.

    Raises:
        UsageError: none is there.
    """
    there = tuple(film for film in films if film.path.is_file())
    if not there:
        example = f", e.g. {films[0].path}" if films else ""
        raise UsageError(
            f"none of the {len(films)} films of {name} is there{example}; put them beside the table"
        )
    return DataSet(name, there, len(films) - len(there))


def view_of(text: str) -> View:
    """PA, AP, or LATERAL; unknown where the text is none of them."""
    names = {view.value: view for view in View} | {"L": View.LATERAL, "LL": View.LATERAL, "RL": View.LATERAL}
    return names.get(text.strip().upper(), View.UNKNOWN)


def sex_of(text: str) -> str:
    """F or M by the first letter; empty where it is neither."""
    letter = text.strip()[:1].upper()
    return letter if letter in ("F", "M") else ""


def age_of(text: str) -> float | None:
    """Years from `58`, `058Y`, `6M`, `20D`; None where there are none or nobody is that old."""
    text = text.strip().upper()
    number = text.rstrip("YMWD ")
    try:
        years = float(number) / {"M": 12, "W": 52.18, "D": 365.25}.get(text[-1:], 1)
    except ValueError:
        return None
    return years if 0 <= years <= OLDEST else None


def _film(table: Path, row: dict[str, str]) -> TrainingFilm:
    findings = row.get("findings", "")
    film = TrainingFilm(
        path=table.parent / row["file"],
        name=row["file"],
        patient=_patient(table, row),
        label=LABELS[row["label"].strip().lower()],
        truth=Truth(row.get("truth") or Truth.STATED),
        view=view_of(row.get("view", "")),
        sex=sex_of(row.get("sex", "")),
        age=age_of(row.get("age", "")),
        site=row.get("site", ""),
        findings=frozenset(findings.split("|")) - {"No Finding"} if findings else None,
        boxes=tuple(_box(box) for box in json.loads(row.get("boxes") or "[]")),
    )
    return replace(film, weight=float(row["weight"])) if row.get("weight") else film


def _patient(table: Path, row: dict[str, str]) -> str:
    """A patient's number is one person's within a site, or within a table that names no site."""
    if number := row.get("patient"):
        return f"{row.get('site') or table.stem}:{number}"
    return f"{table.stem}:{row['file']}"


def _box(shares: list[float]) -> DrawnBox:
    x0, y0, x1, y1 = map(float, shares)
    if not (0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1):
        raise ValueError(f"box {shares} is not x0, y0, x1, y1 as shares of width and height")
    return DrawnBox((x0, y0, x1, y1), "")
