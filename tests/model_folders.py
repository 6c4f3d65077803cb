"""Small model folders for tests: a real ONNX network whose answer can be foretold."""

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from cxr_runtime.heat.map import HeatRecipe
from cxr_runtime.model.folder import Manifest, write_manifest
from cxr_runtime.model.preprocessing import Preprocessing
from cxr_runtime.placement import CellGrid

INPUT = 32  # rows and columns of the network's input
CELLS = CellGrid(origin=2.0, stride=4.0)


def brightness_network() -> bytes:
    """An ONNX file whose conv5 is the mean brightness of 4 x 4 pixels; the film's own gives the margin."""
    weights = [
        numpy_helper.from_array(np.full((1, 3, 4, 4), 1 / 48, np.float32), "w"),
        numpy_helper.from_array(np.array([0, -1], np.int64), "shape"),
        numpy_helper.from_array(np.array([[0.0, 8.0]], np.float32), "fc"),
        numpy_helper.from_array(np.array([0.0, -2.0], np.float32), "bias"),
    ]
    nodes = [
        helper.make_node("Conv", ["image", "w"], ["evidence"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Relu", ["evidence"], ["conv5"]),
        helper.make_node("GlobalAveragePool", ["conv5"], ["pooled"]),
        helper.make_node("Reshape", ["pooled", "shape"], ["flat"]),
        helper.make_node("Gemm", ["flat", "fc", "bias"], ["logits"]),
    ]
    cells = INPUT // 4
    graph = helper.make_graph(
        nodes,
        "brightness",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, INPUT, INPUT])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 2]),
            helper.make_tensor_value_info("conv5", TensorProto.FLOAT, ["batch", 1, cells, cells]),
        ],
        weights,
    )
    opsets = [helper.make_opsetid("", 17)]
    network: onnx.ModelProto = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(network, full_check=True)
    return bytes(network.SerializeToString())


def write_model_folder(folder: Path, *, threshold: float = 0.5, temperature: float = 1.0) -> Path:
    """Write a whole model folder with the brightness network and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    network = brightness_network()
    digest = sha256(network).hexdigest()
    how = Preprocessing(
        input_hw=(INPUT, INPUT), working_hw=(64, 64), mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)
    )
    heat = HeatRecipe((1.0,), -0.5, 8.0, 0.5, CELLS, "conv5", 1.0)
    (folder / "model.onnx").write_bytes(network)
    write_manifest(Manifest("bright", "test", digest, "fp32", how, heat, "test only"), folder / "model.json")
    calibration = {
        "model_sha256": digest,
        "preprocessing_version": how.version,
        "precision": "fp32",
        "input_route": "full",
        "method": "temperature",
        "temperature": temperature,
        "operating_points": {
            "balanced": {"threshold": threshold, "default": True},
            "strict": {"threshold": 0.1},
        },
    }
    (folder / "calibration.json").write_text(json.dumps(calibration))
    return folder
