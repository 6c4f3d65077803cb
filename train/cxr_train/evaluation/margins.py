"""Out-of-fold margins of films as a labels file: for the calibration of a model trained on all of them.

python -m cxr_train.evaluation.margins MODEL --data PATH... --out MARGINS.csv [--cache DIR]

MODEL is a cross-validation; each film is judged by the fold that has not seen its patient. The file names
films and patients: it stays on the machine.
"""

import argparse
import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cxr_runtime.atomic import write_bytes
from cxr_runtime.film import View
from cxr_runtime.program import run_program
from cxr_runtime.progress import Silence
from cxr_train.checkpoint import find_runs, read_config, run_of
from cxr_train.data import TrainingFilm, read_film_table
from cxr_train.data.prepared_films import CACHE, prepare_films
from cxr_train.evaluation.judged import JudgedModel, judge, rows_to_score

COLUMNS = ("file", "label", "patient", "view", "sex", "age", "site", "margin", "brightness", "contrast")


def margins_csv(model: Path, data: Sequence[Path], cache: Path = CACHE) -> bytes:
    """The labels file of every film that a model is judged on.

    Args:
        model: a cross-validation, or a run, which then is judged on its test side.
        data: data sets; labels mined from reports are left out where there are others.
        cache: folder of prepared films.

    Raises:
        UsageError: a model or data set cannot be used, or too few films are left.
    """
    films = read_film_table(data)
    rows = rows_to_score(films, [model])
    judged = judge(model, films, rows, cache, "cpu", Silence())
    how = read_config(run_of(find_runs(model)[0])).recipe.preprocessing
    inputs = prepare_films(films, how, cache).inputs
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for row in rows.tolist():
        picture = np.asarray(inputs[row]) / 255
        shown = (f"{picture.mean():.6f}", f"{picture.std():.6f}")
        table.writerow((*_facts(films[row]), f"{_margin(judged, row):.6f}", *shown))
    return text.getvalue().encode()


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the labels file that a command line asks for."""
    parser = argparse.ArgumentParser("cxr_train.evaluation.margins", description="Out-of-fold margins.")
    parser.add_argument("model", type=Path, metavar="MODEL")
    parser.add_argument("--data", type=Path, action="append", required=True, metavar="PATH")
    parser.add_argument("--out", type=Path, required=True, metavar="MARGINS.csv")
    parser.add_argument("--cache", type=Path, default=CACHE, metavar="DIR")
    asked = parser.parse_args(arguments)
    write_bytes(asked.out, margins_csv(asked.model, asked.data, asked.cache))


def _facts(film: TrainingFilm) -> tuple[str, ...]:
    view = "" if film.view is View.UNKNOWN else film.view.value
    age = "" if film.age is None else f"{film.age:g}"
    return (film.name, f"{int(film.label or 0)}", film.patient, view, film.sex, age, film.site)


def _margin(judged: JudgedModel, row: int) -> float:
    """The logit of a probability that is a softmax of two."""
    probability = judged.probability[row]
    return float(np.log(probability) - np.log1p(-probability))


if __name__ == "__main__":
    run_program(main)
