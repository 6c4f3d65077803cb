"""Whether a lower precision may be used: judged on films, by what a reader would notice."""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from cxr_export.films import ExportFilms
from cxr_export.paired_auc import PairedAuc, paired_auc
from cxr_runtime.backends.engine import Engine, Outputs
from cxr_runtime.backends.onnxruntime_cpu import OnnxRuntimeCpu
from cxr_runtime.errors import ModelError
from cxr_runtime.heat import HeatMethod, HeatRecipe, heat_cells
from cxr_runtime.preprocessing import Preprocessing, normalise

_FILMS_AT_ONCE = 8
_FLAT = 1e-4  # standard deviation of heat below which a map shows nothing


@dataclass(frozen=True)
class Limits:
    """What a precision may cost."""

    auc_loss: float  # at most, with 95 % confidence
    score_change: float  # of any film, score 0..100
    heat_correlation: float  # of the median film, at least


LIMITS = {"fp16": Limits(0.005, 1.0, 0.999), "int8": Limits(0.02, 10.0, 0.95)}


@dataclass(frozen=True)
class Acceptance:
    """A precision against float32 on the same films."""

    films: int
    source: str  # where the films come from
    auc: PairedAuc | None  # None where the films have no labels
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
            numbers |= {f"auc_{name}": value for name, value in asdict(self.auc).items() if name != "auc"}
        return numbers


def compare(
    whole: bytes, lower: bytes, films: ExportFilms, how: Preprocessing, heat: HeatRecipe
) -> Acceptance:
    """Run both precisions over the films, on ONNX Runtime's CPU provider.

    Args:
        whole: the float32 model.
        lower: the same model in the other precision.
        films: judged on their second part.
        how: the network's preprocessing.
        heat: how conv5 becomes heat.
    """
    expected, found = (_run(OnnxRuntimeCpu(onnx), films.judged, how) for onnx in (whole, lower))
    scores, others = (_score(outputs) for outputs in (expected, found))
    correlations = [
        _correlation(heat_cells(one, heat, HeatMethod.CAM), heat_cells(other, heat, HeatMethod.CAM))
        for one, other in zip(expected.conv5, found.conv5, strict=True)
    ]
    return Acceptance(
        films=len(scores),
        source=films.source,
        auc=None if films.labels is None else paired_auc(others, scores, films.labels),
        score_change=float(np.abs(scores - others).max()),
        heat_correlation=float(np.median(correlations)),
        lowest_heat_correlation=float(np.min(correlations)),
    )


def refuse_costly(precision: str, found: Acceptance) -> None:
    """Raise ModelError where a precision costs more than LIMITS allows."""
    limits = LIMITS[precision]
    costs = [
        (f"a film's score changes by {found.score_change:.2f}", found.score_change <= limits.score_change),
        (
            f"heat maps correlate by {found.heat_correlation:.4f} only",
            found.heat_correlation >= limits.heat_correlation,
        ),
    ]
    if found.auc is not None:
        loss = -found.auc.low
        costs.append((f"the AUC may be {loss:.4f} lower", loss <= limits.auc_loss))
    told = [cost for cost, is_within in costs if not is_within]
    if told:
        raise ModelError(
            f"{precision} is not accepted on {found.films} films of {found.source}: {'; '.join(told)}; "
            f"at most {limits.score_change:g}, {limits.heat_correlation:g} and {limits.auc_loss:g} are: "
            "export float32, or give more films for calibration"
        )


def _run(engine: Engine, inputs: NDArray[np.uint8], how: Preprocessing) -> Outputs:
    starts = range(0, len(inputs), _FILMS_AT_ONCE)
    parts = [engine.run(normalise(inputs[start : start + _FILMS_AT_ONCE], how)) for start in starts]
    engine.close()
    return Outputs(
        np.concatenate([part.logits for part in parts]), np.concatenate([part.conv5 for part in parts])
    )


def _score(outputs: Outputs) -> NDArray[np.float64]:
    """(N,) 0..100, softmax of abnormal."""
    margin = outputs.logits[:, 1].astype(np.float64) - outputs.logits[:, 0]
    return np.asarray(100 * np.exp(-np.logaddexp(0.0, -margin)), np.float64)


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Pearson's of two heat maps; of flat ones, 1 where both are flat alike."""
    if one.std() < _FLAT or other.std() < _FLAT:
        return float(np.abs(one - other).max() < 10 * _FLAT)
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])
