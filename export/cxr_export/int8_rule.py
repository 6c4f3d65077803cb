"""How INT8's scales are taken from films: tried on films that neither set the scales nor judge the result."""

from dataclasses import dataclass, field

import numpy as np

from cxr_export.films import ExportFilms, film_scores, run_films
from cxr_export.quantise import quantise
from cxr_runtime.backends.onnxruntime_cpu import OnnxRuntimeCpu
from cxr_runtime.model.preprocessing import Preprocessing, normalise

PERCENTILES = (99.9, 99.99, 99.999, 100.0)  # share of a tensor's activations that its scale covers


@dataclass(frozen=True)
class Int8Model:
    """The best of all rules."""

    onnx: bytes = field(repr=False)
    percentile: float  # one of PERCENTILES
    score_changes: dict[float, float]  # mean change of score on the choosing films, by percentile


def choose_int8(whole: bytes, films: ExportFilms, how: Preprocessing) -> Int8Model:
    """Quantise by every rule, and keep the one that changes scores least.

    Args:
        whole: the float32 model.
        films: scales come from their first part, the rule from their second; the third is not looked at.
        how: the network's preprocessing.
    """
    scales = normalise(films.calibration, how)
    tried = {percentile: quantise(whole, scales, percentile) for percentile in PERCENTILES}
    expected = film_scores(run_films(OnnxRuntimeCpu(whole), films.choosing, how))
    changes = {}
    for percentile, onnx in tried.items():
        found = film_scores(run_films(OnnxRuntimeCpu(onnx), films.choosing, how))
        changes[percentile] = float(np.abs(found - expected).mean())
    best = min(PERCENTILES, key=lambda percentile: changes[percentile])
    return Int8Model(tried[best], best, changes)
