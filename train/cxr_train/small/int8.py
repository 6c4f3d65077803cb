"""Small networks in INT8, that find the same on every processor."""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from cxr_runtime.atomic import write_bytes
from cxr_train.quantising import quantised
from cxr_train.small.relaid import relaid

KINDS = ("Conv", "Relu", "MaxPool", "Resize", "Concat")  # what computes in INT8; the answers stay float32


def write_int8(whole: Path, films: NDArray[np.float32], percentile: float, path: Path) -> None:
    """Turn a small network into one whose convolutions compute in INT8, with weights of 7 bits.

    Args:
        whole: its float32 file, as `write_onnx` writes it.
        films: (N, 1, S, S) float32, standardised, that the scales are taken from.
        percentile: share of a tensor's activations, in percent, that its scale covers.
        path: of the file to write.
    """
    model = relaid(quantised(whole.read_bytes(), films[:, None], percentile, KINDS))
    onnx.checker.check_model(model)
    write_bytes(path, model.SerializeToString())
