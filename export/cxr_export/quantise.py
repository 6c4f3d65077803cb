"""INT8 as an explicitly typed graph: scales are in the file as Q/DQ operators, chosen from films."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from numpy.typing import NDArray

from cxr_export.tidy import checked
from cxr_runtime.backends.onnx_session import INPUT, LOGITS

QUANTISED = ("Conv", "Gemm", "MatMul", "MaxPool", "Relu", "Concat", "Flatten")


def quantise(model: bytes, films: NDArray[np.float32]) -> bytes:
    """Turn a float32 model into one whose convolutions and products compute in INT8.

    Weights are signed and have a scale a channel; activations are unsigned, with a scale a tensor: after ReLU
    no bit is lost on a sign, and processors are two to five times faster at it. For TensorRT, which wants all
    signed, `symmetric_int8` turns the file round. LRN, averages and the last product stay float32; conv5
    leaves the network as float32 numbers on a grid of 256.

    Args:
        model: a float32 model of the train package.
        films: (N, 3, H, W) float32, normalised films that the scales are chosen from.

    Returns:
        A typed model with float32 inputs and outputs.
    """
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    with TemporaryDirectory() as folder, _quiet():
        source, result = Path(folder, "float32.onnx"), Path(folder, "int8.onnx")
        source.write_bytes(model)
        quantize_static(
            str(source),
            str(result),
            _Films(films),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(QUANTISED),
            nodes_to_exclude=_last_products(onnx.load_from_string(model)),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={"WeightSymmetric": True},
        )
        return bytes(checked(onnx.load(str(result))).SerializeToString())


def _last_products(model: onnx.ModelProto) -> list[str]:
    """The product that gives the logits is small, and the score rests on it."""
    return [node.name for node in model.graph.node if node.op_type == "Gemm" and LOGITS in node.output]


@contextmanager
def _quiet() -> Iterator[None]:
    """The quantiser advises to prepare the model, which has been done."""
    logging.disable(logging.WARNING)
    try:
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
