"""A model folder's calibration.json: its text, and how it is put into the folder."""

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cxr_calibration.fit.conformal import ReviewBand
from cxr_calibration.fit.description import Description
from cxr_calibration.fit.operating_points import MeasuredPoint
from cxr_calibration.fit.subgroups import Subgroup
from cxr_calibration.monitoring.reference import stated_reference
from cxr_calibration.statistics.intervals import rounded, stated, stated_interval
from cxr_runtime.atomic import write_bytes
from cxr_runtime.files import CALIBRATION_FILE
from cxr_runtime.model.calibration import ProbabilityMap
from cxr_runtime.model.own_digest import marked
from cxr_runtime.seals import Sealer
from cxr_runtime.typed_json import to_json


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
    content = asdict(fitted_on) | _stated_map(description.choice.chosen)
    content["operating_points"] = {
        point.name: _stated_point(point, description) for point in description.points
    }
    content |= {"made": made} if made else {}
    content |= {
        "films": description.films,
        "abnormal": description.abnormal,
        "patients": description.patients,
        "unscored": description.unscored,
        "beside": description.beside,
        "auc": stated(description.auc),
        "before": description.before,
        "after": description.after,
        "log_losses": description.choice.log_losses,
        "subgroups": [_stated_subgroup(group) for group in description.subgroups.subgroups],
        "subgroup_differences": description.subgroups.differences,
        "warnings": description.subgroups.warnings,
        "reference": stated_reference(description.reference, description.choice.chosen),
    }
    return to_json(content, unknown_as_null=True)


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
        "default": point.met and point.name == description.default,
        "met": point.met,
        "shortfall": point.shortfall,
        "sensitivity": rounded(point.sensitivity.value),
        "sensitivity_interval": stated_interval(point.sensitivity),
        "specificity": rounded(point.specificity.value),
        "specificity_interval": stated_interval(point.specificity),
        "flagged_share": rounded(point.flagged_share.value),
        "flagged_share_interval": stated_interval(point.flagged_share),
        "true_positives": counts.true_positives,
        "false_positives": counts.false_positives,
        "true_negatives": counts.true_negatives,
        "false_negatives": counts.false_negatives,
        "at_prevalence": {
            f"{at.prevalence:g}": {
                "ppv": stated(at.ppv),
                "npv": stated(at.npv),
                "flagged_share": rounded(at.flagged_share),
            }
            for at in point.at_prevalence
        },
    } | (_stated_band(band) if band else {})


def _stated_subgroup(group: Subgroup) -> dict[str, Any]:
    return {
        "variable": group.variable,
        "level": group.level,
        "films": group.films,
        "abnormal": group.abnormal,
        "sensitivity": stated(group.sensitivity),
        "specificity": stated(group.specificity),
    }


def _stated_band(band: ReviewBand) -> dict[str, Any]:
    return {
        "review_low": band.low,
        "review_high": band.high,
        "review_error_rate": band.error_rate,
        "review_share": stated(band.review_share),
        "review_missed": stated(band.missed),
        "review_false_alarms": stated(band.false_alarms),
    }


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
    write_bytes(path, marked(text, Sealer.of_this_machine()).encode())
    return kept


def _free_name(path: Path) -> Path:
    number = 1
    while (kept := path.with_name(f"{path.stem}-old-{number}{path.suffix}")).exists():
        number += 1
    return kept
