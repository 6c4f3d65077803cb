"""Small networks in INT8."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from cxr_runtime.gate.network import GATE_FILE
from cxr_runtime.lungs.field import LUNG_FIELD_FILE
from cxr_runtime.small_network import SmallNetwork
from cxr_train.small.int8 import write_int8

MOST = 64  # of a weight of 7 bits: a pair of products with 255 stays below 2 ** 15
SIDE = 12
COVERED = 99.99  # percent of the activations


def _whole(path: Path) -> Path:
    """A float32 network: a convolution, ReLU, and a product that gives three answers."""
    rng = np.random.default_rng(0)
    kernels = rng.normal(size=(4, 1, 3, 3)).astype(np.float32)
    products = rng.normal(0, 0.05, size=(4 * SIDE * SIDE, 3)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["film", "kernels"], ["mapped"], "conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["mapped"], ["rectified"], "relu"),
        helper.make_node("Flatten", ["rectified"], ["flat"], "flat"),
        helper.make_node("Gemm", ["flat", "products"], ["answers"], "product"),
    ]
    film = helper.make_tensor_value_info("film", TensorProto.FLOAT, [1, 1, SIDE, SIDE])
    answers = helper.make_tensor_value_info("answers", TensorProto.FLOAT, [1, 3])
    weights = [numpy_helper.from_array(kernels, "kernels"), numpy_helper.from_array(products, "products")]
    graph = helper.make_graph(nodes, "small", [film], [answers], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture(scope="module")
def films() -> NDArray[np.float32]:
    return np.random.default_rng(1).normal(size=(16, 1, SIDE, SIDE)).astype(np.float32)


def _stored(path: Path) -> dict[str, NDArray[np.generic]]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(str(path)).graph.initializer}


def _narrow(path: Path) -> list[NDArray[np.generic]]:
    return [weights for weights in _stored(path).values() if weights.dtype == np.int8 and weights.ndim == 4]


def test_a_small_network_in_int8_answers_as_before_and_its_last_product_stays_whole(
    tmp_path: Path, films: NDArray[np.float32]
) -> None:
    whole, path = _whole(tmp_path / "whole.onnx"), tmp_path / "int8.onnx"
    write_int8(whole, films, COVERED, path)
    assert _stored(path)["products"].dtype == np.float32
    assert len(_narrow(path)) == 1
    for film in films:
        expected, found = SmallNetwork(whole).run(film[None]), SmallNetwork(path).run(film[None])
        np.testing.assert_allclose(found, expected, atol=0.1)


def test_the_same_films_make_the_same_file(tmp_path: Path, films: NDArray[np.float32]) -> None:
    whole = _whole(tmp_path / "whole.onnx")
    for name in ("one.onnx", "other.onnx"):
        write_int8(whole, films, COVERED, tmp_path / name)
    assert (tmp_path / "one.onnx").read_bytes() == (tmp_path / "other.onnx").read_bytes()


def test_weights_have_7_bits_so_that_sums_never_overflow_on_an_old_processor(
    tmp_path: Path, films: NDArray[np.float32]
) -> None:
    path = tmp_path / "int8.onnx"
    write_int8(_whole(tmp_path / "whole.onnx"), films, COVERED, path)
    for weights in _narrow(path):
        assert np.abs(weights.astype(int)).max() <= MOST
    assert 255 * 2 * MOST < 2**15


@pytest.mark.parametrize(("shipped", "convolutions"), [(GATE_FILE, 10), (LUNG_FIELD_FILE, 20)])
def test_so_have_those_that_are_shipped(shipped: Path, convolutions: int) -> None:
    weights = _narrow(shipped)
    assert len(weights) == convolutions
    assert max(np.abs(each.astype(int)).max() for each in weights) <= MOST
