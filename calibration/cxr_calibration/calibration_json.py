"""The text of calibration.json: a description, for the scan and for people."""

from dataclasses import asdict, dataclass
from typing import Any

from cxr_calibration.conformal import ReviewBand
from cxr_calibration.description import Description
from cxr_calibration.intervals import Estimate
from cxr_calibration.operating_points import MeasuredPoint
from cxr_calibration.plain_json import plain_json, rounded
from cxr_calibration.reference_json import stated_reference
from cxr_runtime.model.calibration import ProbabilityMap


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
