"""A calibration from out-of-fold margins, for a model that is trained on all the films there are.

python -m cxr_calibration.out_of_fold MARGINS.csv FILMS [--model DIR] [--error-rate RATE]

Prints the sections of the model's card that a calibration fills; with --model it makes calibration.json, and
writes the sections into card.md where there is one.
MARGINS.csv is a labels file with one more column, margin: the logit of abnormal minus that of normal from a
network that never saw the film's patient; optional brightness and contrast, the mean and standard deviation
of the network's input before normalisation, 0..1. FILMS says in a few words where the films come from.
"""

import argparse
from collections.abc import Sequence
from datetime import date
from math import isfinite
from pathlib import Path

import numpy as np

from cxr_calibration.calibrating import fitted_on
from cxr_calibration.calibration_file import write_calibration
from cxr_calibration.calibration_json import calibration_json
from cxr_calibration.card import card_sections, with_sections
from cxr_calibration.description import FitOptions, fit_and_describe
from cxr_calibration.labelled import NOT_STATED, LabelledFilms
from cxr_calibration.labels import VARIABLES, Label, label_of, read_rows
from cxr_calibration.reference import Reference, ReferenceFilm, make_reference
from cxr_runtime.atomic import write_bytes
from cxr_runtime.errors import UsageError
from cxr_runtime.file_names import CARD_FILE
from cxr_runtime.model.folder import open_model
from cxr_runtime.program import run_program


def read_margins(path: Path) -> tuple[LabelledFilms, Reference]:
    """Read a labels file with a column margin.

    Raises:
        UsageError: as `read_labels`, or a margin is missing or no number.
    """
    rows = read_rows(path)
    labels = [label_of(path, line, row) for line, row in rows]
    shown = [_shown(path, label, row) for label, (_, row) in zip(labels, rows, strict=True)]
    levels = np.array([label.subgroups for label in labels], np.str_)
    films = LabelledFilms(
        margins=np.array([film.margin for film in shown], np.float64),
        truth=np.array([label.abnormal for label in labels], np.bool_),
        patients=np.array([label.patient or f"film {label.file}" for label in labels], np.str_),
        subgroups={
            name: levels[:, number]
            for number, name in enumerate(VARIABLES)
            if (levels[:, number] != NOT_STATED).any()
        },
    )
    return films, make_reference(shown, patients=films.number_of_patients, is_everyday=False)


def main(arguments: Sequence[str] | None = None) -> str:
    """Calibrate as a command line asks; returns the text that is printed."""
    parser = argparse.ArgumentParser("cxr_calibration.out_of_fold", description="Calibrate from margins.")
    parser.add_argument("margins", type=Path, metavar="MARGINS.csv")
    parser.add_argument("films", metavar="FILMS")
    parser.add_argument("--model", type=Path, metavar="DIR")
    parser.add_argument("--error-rate", type=float)
    asked = parser.parse_args(arguments)
    films, reference = read_margins(asked.margins)
    described = fit_and_describe(films, FitOptions(error_rate=asked.error_rate), reference=reference)
    if asked.model is not None:
        manifest = open_model(asked.model, allow_uncalibrated=True).manifest
        made = date.today().isoformat()
        write_calibration(asked.model, calibration_json(described, fitted_on(manifest), made=made))
    sections = card_sections(described, asked.films)
    card = None if asked.model is None else asked.model / CARD_FILE
    if card is not None and card.is_file():
        write_bytes(card, with_sections(card.read_text(encoding="utf-8"), sections).encode())
    return sections


def _shown(path: Path, label: Label, row: dict[str, str]) -> ReferenceFilm:
    margin = _number(path, label.line, row, "margin")
    if margin is None:
        raise UsageError(f"labels file {path}, line {label.line} has no margin; expected a number")
    brightness, contrast = (_number(path, label.line, row, name) for name in ("brightness", "contrast"))
    return ReferenceFilm(margin, brightness, contrast, view=label.subgroups[0])


def _number(path: Path, line: int, row: dict[str, str], column: str) -> float | None:
    stated = row.get(column, "")
    if not stated:
        return None
    try:
        number = float(stated)
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        raise UsageError(f"labels file {path}, line {line} has the {column} {stated!r}; expected a number")
    return number


if __name__ == "__main__":
    run_program(lambda: print(main()))  # noqa: T201
