"""Films of patients that a model has not learned from."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cxr_calibration.labels.film_csv import read_rows
from cxr_train.data import TrainingFilm, read_film_table
from cxr_train.data.fifths import Fifth
from cxr_train.data.table import own_film

NODULE = "nodule"  # in the column `label` of jsrt224.csv


def unseen_films(
    data: Sequence[Path], fifths: Sequence[Fifth], learned: Sequence[Path] = ()
) -> tuple[TrainingFilm, ...]:
    """The films of some fifths whose patients have no film in the tables that a model learned from wholly.

    Args:
        data: data sets.
        fifths: see data/fifths.py.
        learned: data sets of which a model, or one that it was begun from, has learned every film.

    Raises:
        UsageError: a data set cannot be read.
    """
    known = {film.patient for film in read_film_table(learned, tuple(Fifth))}
    return tuple(film for film in read_film_table(data, fifths) if film.patient not in known)


def nodule_films(table: Path) -> tuple[TrainingFilm, ...]:
    """The films of jsrt224.csv, 1 for a nodule; no model here has learned from any."""
    rows = read_rows(table, ("file", "label"))
    return tuple(
        own_film(replace(row, cells={**row.cells, "label": str(int(row["label"] == NODULE))})) for row in rows
    )
