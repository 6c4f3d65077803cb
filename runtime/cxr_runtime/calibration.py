"""A model's calibration.json, applied: from logits to a probability, from a probability to a triage."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cxr_runtime.errors import CalibrationError
from cxr_runtime.outcome import Triage
from cxr_runtime.probability_map import ProbabilityMap

CALIBRATION_FILE = "calibration.json"


@dataclass(frozen=True)
class OperatingPoint:
    """A named threshold, and what it was measured to buy."""

    name: str  # e.g. balanced
    threshold: float  # flagged at or above this probability
    met: bool = True  # the data supported the point's own target
    review_low: float | None = None  # films in [review_low, review_high] go to review
    review_high: float | None = None
    sensitivity: float | None = None  # measured by cross-validation, 0..1
    specificity: float | None = None  # measured by cross-validation, 0..1

    def triage(self, probability: float) -> Triage:
        """What a film of this probability asks of the reader."""
        low, high = self.review_low, self.review_high
        if low is not None and high is not None and low <= probability <= high:
            return Triage.REVIEW
        return Triage.FLAGGED if probability >= self.threshold else Triage.NOT_FLAGGED


@dataclass(frozen=True)
class Calibration(ProbabilityMap):
    """How one model's margins become probabilities and triage; fitted by `cxr-triage calibrate`."""

    model_sha256: str  # of the model.onnx it was fitted on
    preprocessing_version: str  # of the preprocessing it was fitted on
    precision: str  # fp32, fp16 or int8
    input_route: str  # how film pixels reach the preprocessing; `full` = decoded at full size
    operating_points: tuple[OperatingPoint, ...] = ()
    default_operating_point: str = "balanced"

    def operating_point(self, name: str | None = None) -> OperatingPoint:
        """The operating point of that name, or the default one.

        Raises:
            CalibrationError: there is none of that name.
        """
        wanted = name or self.default_operating_point
        for point in self.operating_points:
            if point.name == wanted:
                return point
        known = ", ".join(point.name for point in self.operating_points) or "none"
        raise CalibrationError(
            f"operating point {wanted!r} is not in the calibration (it has: {known}); "
            "choose one of these, or make it with `cxr-triage calibrate`"
        )


def uncalibrated(model_sha256: str, preprocessing_version: str, precision: str) -> Calibration:
    """The plain softmax with a threshold of one half, for `--allow-uncalibrated` only."""
    half = OperatingPoint("uncalibrated", threshold=0.5, met=False)
    return Calibration(
        model_sha256, preprocessing_version, precision, "full", method="temperature",
        operating_points=(half,), default_operating_point=half.name,
    )  # fmt: skip


def read_calibration(path: Path) -> Calibration:
    """Read a calibration.json.

    Raises:
        CalibrationError: the file is damaged, or states something that cannot be.
    """
    try:
        return _parse(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CalibrationError(
            f"calibration {path} cannot be used ({error!r}); expected a file written by "
            "`cxr-triage calibrate`: make it anew with that command"
        ) from error


def _parse(stated: dict[str, Any]) -> Calibration:
    points = tuple(_parse_point(name, point) for name, point in stated["operating_points"].items())
    default = [name for name, point in stated["operating_points"].items() if point.get("default")]
    if not np.isfinite([point.threshold for point in points]).all():
        raise ValueError("a threshold is not a finite number")
    return Calibration(
        model_sha256=str(stated["model_sha256"]),
        preprocessing_version=str(stated["preprocessing_version"]),
        precision=str(stated["precision"]),
        input_route=str(stated["input_route"]),
        method=str(stated["method"]),
        temperature=float(stated.get("temperature", 1.0)),
        slope=float(stated.get("slope", 1.0)),
        intercept=float(stated.get("intercept", 0.0)),
        knots=tuple((float(at), float(value)) for at, value in stated.get("knots", ())),
        operating_points=points,
        default_operating_point=default[0] if default else "balanced",
    )


def _parse_point(name: str, stated: dict[str, Any]) -> OperatingPoint:
    def number(key: str) -> float | None:
        return None if stated.get(key) is None else float(stated[key])

    return OperatingPoint(
        name=name,
        threshold=float(stated["threshold"]),
        met=bool(stated.get("met", True)),
        review_low=number("review_low"),
        review_high=number("review_high"),
        sensitivity=number("sensitivity"),
        specificity=number("specificity"),
    )
