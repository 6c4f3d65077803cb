"""A small drawn network with every operator that matters, made without torch, and films for it."""

from hashlib import sha256
from pathlib import Path
from typing import Protocol

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from cxr_runtime.heat.map import HeatRecipe
from cxr_runtime.model.calibration import uncalibrated
from cxr_runtime.model.folder import Manifest, Model
from cxr_runtime.model.preprocessing import Preprocessing
from cxr_runtime.placement import CellGrid

INPUT_HW = (24, 24)
CHANNELS = 12  # of conv5


class DrawNetwork(Protocol):
    """Draws the bytes of an ONNX file."""

    def __call__(self, seed: int = 0, lrn_beta: float = 0.75) -> bytes: ...


@pytest.fixture
def draw_network() -> DrawNetwork:
    """Draws the bytes of an ONNX file."""
    return _draw_network


@pytest.fixture
def model(tmp_path: Path) -> Model:
    """The small network as an opened, uncalibrated model folder."""
    onnx_file = _draw_network()
    sha, how = sha256(onnx_file).hexdigest(), Preprocessing(input_hw=INPUT_HW)
    heat = HeatRecipe((1.0,) * CHANNELS, 0.0, 1.0, 0.5, CellGrid(1.0, 2.0), "conv5", 1.0)
    manifest = Manifest("drawn", "drawn", sha, "fp32", how, heat, "Apache-2.0")
    return Model(tmp_path, manifest, uncalibrated(sha, how.version, "fp32"), False, onnx_file, tmp_path, "")


@pytest.fixture
def batch() -> NDArray[np.float32]:
    """Eight films of noise, (8, 3, 24, 24) float32."""
    return np.random.default_rng(7).normal(size=(8, 3, *INPUT_HW)).astype(np.float32)


def _draw_network(seed: int = 0, lrn_beta: float = 0.75) -> bytes:
    """conv - ReLU - LRN - pool - conv - ReLU (conv5) - pool - flatten - Gemm -> logits; opset 17, IR 8."""
    rng = np.random.default_rng(seed)
    weights = {
        "w1": rng.normal(size=(8, 3, 3, 3), scale=0.4), "b1": rng.normal(size=8),
        "w5": rng.normal(size=(CHANNELS, 8, 3, 3), scale=0.2), "b5": rng.normal(size=CHANNELS),
        "fc": rng.normal(size=(2, CHANNELS * 36), scale=0.1), "bias": rng.normal(size=2),
    }  # fmt: skip
    nodes = [
        helper.make_node("Conv", ["image", "w1", "b1"], ["c1"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("LRN", ["r1"], ["n1"], size=5, alpha=0.05, beta=lrn_beta, bias=2.0),
        helper.make_node("MaxPool", ["n1"], ["p1"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["p1", "w5", "b5"], ["c5"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c5"], ["conv5"]),
        helper.make_node("MaxPool", ["conv5"], ["p5"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["p5"], ["flat"]),
        helper.make_node("Gemm", ["flat", "fc", "bias"], ["logits"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "drawn",
        [_value("image", 3, *INPUT_HW)],
        [_value("logits", 2), _value("conv5", CHANNELS, 12, 12)],
        [numpy_helper.from_array(array.astype(np.float32), name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(onnx.shape_inference.infer_shapes(model, strict_mode=True).SerializeToString())


def _value(name: str, *sizes: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["B", *sizes])
