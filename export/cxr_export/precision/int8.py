"""INT8 as an explicitly typed graph: scales are in the file as Q/DQ operators, taken from films.

How they are taken is tried on films that neither set the scales nor judge the result.
"""

from dataclasses import dataclass, field
from math import prod

import numpy as np
import onnx
from numpy.typing import NDArray

from cxr_export.films import ExportFilms, film_scores, run_films
from cxr_export.tidy import checked
from cxr_runtime.backends.graph.half import last_products
from cxr_runtime.backends.graph.messages import shapes_of
from cxr_runtime.backends.onnxruntime_cpu import OnnxRuntimeCpu
from cxr_runtime.model.preprocessing import Preprocessing, normalise
from cxr_train.quantising import quantised

MOST_BYTES = 2**30  # of activations held while scales are chosen
LEAST_FILMS = 8
# An activation in this list is folded into the scale of what it follows; else that scale covers what is cut.
QUANTISED = ("Conv", "Gemm", "MatMul", "MaxPool", "Relu", "Clip", "Concat", "Flatten")


def quantise(model: bytes, films: NDArray[np.float32], percentile: float) -> bytes:
    """Turn a float32 model into one whose convolutions and products compute in INT8.

    Weights are signed and have a scale a channel; activations are unsigned, with a scale a tensor: after ReLU
    no bit is lost on a sign, and processors are two to five times faster at it. For TensorRT, which wants all
    signed, `symmetric_int8` turns the file round. LRN, averages and the last products stay float32; conv5
    leaves the network as float32 numbers on a grid of 256.

    Args:
        model: a float32 model of the train package.
        films: (N, 3, H, W) float32, normalised films that the scales are taken from.
        percentile: share of activations, in percent, that a tensor's scale covers.

    Returns:
        A typed model with float32 inputs and outputs.
    """
    graph = onnx.load_from_string(model).graph
    whole = [node.name for node in last_products(graph)]
    batches = films[: _affordable(graph), None]
    return bytes(checked(quantised(model, batches, percentile, QUANTISED, whole=whole)).SerializeToString())


def _affordable(graph: onnx.GraphProto) -> int:
    """Films whose every activation fits into memory at once, as the quantiser wants them."""
    shapes = shapes_of(graph)
    made = [shapes[name] for node in graph.node for name in node.output if name in shapes]
    size = sum(4 * prod(side or 1 for side in shape) for shape in made)
    return max(LEAST_FILMS, MOST_BYTES // max(size, 1))


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
    for percentile, rounded in tried.items():
        found = film_scores(run_films(OnnxRuntimeCpu(rounded), films.choosing, how))
        changes[percentile] = float(np.abs(found - expected).mean())
    best = min(PERCENTILES, key=lambda percentile: changes[percentile])
    return Int8Model(tried[best], best, changes)
