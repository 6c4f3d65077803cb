"""A model folder's calibration.json: its text, and how it is put into the folder."""

import json
import shutil
from dataclasses import asdict, dataclass, fields, is_dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from cxr_calibration.fit.conformal import ReviewBand
from cxr_calibration.fit.description import Description
from cxr_calibration.fit.operating_points import MeasuredPoint
from cxr_calibration.monitoring.reference import stated_reference
from cxr_calibration.statistics.intervals import Estimate
from cxr_runtime.atomic import write_bytes
from cxr_runtime.file_names import CALIBRATION_FILE
from cxr_runtime.model.calibration import ProbabilityMap

DECIMALS = 6  # of measured numbers; thresholds and maps are written in full


def plain_json(value: Any) -> str:
    """Indented JSON with a line feed at the end; a number that is not finite becomes null."""
    return json.dumps(plain(value), indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def plain(value: Any) -> Any:
    """Dataclasses as objects, estimates as value and interval, arrays as rounded lists."""
    if isinstance(value, Estimate):
        return {"value": rounded(value.value), "interval": [rounded(value.low), rounded(value.high)]}
    if is_dataclass(value):
        return {entry.name: plain(getattr(value, entry.name)) for entry in fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray):
        value = value.round(DECIMALS).tolist()
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, float) and not isfinite(value):
        return None
    return value


def rounded(value: float) -> float | None:
    """DECIMALS places; None where the number is not finite."""
    return round(value, DECIMALS) if isfinite(value) else None


@dataclass(frozen=True)
class FittedOn:
    """What a calibration belongs to; a scan with anything else refuses it."""

    model_sha256: str  # of model.onnx, 64 hex digits
    preprocessing_version: str
    precision: str  # fp32, fp16 or int8
    input_route: str = "full"  # films decoded at full size


def calibration_json(description: Description, fitted_on: FittedOn, made: str = "") -> str:
    """The text of a calibration.json.

    Args:
        description: from `fit_and_describe`.
        fitted_on: the model it was fitted on.
        made: date, and whatever else tells one calibration from the next; "" is left out.
    """
    stated = asdict(fitted_on) | _stated_map(description.choice.chosen)
    stated["operating_points"] = {
        point.name: _stated_point(point, description) for point in description.points
    }
    stated |= {"made": made} if made else {}
    stated |= {
        "films": description.films,
        "abnormal": description.abnormal,
        "patients": description.patients,
        "unscored": description.unscored,
        "auc": description.auc,
        "before": description.before,
        "after": description.after,
        "log_losses": description.choice.log_losses,
        "subgroups": description.subgroups.subgroups,
        "subgroup_differences": description.subgroups.differences,
        "warnings": description.subgroups.warnings,
        "reference": stated_reference(description.reference, description.choice.chosen),
    }
    return plain_json(stated)


def _stated_map(fitted: ProbabilityMap) -> dict[str, Any]:
    own: dict[str, dict[str, Any]] = {
        "temperature": {"temperature": fitted.temperature},
        "platt": {"slope": fitted.slope, "intercept": fitted.intercept},
        "isotonic": {"knots": [list(knot) for knot in fitted.knots]},
    }
    return {"method": fitted.method} | own[fitted.method]


def _stated_point(point: MeasuredPoint, description: Description) -> dict[str, Any]:
    band = description.bands.get(point.name)
    counts = point.counts
    return {
        "threshold": point.threshold,
        "default": point.name == description.default,
        "met": point.met,
        "shortfall": point.shortfall,
        "sensitivity": rounded(point.sensitivity.value),
        "sensitivity_interval": _ends(point.sensitivity),
        "specificity": rounded(point.specificity.value),
        "specificity_interval": _ends(point.specificity),
        "flagged_share": rounded(point.flagged_share.value),
        "flagged_share_interval": _ends(point.flagged_share),
        "true_positives": counts.true_positives,
        "false_positives": counts.false_positives,
        "true_negatives": counts.true_negatives,
        "false_negatives": counts.false_negatives,
        "at_prevalence": {
            f"{at.prevalence:g}": {"ppv": at.ppv, "npv": at.npv, "flagged_share": rounded(at.flagged_share)}
            for at in point.at_prevalence
        },
    } | (_stated_band(band) if band else {})


def _stated_band(band: ReviewBand) -> dict[str, Any]:
    return {
        "review_low": band.low,
        "review_high": band.high,
        "review_error_rate": band.error_rate,
        "review_share": band.review_share,
        "review_missed": band.missed,
        "review_false_alarms": band.false_alarms,
    }


def _ends(estimate: Estimate) -> list[float | None]:
    return [rounded(estimate.low), rounded(estimate.high)]


def write_calibration(folder: Path, text: str) -> Path | None:
    """Put a calibration.json into a model folder, all at once, keeping the old one beside it.

    Returns:
        Where the old one was kept, or None where there was none.

    Raises:
        OSError: the folder cannot be written; the calibration.json in it is then as it was.
    """
    path, kept = folder / CALIBRATION_FILE, None
    if path.exists():
        kept = _free_name(path)
        shutil.copy2(path, kept)
    write_bytes(path, text.encode())
    return kept


def _free_name(path: Path) -> Path:
    number = 1
    while (kept := path.with_name(f"{path.stem}-old-{number}{path.suffix}")).exists():
        number += 1
    return kept
