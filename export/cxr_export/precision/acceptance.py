"""Whether a lower precision may be used: judged on films, by what a reader would notice."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxr_calibration.statistics.roc import PairedComparison, compare_aucs
from cxr_export.films import ExportFilms, film_scores, run_films
from cxr_runtime.backends.engine import Engine
from cxr_runtime.backends.onnxruntime_cpu import OnnxRuntimeCpu
from cxr_runtime.errors import ModelError
from cxr_runtime.heat.map import HeatMethod, HeatRecipe, heat_cells
from cxr_runtime.model.preprocessing import Preprocessing, place

_FLAT = 1e-4  # standard deviation of heat below which a map shows nothing


@dataclass(frozen=True)
class Limits:
    """What a precision may cost."""

    auc_loss: float  # at most, with 95 % confidence
    score_change: float  # of any film, score 0..100
    heat_correlation: float  # of the median film, at least


LIMITS = {
    "fp16": Limits(0.005, 1.0, 0.999),
    "bf16": Limits(0.005, 1.0, 0.999),
    "int8": Limits(0.02, 10.0, 0.95),
}


@dataclass(frozen=True)
class Acceptance:
    """A precision against float32 on the same films."""

    films: int
    source: str  # where the films come from
    auc: PairedComparison | None  # with float32; None where films have no labels, or scores are no numbers
    score_change: float  # largest of any film, score 0..100, softmax without calibration
    heat_correlation: float  # of the median film's heat map
    lowest_heat_correlation: float  # of any film's heat map

    def as_numbers(self) -> dict[str, float]:
        """For the manifest."""
        numbers: dict[str, float] = {
            "films": self.films,
            "score_change": self.score_change,
            "heat_correlation": self.heat_correlation,
            "lowest_heat_correlation": self.lowest_heat_correlation,
        }
        if self.auc is not None:
            change = self.auc.difference
            numbers |= {"auc_change": change.value, "auc_low": change.low, "auc_high": change.high}
        return numbers


@dataclass(frozen=True)
class Comparison:
    """Two precisions film by film."""

    expected: NDArray[np.float64]  # (N,) scores of float32, 0..100
    found: NDArray[np.float64]  # (N,) scores of the other one
    correlations: NDArray[np.float64]  # (N,) of the two heat maps
    labels: NDArray[np.intp] | None  # (N,) 0 normal, 1 abnormal; None: not known
    patients: NDArray[np.str_] | None = None  # (N,) whose films these are; None: each of another patient


def compare(
    whole: bytes, lower: bytes | Engine, films: ExportFilms, how: Preprocessing, heat: HeatRecipe
) -> Comparison:
    """Run two precisions over the films that judge.

    Args:
        whole: the float32 model, for ONNX Runtime's CPU provider.
        lower: the other one, for the same; or an engine that computes in another precision by itself.
        films: judged on their third part.
        how: the network's preprocessing.
        heat: how conv5 becomes heat.
    """
    engine = OnnxRuntimeCpu(lower) if isinstance(lower, bytes) else lower
    expected, found = (run_films(one, films.judged, how) for one in (OnnxRuntimeCpu(whole), engine))
    placement = place(how.input_hw, None, how)
    correlations = [
        _correlation(*(heat_cells(conv5, heat, HeatMethod.CAM, placement, None) for conv5 in both))
        for both in zip(expected.conv5, found.conv5, strict=True)
    ]
    return Comparison(
        film_scores(expected), film_scores(found), np.array(correlations), films.labels, films.patients
    )


def accept(parts: Sequence[Comparison], source: str) -> Acceptance:
    """What a precision costs over all parts, e.g. the folds of a cross-validation.

    Args:
        parts: at least one; of networks that each judge films of their own.
        source: where the films come from.
    """
    expected, found, correlations = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("expected", "found", "correlations")
    )
    labels = [part.labels for part in parts if part.labels is not None]
    patients = [part.patients for part in parts if part.patients is not None]
    by_patient = np.concatenate(patients) if len(patients) == len(parts) else None
    is_comparable = len(labels) == len(parts) and bool(np.isfinite(found).all())
    return Acceptance(
        films=len(expected),
        source=source,
        auc=compare_aucs(found, expected, np.concatenate(labels), by_patient) if is_comparable else None,
        score_change=float(np.abs(expected - found).max()),
        heat_correlation=float(np.median(correlations)),
        lowest_heat_correlation=float(np.min(correlations)),
    )


def excessive_costs(precision: str, found: Acceptance) -> list[str]:
    """What a precision costs beyond what LIMITS allows, a phrase each."""
    limits = LIMITS[precision]
    costs = [
        (f"a film's score changes by {found.score_change:.2f}", found.score_change <= limits.score_change),
        (
            f"heat maps correlate by {found.heat_correlation:.4f} only",
            found.heat_correlation >= limits.heat_correlation,
        ),
    ]
    if found.auc is not None:
        loss = -found.auc.difference.low
        costs.append((f"the AUC may be {loss:.4f} lower", loss <= limits.auc_loss))
    return [cost for cost, is_within in costs if not is_within]


def refuse_costly(precision: str, found: Acceptance) -> None:
    """Raise ModelError where a precision costs more than LIMITS allows."""
    costs, limits = excessive_costs(precision, found), LIMITS[precision]
    if costs:
        raise ModelError(
            f"{precision} is not accepted on {found.films} films of {found.source}: {'; '.join(costs)}; "
            f"at most {limits.score_change:g}, {limits.heat_correlation:g} and {limits.auc_loss:g} are: "
            "export float32, or give more films for calibration"
        )


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Pearson's of two heat maps; of flat ones, 1 where both are flat alike."""
    if one.std() < _FLAT or other.std() < _FLAT:
        return float(np.abs(one - other).max() < 10 * _FLAT)
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])
