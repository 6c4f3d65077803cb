"""The heat recipe of finished runs, fitted anew on their own training films; the network stays as it is.

python -m cxr_train.heat_refit MODEL --data PATH... [--cache DIR]

MODEL is a run, or a cross-validation, each fold of which gets its own; the data are those it was trained on.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cxr_runtime.program import run_program
from cxr_train.checkpoint import find_runs, load_checkpoint, run_of
from cxr_train.data import TrainingFilm, read_film_table
from cxr_train.data.prepared_films import CACHE, prepare_films
from cxr_train.data.split import SPLIT_FILE, Rows
from cxr_train.data.table import read_rows
from cxr_train.heat_fit import fit_heat, write_heat


def refit_heat(run: Path, films: Sequence[TrainingFilm], cache: Path = CACHE) -> None:
    """Replace a run's heat.json.

    Args:
        run: a finished run.
        films: the film table it was trained on.
        cache: folder of prepared films.

    Raises:
        UsageError: a film cannot be read.
        ModelError: the run cannot be used.
    """
    network, config = load_checkpoint(run)
    how = config.recipe.preprocessing
    prepared = prepare_films(films, how, cache)
    write_heat(run, fit_heat(network, films, prepared, _trained_on(run, films), how))


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit anew what a command line asks for."""
    parser = argparse.ArgumentParser("cxr_train.heat_refit", description="Fit heat recipes anew.")
    parser.add_argument("model", type=Path, metavar="MODEL")
    parser.add_argument("--data", type=Path, action="append", required=True, metavar="PATH")
    parser.add_argument("--cache", type=Path, default=CACHE, metavar="DIR")
    asked = parser.parse_args(arguments)
    films = read_film_table(asked.data)
    for run in find_runs(asked.model):
        refit_heat(run_of(run), films, asked.cache)


def _trained_on(run: Path, films: Sequence[TrainingFilm]) -> Rows:
    rows = read_rows(run / SPLIT_FILE, ("name", "patient", "side"))
    side = {(row["name"], row["patient"]): row["side"] for row in rows}
    return np.array(
        [row for row, film in enumerate(films) if side.get((film.name, film.patient)) == "training"], np.intp
    )


if __name__ == "__main__":
    run_program(main)
