"""The heat recipe of a run: its heat.json, and how it is fitted anew."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from cxr_calibration.labels.film_csv import read_rows
from cxr_runtime.atomic import write_bytes
from cxr_runtime.errors import ModelError
from cxr_runtime.heat.map import HeatRecipe
from cxr_runtime.typed_json import from_json
from cxr_train.checkpoint import find_runs, load_checkpoint, run_of
from cxr_train.data import TrainingFilm, read_film_table
from cxr_train.data.prepared_films import CACHE, prepare_films
from cxr_train.data.split import SPLIT_FILE, Rows
from cxr_train.heat.fit import fit_heat

HEAT_FILE = "heat.json"  # in a run folder


def write_heat(run: Path, recipe: HeatRecipe) -> None:
    """Write a run's heat.json."""
    write_bytes(run / HEAT_FILE, (json.dumps(asdict(recipe)) + "\n").encode())


def read_heat(run: Path) -> HeatRecipe:
    """Read a run's heat.json.

    Raises:
        ModelError: it is missing or damaged, or of an earlier form.
    """
    path = run / HEAT_FILE
    try:
        return from_json(path.read_bytes(), HeatRecipe)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{path} cannot be read ({error}); expected a run that `cxr-triage train` ended: end it, or fit "
            f"its heat anew: cxr-triage lab heat-refit {run} --data ..."
        ) from error


def refit_heat(model: Path, data: Sequence[Path], cache: Path = CACHE) -> None:
    """Replace heat.json of a finished run, or of every fold of a cross-validation; networks stay as they are.

    Args:
        model: a run, or a folder of folds.
        data: the data sets it was trained on.
        cache: folder of prepared films.

    Raises:
        UsageError: a data set or a film cannot be read.
        ModelError: a run cannot be used.
    """
    films = read_film_table(data)
    for checkpoint in find_runs(model):
        run = run_of(checkpoint)
        network, config = load_checkpoint(run)
        how = config.recipe.preprocessing
        prepared = prepare_films(films, how, cache)
        write_heat(run, fit_heat(network, films, prepared, _trained_on(run, films), how))


def _trained_on(run: Path, films: Sequence[TrainingFilm]) -> Rows:
    rows = read_rows(run / SPLIT_FILE, ("name", "patient", "side"))
    side = {(row["name"], row["patient"]): row["side"] for row in rows}
    return np.array(
        [row for row, film in enumerate(films) if side.get((film.name, film.patient)) == "training"], np.intp
    )
