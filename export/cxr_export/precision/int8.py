"""INT8 as an explicitly typed graph: scales are in the file as Q/DQ operators, taken from films.

How they are taken is tried on films that neither set the scales nor judge the result.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from numpy.typing import NDArray

from cxr_export.films import ExportFilms, film_scores, run_films
from cxr_export.tidy import checked
from cxr_runtime.backends.engine import INPUT
from cxr_runtime.backends.graph.half import last_products
from cxr_runtime.backends.graph.messages import shapes_of
from cxr_runtime.backends.onnxruntime_cpu import OnnxRuntimeCpu
from cxr_runtime.model.preprocessing import Preprocessing, normalise
from cxr_runtime.offline import load

MOST_BYTES = 2**30  # of activations held while scales are chosen
LEAST_FILMS = 8
QUANTISED = ("Conv", "Gemm", "MatMul", "MaxPool", "Relu", "Concat", "Flatten")


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
    quantization = load("onnxruntime.quantization")
    graph = onnx.load_from_string(model).graph
    with TemporaryDirectory() as folder, _quiet():
        source, result = Path(folder, "float32.onnx"), Path(folder, "int8.onnx")
        source.write_bytes(model)
        quantization.quantize_static(
            str(source),
            str(result),
            _Films(films[: _affordable(graph)]),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=list(QUANTISED),
            nodes_to_exclude=[node.name for node in last_products(graph)],
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            calibrate_method=quantization.CalibrationMethod.Percentile,
            extra_options={"WeightSymmetric": True, "CalibPercentile": percentile},
        )
        return bytes(checked(onnx.load(str(result))).SerializeToString())


def _affordable(graph: onnx.GraphProto) -> int:
    """Films whose every activation fits into memory at once, as the quantiser wants them."""
    shapes = shapes_of(graph)
    made = [shapes[name] for node in graph.node for name in node.output if name in shapes]
    size = sum(4 * prod(side or 1 for side in shape) for shape in made)
    return max(LEAST_FILMS, MOST_BYTES // max(size, 1))


@contextmanager
def _quiet() -> Iterator[None]:
    """The quantiser prints its steps, and advises to prepare the model, which has been done."""
    logging.disable(logging.WARNING)
    try:
        with redirect_stdout(StringIO()):
            yield
    finally:
        logging.disable(logging.NOTSET)


class _Films:
    """Calibration films, one batch at a time, as the quantiser asks for them."""

    def __init__(self, films: NDArray[np.float32]) -> None:
        self._batches: Iterator[NDArray[np.float32]] = iter(films[:, None])

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """The next film, or None after the last one."""
        batch = next(self._batches, None)
        return None if batch is None else {INPUT: batch}


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
