"""From a float32 ONNX model to one in INT8: the one place that asks ONNX Runtime's quantiser."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from numpy.typing import NDArray

from cxr_runtime.offline import load

Inputs = NDArray[np.float32]  # (1, ...), one film


def quantised(
    model: bytes,
    films: Iterable[Inputs],
    percentile: float,
    kinds: Sequence[str],
    *,
    whole: Sequence[str] = (),
) -> onnx.ModelProto:
    """Write the scales of a network into it, as Q/DQ operators; what they stand around computes in INT8.

    Weights are signed, of 7 bits, with a scale a channel; activations are unsigned, with a scale a tensor.
    Processors without VNNI add products of 8 bits in pairs of 16 bits, which overflow; with weights of 7 bits
    none does, and every processor finds the same sums.

    Args:
        model: float32, of one input.
        films: inputs that the scales of activations are taken from.
        percentile: share of activations, in percent, that a tensor's scale covers.
        kinds: operators that may compute in INT8.
        whole: names of nodes that stay float32.

    Returns:
        A model with float32 input and outputs, not yet checked.
    """
    quantization = load("onnxruntime.quantization")
    name = onnx.load_from_string(model).graph.input[0].name
    with TemporaryDirectory() as folder, _quiet():
        source, result = Path(folder, "float32.onnx"), Path(folder, "int8.onnx")
        source.write_bytes(model)
        quantization.quantize_static(
            str(source),
            str(result),
            _Films(name, films),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=list(kinds),
            nodes_to_exclude=list(whole),
            per_channel=True,
            reduce_range=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            calibrate_method=quantization.CalibrationMethod.Percentile,
            extra_options={"WeightSymmetric": True, "CalibPercentile": percentile},
        )
        return onnx.load(str(result))


class _Films:
    """Films, one at a time, as the quantiser asks for them."""

    def __init__(self, name: str, films: Iterable[Inputs]) -> None:
        self._name, self._films = name, iter(films)

    def get_next(self) -> dict[str, Inputs] | None:
        """The next film, or None after the last one."""
        film = next(self._films, None)
        return None if film is None else {self._name: film}


@contextmanager
def _quiet() -> Iterator[None]:
    """The quantiser prints its steps, and advises to prepare the model, which has been done."""
    logging.disable(logging.WARNING)
    try:
        with redirect_stdout(StringIO()):
            yield
    finally:
        logging.disable(logging.NOTSET)
