"""The whole of a calibration: fitted, measured by cross-validation, and ready to be written."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.fit.conformal import ReviewBand, measure_band
from cxr_calibration.fit.operating_points import MeasuredPoint, measure_point
from cxr_calibration.fit.probability_maps import MapChoice, choose_map
from cxr_calibration.fit.rules import DEFAULT_RULES, Rule
from cxr_calibration.fit.subgroups import SubgroupReport, measure_subgroups
from cxr_calibration.labels.labelled_films import LabelledFilms
from cxr_calibration.monitoring.reference import Reference, ReferenceFilm, make_reference
from cxr_calibration.statistics.checked import Scores, Truth
from cxr_calibration.statistics.folds import FOLDS, grouped_folds
from cxr_calibration.statistics.intervals import Estimate, bootstrap
from cxr_calibration.statistics.probability_scores import (
    ReliabilityBin,
    brier,
    calibration_error,
    log_loss,
    reliability,
)
from cxr_calibration.statistics.roc import auc
from cxr_runtime.errors import CalibrationError, UsageError
from cxr_runtime.model.calibration import ProbabilityMap

BARE_SOFTMAX = ProbabilityMap(method="temperature", temperature=1.0)


@dataclass(frozen=True)
class FitOptions:
    """How to calibrate."""

    rules: Sequence[Rule] = DEFAULT_RULES
    default: str = "balanced"  # name of the operating point that a scan uses when none is asked for
    error_rate: float | None = None  # of the review band, 0 < rate < 0.5; None: no film goes to review
    folds: int = FOLDS
    seed: int = 0  # of folds, bootstrap and permutations

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            UsageError: the default is none of the operating points, two have one name, or the error rate is
                out of range.
        """
        names = [rule.name for rule in self.rules]
        if len(set(names)) < len(names):
            raise UsageError(f"operating points {', '.join(names)} are not all different; give each once")
        if self.default not in names:
            raise UsageError(
                f"default operating point {self.default!r} is none of those asked for ({', '.join(names)}); "
                "ask for it too, or choose one of these"
            )
        if self.error_rate is not None and not 0 < self.error_rate < 0.5:
            raise UsageError(f"error rate {self.error_rate} must be between 0 and 0.5, e.g. 0.05")


@dataclass(frozen=True)
class Quality:
    """How good probabilities are."""

    brier: float
    calibration_error: float  # ECE, ten bins of one width
    log_loss: float


@dataclass(frozen=True)
class Description:
    """A fitted calibration with everything measured of it."""

    choice: MapChoice
    auc: Estimate  # bootstrap by patient
    before: Quality  # of the bare softmax
    after: Quality  # by cross-validation
    reliability: tuple[ReliabilityBin, ...]  # by cross-validation
    points: tuple[MeasuredPoint, ...]
    bands: dict[str, ReviewBand]  # by name of operating point; empty without an error rate
    default: str  # name of the default operating point: the one asked for, or the next that is met
    asked_default: str  # name of the one asked for
    subgroups: SubgroupReport  # at the default operating point
    reference: Reference
    films: int
    abnormal: int
    patients: int
    unscored: dict[str, int] = field(default_factory=dict)  # labelled films without a score, by code
    beside: int = 0  # films of another network's margins by which shares are corrected, see `wider`

    @property
    def default_point(self) -> MeasuredPoint:
        """The operating point that a scan uses when none is asked for."""
        return next(point for point in self.points if point.name == self.default)

    def refuse_without_default(self) -> None:
        """Refuse to put a calibration in place whose films support no operating point.

        Raises:
            CalibrationError: no operating point is met, so there is none that scans could use.
        """
        default = self.default_point
        if not default.met:
            raise CalibrationError(
                f"no operating point is met by these {self.films} films ({default.name}: "
                f"{default.shortfall}), and a scan needs one that is; label more films. The calibration "
                "stays as it was"
            )

    @property
    def about_default(self) -> str:
        """What is said where another operating point than the one asked for is the default; "" otherwise."""
        if self.default == self.asked_default:
            return ""
        asked = next(point for point in self.points if point.name == self.asked_default)
        return (
            f"{asked.name} is not met ({asked.shortfall}), so it is not the default: scans use "
            f"{self.default} if no other operating point is asked for."
        )


def fit_and_describe(
    films: LabelledFilms,
    options: FitOptions | None = None,
    *,
    reference: Reference | None = None,
    everyday: Scores | None = None,
    unscored: dict[str, int] | None = None,
) -> Description:
    """Fit the map and the operating points, and measure all of it on films it was not fitted on.

    Args:
        films: N films that the network was not trained on, or with out-of-fold margins.
        options: how to calibrate.
        reference: what monitoring will compare with; None: these films' own margins.
        everyday: (M,) margins of films as they come, for `capacity` and the flagged share; None: these
            films' own, each as often as it stands for films.
        unscored: labelled films that got no score, by code.

    Raises:
        ValueError: a margin is not finite, or a class is empty.
        CalibrationError: the scores do not tell the films apart, or there are too few of them or of patients.
    """
    options = options or FitOptions()
    if films.number_of_patients < 2:
        raise CalibrationError(
            f"all {films.films} films with a score are of one patient; expected films of several, as a "
            "threshold is tried on patients it was not set on: correct the column patient, or label others"
        )
    usual, sources = (films.margins, films.sources) if everyday is None else (everyday, None)
    folds = grouped_folds(
        films.patients, films.truth, min(options.folds, films.number_of_patients), options.seed
    )
    choice = choose_map(films.margins, films.truth, folds, films.sources)
    points = tuple(measure_point(rule, films, choice, folds, usual, sources) for rule in options.rules)
    bands: dict[str, ReviewBand] = {}
    if options.error_rate is not None:
        for point in points:
            bands[point.name] = measure_band(point, films, choice, folds, usual, options.error_rate, sources)
    default = _default(points, options.default)
    return Description(
        choice=choice,
        auc=_auc(films, options.seed),
        before=_quality(BARE_SOFTMAX.probability(films.margins), films.truth),
        after=_quality(choice.probabilities, films.truth),
        reliability=reliability(choice.probabilities, films.truth, sources=films.sources),
        points=points,
        bands=bands,
        default=default.name,
        asked_default=options.default,
        subgroups=measure_subgroups(films, default.flagged, options.seed),
        reference=reference or _own_reference(films),
        films=films.films,
        abnormal=films.abnormal,
        patients=films.number_of_patients,
        unscored=dict(unscored or {}),
    )


def _default(points: Sequence[MeasuredPoint], asked: str) -> MeasuredPoint:
    """The point asked for, or the next one in the list that is met; where none is, the one asked for."""
    first = next(number for number, point in enumerate(points) if point.name == asked)
    in_turn = [*points[first:], *points[:first]]
    return next((point for point in in_turn if point.met), in_turn[0])


def _quality(probabilities: Scores, truth: Truth) -> Quality:
    return Quality(
        brier(probabilities, truth), calibration_error(probabilities, truth), log_loss(probabilities, truth)
    )


def _auc(films: LabelledFilms, seed: int) -> Estimate:
    def of(rows: NDArray[np.intp]) -> float:
        truth = films.truth[rows]
        return auc(films.margins[rows], truth) if 0 < truth.sum() < truth.size else float("nan")

    return bootstrap(of, films.patients, classes=films.truth, seed=seed)


def _own_reference(films: LabelledFilms) -> Reference:
    own = (ReferenceFilm(margin) for margin in films.margins.tolist())
    return make_reference(own, patients=films.number_of_patients, is_everyday=False)
