"""A model's calibration.json, applied: from logits to a probability, from a probability to a triage."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.errors import CalibrationError
from cxr_runtime.logits import sigmoid
from cxr_runtime.model.likeness import LooksReference
from cxr_runtime.model.own_digest import mark_of, read_plain
from cxr_runtime.outcome import Triage
from cxr_runtime.typed_json import from_json
from cxr_runtime.view_shares import StatedSubgroup, ViewShares, by_view

MOST_KNOTS = 100_000
MOST_NAME = 100  # characters of an operating point's name
METHODS = ("temperature", "platt", "isotonic")
FLAGS_NO_FILM = float(np.nextafter(1.0, 2.0))  # the highest threshold: above every probability


@dataclass(frozen=True, kw_only=True)
class ProbabilityMap:
    """A rising map, so that no calibration changes the order of the worklist."""

    method: str  # one of METHODS
    temperature: float = 1.0  # method temperature: sigmoid(margin / temperature), above 0
    slope: float = 1.0  # method platt: sigmoid(slope * margin + intercept), above 0
    intercept: float = 0.0  # method platt
    knots: tuple[tuple[float, float], ...] = ()  # method isotonic: (margin, probability), both rising

    def __post_init__(self) -> None:
        """Refuse what is no rising map.

        Raises:
            ValueError: unknown method, or parameters that are not finite, positive or rising.
        """
        if self.method not in METHODS:
            raise ValueError(f"method {self.method!r} is none of {', '.join(METHODS)}")
        numbers = (self.temperature, self.slope, self.intercept)
        if not np.isfinite(numbers).all() or self.temperature <= 0 or self.slope <= 0:
            raise ValueError("the temperature or slope is not a positive, finite number")
        if self.method == "isotonic":
            self._check_knots()

    def _check_knots(self) -> None:
        if not 2 <= len(self.knots) <= MOST_KNOTS:
            raise ValueError(f"method isotonic needs 2 to {MOST_KNOTS} knots, not {len(self.knots)}")
        knots = np.array(self.knots, np.float64)
        margins_rise, values_rise = np.diff(knots, axis=0).T
        within = np.isfinite(knots).all() and (knots[:, 1] >= 0).all() and (knots[:, 1] <= 1).all()
        if not within or (margins_rise <= 0).any() or (values_rise < 0).any():
            raise ValueError("the isotonic knots do not rise from 0 to 1")

    def probability(self, margin: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated probability of abnormal.

        Args:
            margin: (B,) float64, logit of abnormal minus logit of normal.

        Returns:
            (B,) float64 in 0..1.
        """
        if self.method == "isotonic":
            at, value = np.array(self.knots, np.float64).T
            return np.asarray(np.interp(margin, at, value), np.float64)
        if self.method == "platt":
            return sigmoid(self.slope * margin + self.intercept)
        return sigmoid(margin / self.temperature)


@dataclass(frozen=True)
class OperatingPoint:
    """A named threshold, and what was measured of it."""

    name: str  # e.g. balanced
    threshold: float  # flagged at or above this probability
    met: bool = True  # the data supported the point's own target
    review_low: float | None = None  # films in [review_low, review_high] go to review
    review_high: float | None = None
    sensitivity: float | None = None  # measured by cross-validation, 0..1
    specificity: float | None = None  # measured by cross-validation, 0..1

    def __post_init__(self) -> None:
        """Refuse what is no probability.

        Raises:
            ValueError: the name cannot be shown; a threshold, an end of the review band or a measured share
                is not within 0..1; or the band's ends are turned round.
        """
        if not 0 < len(self.name) <= MOST_NAME or not self.name.isprintable():
            raise ValueError(f"the name {self.name[:MOST_NAME]!r} of an operating point is empty or too long")
        if not 0 <= self.threshold <= FLAGS_NO_FILM:
            raise ValueError(f"threshold {self.threshold} of {self.name} is not within 0..1")
        shares = (self.review_low, self.review_high, self.sensitivity, self.specificity)
        if not all(share is None or 0 <= share <= 1 for share in shares):
            raise ValueError(f"a share of {self.name} is not within 0..1")
        low, high = self.review_low, self.review_high
        if low is not None and high is not None and low > high:
            raise ValueError(f"the review band of {self.name} ends at {high}, below its start {low}")

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
    looks: LooksReference | None = None  # how its films looked; None where it does not say
    films: int = 0  # labelled films that it was made on; 0 where it does not say
    abnormal: int = 0  # of these
    made: str = ""  # date; "" where it does not say
    by_view: tuple[ViewShares, ...] = ()  # of the default operating point

    def __post_init__(self) -> None:
        """Refuse what no calibration can be.

        Raises:
            ValueError: as of the map; or the date is none that reports can show.
        """
        super().__post_init__()
        if len(self.made) > MOST_NAME or (self.made and not self.made.isprintable()):
            raise ValueError(f"the date {self.made[:MOST_NAME]!r} cannot be shown")

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


@dataclass(frozen=True, kw_only=True)
class _StatedPoint:
    """An operating point as calibration.json has it, under its name."""

    threshold: float
    default: bool = False
    met: bool = True
    review_low: float | None = None
    review_high: float | None = None
    sensitivity: float | None = None
    specificity: float | None = None


@dataclass(frozen=True, kw_only=True)
class _StatedReference:
    """What a scan reads of the films that the calibration was made on."""

    looks: LooksReference | None = None


@dataclass(frozen=True, kw_only=True)
class _Stated(ProbabilityMap):
    """What a scan reads of calibration.json."""

    model_sha256: str
    preprocessing_version: str
    precision: str
    input_route: str
    operating_points: dict[str, _StatedPoint]
    reference: _StatedReference | None = None
    subgroups: tuple[StatedSubgroup, ...] = ()
    films: int = 0
    abnormal: int = 0
    made: str = ""


def read_calibration(path: Path) -> Calibration:
    """Read a calibration.json.

    Raises:
        CalibrationError: the file is damaged, or states something that cannot be.
    """
    try:
        content = read_plain(path)
        stated = from_json(content, _Stated)
        mark_of(content)
        return _calibration(stated)
    except (OSError, ValueError) as error:
        raise CalibrationError(
            f"calibration {path} cannot be used ({error}); expected a file written by "
            "`cxr-triage calibrate`: make it anew with that command"
        ) from error


def _calibration(stated: _Stated) -> Calibration:
    points = stated.operating_points
    default = next((name for name, point in points.items() if point.default), "balanced")
    return Calibration(
        model_sha256=stated.model_sha256,
        preprocessing_version=stated.preprocessing_version,
        precision=stated.precision,
        input_route=stated.input_route,
        method=stated.method,
        temperature=stated.temperature,
        slope=stated.slope,
        intercept=stated.intercept,
        knots=stated.knots,
        operating_points=tuple(_point(name, point) for name, point in points.items()),
        default_operating_point=default,
        looks=None if stated.reference is None else stated.reference.looks,
        films=stated.films,
        abnormal=stated.abnormal,
        made=stated.made,
        by_view=by_view(stated.subgroups),
    )


def _point(name: str, stated: _StatedPoint) -> OperatingPoint:
    return OperatingPoint(
        name=name,
        threshold=stated.threshold,
        met=stated.met,
        review_low=stated.review_low,
        review_high=stated.review_high,
        sensitivity=stated.sensitivity,
        specificity=stated.specificity,
    )
