"""The graph of a small network, said in other operators, finds the same."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from cxr_runtime.gate.network import GATE_FILE
from cxr_runtime.lungs.field import LUNG_FIELD_FILE
from cxr_runtime.small_network import SmallNetwork
from cxr_train.quantising import quantised
from cxr_train.small.int8 import KINDS
from cxr_train.small.relaid import relaid

SIDE = 24
COVERED = 99.99  # percent of the activations


def _kernels(name: str, *shape: int) -> onnx.TensorProto:
    values = np.random.default_rng(len(name)).normal(0, 0.3, shape)
    return numpy_helper.from_array(values.astype(np.float32), name)


def _network(kernel: int, stride: int) -> bytes:
    """A first convolution, one at half its resolution, doubled and laid beside what it came from."""
    pads = [kernel // 2] * 4
    nodes = [
        helper.make_node("Conv", ["film", "first"], ["a"], pads=pads, strides=[stride] * 2),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("MaxPool", ["b"], ["c"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["c", "second"], ["d"], pads=[1] * 4),
        helper.make_node("Relu", ["d"], ["e"]),
        helper.make_node(
            "Resize", ["e", "", "scales"], ["f"], mode="nearest",
            coordinate_transformation_mode="asymmetric", nearest_mode="floor",
        ),
        helper.make_node("Concat", ["f", "b"], ["g"], axis=1),
        helper.make_node("Conv", ["g", "third"], ["answers"], pads=[1] * 4),
    ]  # fmt: skip
    constants = [
        _kernels("first", 6, 1, kernel, kernel),
        _kernels("second", 10, 6, 3, 3),
        _kernels("third", 3, 16, 3, 3),
        numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "scales"),
    ]
    film = helper.make_tensor_value_info("film", TensorProto.FLOAT, [1, 1, SIDE, SIDE])
    side = SIDE // stride
    answers = helper.make_tensor_value_info("answers", TensorProto.FLOAT, [1, 3, side, side])
    graph = helper.make_graph(nodes, "small", [film], [answers], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    return bytes(model.SerializeToString())


def _operators(model: onnx.ModelProto) -> set[str]:
    return {node.op_type for node in model.graph.node}


def _answers(model: onnx.ModelProto, path: Path, films: NDArray[np.float32]) -> NDArray[np.float32]:
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return np.stack([SmallNetwork(path).run(film) for film in films])


@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (5, 2), (7, 2), (3, 1)])
def test_a_relaid_network_answers_the_same_to_the_bit(kernel: int, stride: int, tmp_path: Path) -> None:
    films = np.random.default_rng(1).normal(size=(12, 1, 1, SIDE, SIDE)).astype(np.float32)
    plain = quantised(_network(kernel, stride), films, COVERED, KINDS)
    other = relaid(plain)
    found, expected = _answers(other, tmp_path / "a.onnx", films), _answers(plain, tmp_path / "b.onnx", films)
    np.testing.assert_array_equal(found, expected)
    assert len(np.unique(expected)) > 50
    assert "Resize" not in _operators(other)
    assert ("SpaceToDepth" in _operators(other)) == (stride == 2)


@pytest.mark.parametrize("file", [GATE_FILE, LUNG_FIELD_FILE])
def test_what_is_shipped_is_relaid(file: Path) -> None:
    assert "SpaceToDepth" in _operators(onnx.load(str(file)))
    assert "Resize" not in _operators(onnx.load(str(file)))
