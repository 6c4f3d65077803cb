"""Monitoring: do the last nights still look like the films that the calibration was made on?"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cxr_calibration.labels.verdict_labels import labels_in
from cxr_calibration.monitoring.checks import Threshold
from cxr_calibration.monitoring.drift_report import (
    CHOSEN_FILMS,
    Agreement,
    DriftReport,
    Promised,
    measure_agreement,
)
from cxr_calibration.monitoring.nights import FALSE_ALARMS, Night, baseline, compare_nights, read_nights
from cxr_calibration.monitoring.reference import read_reference
from cxr_calibration.pages.monitor_page import monitor_page
from cxr_calibration.statistics.intervals import Estimate
from cxr_runtime.atomic import write_bytes
from cxr_runtime.errors import CalibrationError, StoreError
from cxr_runtime.model.folder import DEFAULT_MODEL, Model, open_model
from cxr_runtime.store.rows import MADE_ELSEWHERE
from cxr_runtime.typed_json import from_json, to_json

PAGE_FILE, JSON_FILE = "monitor.html", "monitor.json"


@dataclass(frozen=True)
class MonitorOptions:
    """What to compare with, and how readily to alarm."""

    model: str | Path = DEFAULT_MODEL  # whose calibration is compared with
    calibration: Path | None = None  # None: the user's own, or the model's
    operating_point: str | None = None  # None: the calibration's default one
    baseline: tuple[Path, ...] = ()  # nights that were in order, compared with instead
    verdicts: Path | None = None  # readers' verdicts: a labels file, or an output folder in which they are
    false_alarms: float = FALSE_ALARMS  # chance that a run alarms where nothing has changed, 0 < chance < 1
    out: Path | None = None  # folder of the page and the JSON; None: the latest night's folder


def compare_scans(folders: Sequence[Path], options: MonitorOptions | None = None) -> tuple[DriftReport, Path]:
    """Compare nights with the reference, and write monitor.html and monitor.json.

    Args:
        folders: output folders of scans, at least one.
        options: what to compare with.

    Returns:
        What was found, and the folder of the page and the JSON.

    Raises:
        UsageError: the file of readers' verdicts is wrong.
        ModelError: the model is damaged.
        CalibrationError: the calibration is missing, foreign or has no reference, or a night is of another
            model.
        StoreError: a folder holds no scan, or the page's folder cannot be written.
    """
    options = options or MonitorOptions()
    model = open_model(options.model, calibration=options.calibration)
    point = model.calibration.operating_point(options.operating_point)
    threshold = Threshold(model.calibration, point.threshold)
    calibration = model.calibration_file
    reference = baseline(model, options.baseline) if options.baseline else read_reference(calibration)
    nights = read_nights(model, folders)
    agreement = None
    if options.verdicts is not None:
        agreement = _agreement(options.verdicts, nights, threshold, read_promised(calibration, point.name))
    reports = compare_nights(
        nights, reference, threshold, options.false_alarms, agreement.checks if agreement else ()
    )
    remarks = [CHOSEN_FILMS] if reference.films is None else []
    foreign = [night.name for night in nights if not all(score.is_ours for score in night.scores)]
    if foreign:
        remarks.append(MADE_ELSEWHERE.format(", ".join(foreign)))
    found = DriftReport(reports, agreement, options.false_alarms, " ".join(remarks))
    out = options.out or nights[-1].folder
    page = monitor_page(found, nights, reference, threshold)
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_bytes(out / PAGE_FILE, page.encode())
        write_bytes(out / JSON_FILE, _stated(found, model, point.name).encode())
    except OSError as error:
        raise StoreError(
            f"{out} cannot be written ({error.strerror or error}); name a folder for the page with --out"
        ) from error
    return found, out


def _agreement(path: Path, nights: Sequence[Night], threshold: Threshold, promised: Promised) -> Agreement:
    labels = labels_in(path).labels
    scores = [score for night in nights for score in night.scores]
    return measure_agreement(labels, [label.digest() for label in labels], scores, threshold, promised)


@dataclass(frozen=True)
class _StatedPoint:
    """What calibration.json states of an operating point."""

    sensitivity: float | None = None
    sensitivity_interval: tuple[float | None, float | None] | None = None
    specificity: float | None = None
    specificity_interval: tuple[float | None, float | None] | None = None


@dataclass(frozen=True)
class _Promises:
    operating_points: dict[str, _StatedPoint]


def read_promised(calibration: Path, point: str) -> Promised:
    """What the calibration states of an operating point.

    Raises:
        CalibrationError: the file does not say.
    """
    try:
        stated = from_json(calibration.read_bytes(), _Promises).operating_points[point]
    except ValueError as error:
        raise _without_promise(calibration, point) from error
    sensitivity = _estimate(stated.sensitivity, stated.sensitivity_interval)
    specificity = _estimate(stated.specificity, stated.specificity_interval)
    if sensitivity is None or specificity is None:
        raise _without_promise(calibration, point)
    return Promised(sensitivity, specificity)


def _estimate(value: float | None, interval: tuple[float | None, float | None] | None) -> Estimate | None:
    low, high = interval or (None, None)
    return None if value is None or low is None or high is None else Estimate(value, low, high)


def _without_promise(calibration: Path, point: str) -> CalibrationError:
    return CalibrationError(
        f"the calibration {calibration} does not state sensitivity and specificity of {point} with their "
        "intervals, so nothing can be compared with them; make it anew with `cxr-triage calibrate`"
    )


def _stated(found: DriftReport, model: Model, point: str) -> str:
    agreement = found.agreement
    return to_json(
        {
            "alarm": bool(found.alarms),
            "verdict": found.sentence,
            "alarms": found.alarms,
            "remark": found.remark,
            "false_alarms": found.false_alarms,
            "model": model.manifest.name,
            "model_sha256": model.manifest.model_sha256,
            "operating_point": point,
            "nights": found.reports,
            "agreement": agreement and {"counts": agreement.counts, "kappa": agreement.kappa},
        },
        unknown_as_null=True,
    )
