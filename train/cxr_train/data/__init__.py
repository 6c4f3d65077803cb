"""Data sets by what lies at a path: the one place that knows all layouts."""

import logging
from collections.abc import Sequence
from pathlib import Path

from cxr_calibration.labels.film_csv import columns_of
from cxr_runtime.errors import UsageError
from cxr_train.data.downloads import find_nih, is_nlm, read_nih, read_nlm
from cxr_train.data.fifths import Fifth, films_of
from cxr_train.data.film import DataSet, DrawnBox, TrainingFilm, Truth
from cxr_train.data.public_tables import is_prepared, read_prepared
from cxr_train.data.table import read_table

__all__ = [
    "DataSet",
    "DrawnBox",
    "TrainingFilm",
    "Truth",
    "film_table",
    "read_data_set",
    "read_data_sets",
    "read_film_table",
]

_LOG = logging.getLogger(__name__)


def read_data_set(path: Path) -> DataSet:
    """Read the films at a path, whatever their layout.

    Args:
        path: a folder of ChestX-ray14, Montgomery or Shenzhen as downloaded, or a CSV.

    Raises:
        UsageError: nothing there is a layout that is known, or a needed part of it is missing.
    """
    if path.is_dir() and find_nih(path):
        return read_nih(path)
    if path.is_dir() and is_nlm(path):
        return read_nlm(path)
    if path.is_file():
        return read_prepared(path) if is_prepared(columns_of(path)) else read_table(path)
    what = "is not a data set" if path.exists() else "is not there"
    raise UsageError(
        f"{path} {what}; expected a CSV with the columns file and label, or a folder with "
        "Data_Entry_2017.csv (ChestX-ray14) or CXR_png/ and ClinicalReadings/ (Montgomery, Shenzhen)"
    )


def read_data_sets(paths: Sequence[Path]) -> list[DataSet]:
    """Read several data sets; a warning names each of which films are not there.

    Raises:
        UsageError: as `read_data_set`.
    """
    sets = [read_data_set(path) for path in paths]
    for path, data_set in zip(paths, sets, strict=True):
        if data_set.absent:
            stated = f"{data_set.absent} of {data_set.absent + len(data_set.films)} films missing"
            _LOG.warning("look: %s: %s, e.g. %s; the others are taken", path, stated, data_set.absent_example)
    return sets


def film_table(
    sets: Sequence[DataSet], fifths: Sequence[Fifth] = (Fifth.TRAINING,)
) -> tuple[TrainingFilm, ...]:
    """The film table of data sets that were read, one after the other.

    Args:
        sets: data sets.
        fifths: of the patients of public collections, see fifths.py; the others' films are left out.
    """
    return films_of([film for data_set in sets for film in data_set.films], *fifths)


def read_film_table(
    paths: Sequence[Path], fifths: Sequence[Fifth] = (Fifth.TRAINING,)
) -> tuple[TrainingFilm, ...]:
    """Read data sets into one film table; see `read_data_sets` and `film_table`."""
    return film_table(read_data_sets(paths), fifths)
