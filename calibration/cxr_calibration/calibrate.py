"""A clinic's own calibration: from a labels file to calibration.json, a table and a page."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np

from cxr_calibration.fit.calibration_json import FittedOn, calibration_json, write_calibration
from cxr_calibration.fit.description import Description, FitOptions, fit_and_describe
from cxr_calibration.fit.threshold_costs import Clinic, costs_csv, threshold_costs
from cxr_calibration.labels.labelled_films import LEARNED_FROM, Gathered, gather
from cxr_calibration.labels.labels import Label
from cxr_calibration.labels.scoring_films import score_films, scores_of_scan, unknown_films
from cxr_calibration.labels.verdict_labels import labels_in
from cxr_calibration.monitoring.reference import Said, make_reference, reference_films
from cxr_calibration.pages.calibration_page import calibration_page
from cxr_runtime.atomic import write_bytes
from cxr_runtime.errors import CalibrationError
from cxr_runtime.model.folder import DEFAULT_MODEL, INPUT_ROUTE, Manifest, Model, is_bundled, open_model
from cxr_runtime.model.known_films import read_known_films
from cxr_runtime.model.own_calibrations import folder_to_keep_it_in
from cxr_runtime.progress import Progress, Silence
from cxr_runtime.store.rows import MADE_ELSEWHERE, StoredScore

PAGE_FILE, TABLE_FILE = "calibration.html", "thresholds.csv"
NOT_KNOWN = (
    "This model does not say which films it has learned from; see to it that none of them is among these."
)


def about_known(films: int) -> str:
    """What is said where films were left out because the model has learned from them; "" for none."""
    if not films:
        return ""
    count = "1 film was" if films == 1 else f"{films:,} films were"
    return (
        f"{count} left out: the model has learned from {'it' if films == 1 else 'them'}, so the "
        f"score{'' if films == 1 else 's'} would look better than on films of yours."
    )


@dataclass(frozen=True)
class CalibrateOptions:
    """What to calibrate, and how."""

    model: str | Path = DEFAULT_MODEL  # name of a model that came with the program, or a model folder
    scan: Path | None = None  # output folder of a scan with this model; None: the films are scored now
    # Folder of the page and the table, and of the calibration of a model that came with the program. None:
    # `NAME-calibration` beside the labels, and the user's own folder for the calibration.
    out: Path | None = None
    fit: FitOptions = FitOptions()  # noqa: RUF009 (frozen)
    prevalence: float | None = None  # of the table's clinic; None: as among the labelled films
    price_per_film: float = 1.0
    price_per_read: float = 10.0


@dataclass(frozen=True)
class CalibrateSummary:
    """What a calibration came to."""

    description: Description
    gathered: Gathered
    folder: Path  # where calibration.json is new
    kept: Path | None  # where the old calibration.json is
    out: Path  # folder of the page and the table
    is_found: bool = True  # scans find the calibration there by themselves
    remarks: tuple[str, ...] = ()  # on the scan, the films, and the default operating point


def calibrate_model(
    labels: Path, options: CalibrateOptions | None = None, progress: Progress | None = None
) -> CalibrateSummary:
    """Fit a calibration on labelled films, and put it where scans with the model find it.

    That is the model's folder; for a model that came with the program it is the user's own folder, or `out`.
    Films that the model has learned from are left out, and counted.

    Args:
        labels: a CSV file, see `read_labels`, or an output folder with verdicts.
        options: what to calibrate, and how.
        progress: told of every film that is scored.

    Raises:
        UsageError: the labels file or an option is wrong.
        ModelError: the model is damaged.
        CalibrationError: the films do not support a calibration, and only the page and the table are
            written; or the scan is another model's.
        StoreError: the scan's folder holds no scan.
    """
    options = options or CalibrateOptions()
    model, said = open_model(options.model, allow_uncalibrated=True), labels_in(labels)
    rows = said.labels
    if labels.is_dir() and options.scan is None:  # the films of the verdicts are those of their store
        options = replace(options, scan=labels)
    folder = _destination(model, options)
    digests = [label.digest() for label in rows]
    if options.scan is None:
        scores = score_films(model, _films_there(rows), progress or Silence())
    else:
        scores = scores_of_scan(model, options.scan, every=labels.is_dir())
    known = read_known_films(model.folder, model.manifest.model_sha256)
    gathered = gather(rows, digests, scores, known)
    description = _describe(gathered, unknown_films(scores, known), options)
    out = options.out or labels.with_name(f"{labels.resolve().stem}-calibration")
    _write_reports(out, description, gathered, options, model)
    description.refuse_without_default()
    text = calibration_json(description, fitted_on(model.manifest), made=date.today().isoformat())
    folder.mkdir(parents=True, exist_ok=True)
    kept = write_calibration(folder, text)
    remarks = (
        *said.remarks,
        "" if all(score.is_ours for score in scores) else MADE_ELSEWHERE.format(options.scan),
        NOT_KNOWN if known is None else about_known(gathered.unscored_by_code.get(LEARNED_FROM, 0)),
        description.about_default,
    )
    is_found = folder != options.out or not is_bundled(model.folder)
    return CalibrateSummary(
        description, gathered, folder, kept, out, is_found, tuple(remark for remark in remarks if remark)
    )


def _destination(model: Model, options: CalibrateOptions) -> Path:
    """Where the calibration goes: nothing is ever written into the program itself."""
    if not is_bundled(model.folder):
        return model.folder
    return options.out or folder_to_keep_it_in(model.manifest.model_sha256)


def _films_there(labels: Sequence[Label]) -> list[Path]:
    there = list(dict.fromkeys(label.path for label in labels if label.path.is_file()))
    if not there:
        raise CalibrationError(
            f"calibration is not possible: none of {len(labels)} labelled films is there (the first would be "
            f"{labels[0].path}); give paths from the labels file's folder, or --scan with a scan of the films"
        )
    return there


def _describe(gathered: Gathered, scores: Sequence[StoredScore], options: CalibrateOptions) -> Description:
    """With a scan, all that was scanned is how films come; without, the labelled films by their weights."""
    films = gathered.films
    if films.normal == 0 or films.abnormal == 0:
        raise CalibrationError(
            f"calibration is not possible: of the films with a score {films.abnormal} are labelled abnormal "
            f"and {films.normal} normal; expected both: label more films"
        )
    whole = options.scan is not None
    rows = films.first_rows
    views = films.subgroups["view"][rows].tolist() if "view" in films.subgroups else [""] * rows.size
    said = map(Said, films.truth[rows].tolist(), views, films.stands_for.tolist())
    known = dict(zip((score.outcome.sha256 for score in gathered.scores), said, strict=True))
    shown = reference_films(scores if whole else gathered.scores, known)
    reference = make_reference(shown, patients=None if whole else films.independent_films, is_everyday=whole)
    everyday = np.array([film.margin for film in shown if film.margin is not None], np.float64)
    return fit_and_describe(
        films,
        options.fit,
        reference=reference,
        everyday=everyday if whole else None,
        unscored=gathered.unscored_by_code,
    )


def fitted_on(manifest: Manifest) -> FittedOn:
    """What a calibration of this model belongs to."""
    return FittedOn(manifest.model_sha256, manifest.preprocessing.version, manifest.precision, INPUT_ROUTE)


def _write_reports(
    out: Path, description: Description, gathered: Gathered, options: CalibrateOptions, model: Model
) -> None:
    films, said = gathered.films, description.choice.probabilities
    prevalence = float(films.truth.mean()) if options.prevalence is None else options.prevalence
    clinic = Clinic(prevalence, price_per_film=options.price_per_film, price_per_read=options.price_per_read)
    out.mkdir(parents=True, exist_ok=True)
    table = costs_csv(threshold_costs(said, films, clinic))
    write_bytes(out / TABLE_FILE, table)
    shown = calibration_page(
        description, films, clinic, model=model.manifest.name, unscored=gathered.unscored
    )
    write_bytes(out / PAGE_FILE, shown.encode())
