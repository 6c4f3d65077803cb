"""A calibration from margins that were written before, on films that the network has not seen.

The margins are a labels file with one more column, margin: the logit of abnormal minus that of normal from a
network that never saw the film's patient: the network that ships, or its folds. Optional are brightness and
contrast, the mean and standard deviation of the network's input before normalisation, 0..1; and looks, the
numbers of `looks_of` or of `StoredScore.looks` with | between them. Without looks, scans cannot say
whether films are foreign.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np

from cxr_calibration.calibrate import fitted_on
from cxr_calibration.fit.calibration_json import calibration_json, write_calibration
from cxr_calibration.fit.description import FitOptions, fit_and_describe
from cxr_calibration.fit.wider import Beside, founded_on_more
from cxr_calibration.labels.facts import NOT_STATED, number_of
from cxr_calibration.labels.film_csv import CsvRow
from cxr_calibration.labels.labelled_films import LabelledFilms
from cxr_calibration.labels.labels import VARIABLES, Label, label_of, read_label_rows
from cxr_calibration.monitoring.reference import Reference, ReferenceFilm, make_reference
from cxr_calibration.pages.card import card_sections, with_sections
from cxr_runtime.atomic import write_bytes
from cxr_runtime.errors import UsageError
from cxr_runtime.files import CARD_FILE
from cxr_runtime.model.folder import open_model
from cxr_runtime.model.looks import Looks


def read_margins(path: Path) -> tuple[LabelledFilms, Reference]:
    """Read a labels file with a column margin.

    Raises:
        UsageError: as `read_labels`, or a margin is missing or no number.
    """
    labels, shown = _read(path)
    films = _films(labels, shown)
    return films, make_reference(shown, patients=films.number_of_patients, is_everyday=False)


def read_beside(path: Path, margins: Path) -> Beside:
    """Another network's margins of the films of a margins file, known by their names, and of more films.

    Raises:
        UsageError: as `read_margins`; or a patient of the margins file has more films in the other one, and
            would count on both sides.
    """
    labels, shown = _read(path)
    said = {label.file: film.margin for label, film in zip(labels, shown, strict=True)}
    here, _ = _read(margins)
    names, patients = {label.file for label in here}, {label.patient for label in here if label.patient}
    more = [number for number, label in enumerate(labels) if label.file not in names]
    for number in more:
        if labels[number].patient in patients:
            raise UsageError(
                f"{path}, line {labels[number].line}: patient {labels[number].patient} has other films in "
                f"{margins}; give films of other patients"
            )
    elsewhere = _films([labels[number] for number in more], [shown[number] for number in more])
    return Beside(np.array([said.get(label.file, np.nan) for label in here], np.float64), elsewhere)


def calibrate_out_of_fold(
    margins: Path,
    films_named: str,
    model: Path | None = None,
    error_rate: float | None = None,
    beside: Path | None = None,
) -> str:
    """Fit a calibration, and describe it in the sections of a model's card.

    Args:
        margins: a labels file with a column margin, see `read_margins`.
        films_named: where the films come from, in a few words.
        model: a model folder. Its calibration.json is replaced, and the sections are written into its card.md
            where there is one. None: nothing is written.
        error_rate: of the review band, 0 < rate < 0.5; None: no film goes to review.
        beside: another network's margins file, by which sensitivity and specificity are founded on more
            films; None: they are those of these films.

    Returns:
        The sections as markdown.

    Raises:
        UsageError: the file cannot be used.
        CalibrationError: the films do not support a calibration.
        ModelError: the model is damaged.
    """
    films, reference = read_margins(margins)
    described = fit_and_describe(films, FitOptions(error_rate=error_rate), reference=reference)
    if beside is not None:
        described = founded_on_more(described, films, read_beside(beside, margins))
    sections = card_sections(described, films_named)
    if model is not None:
        described.refuse_without_default()
        manifest = open_model(model, allow_uncalibrated=True).manifest
        made = date.today().isoformat()
        write_calibration(model, calibration_json(described, fitted_on(manifest), made=made))
        _write_card(model / CARD_FILE, sections)
    return sections


def _write_card(card: Path, sections: str) -> None:
    if card.is_file():
        write_bytes(card, with_sections(card.read_text(encoding="utf-8"), sections).encode())


def _read(path: Path) -> tuple[list[Label], list[ReferenceFilm]]:
    rows = read_label_rows(path)
    labels = [label_of(row) for row in rows]
    return labels, [_shown(label, row) for label, row in zip(labels, rows, strict=True)]


def _films(labels: Sequence[Label], shown: Sequence[ReferenceFilm]) -> LabelledFilms:
    levels = np.array([label.subgroups for label in labels], np.str_).reshape(-1, len(VARIABLES))
    return LabelledFilms(
        margins=np.array([film.margin for film in shown], np.float64),
        truth=np.array([label.abnormal for label in labels], np.bool_),
        patients=np.array([label.patient or f"film {label.file}" for label in labels], np.str_),
        subgroups={
            name: levels[:, number]
            for number, name in enumerate(VARIABLES)
            if (levels[:, number] != NOT_STATED).any()
        },
    )


def _shown(label: Label, row: CsvRow) -> ReferenceFilm:
    margin = row.fact("margin", number_of)
    if margin is None:
        raise row.wrong("margin", "expected a number")
    brightness, contrast = (row.fact(name, number_of) for name in ("brightness", "contrast"))
    looks = row.fact("looks", _numbers) or ()
    return ReferenceFilm(margin, brightness, contrast, view=label.view, looks=looks, abnormal=label.abnormal)


def _numbers(text: str) -> Looks:
    """Numbers with | between them.

    Raises:
        ValueError: one of them is no finite number.
    """
    found = tuple(float(number) for number in filter(None, text.split("|")))
    if not np.isfinite(found).all():
        raise ValueError("expected finite numbers")
    return found
