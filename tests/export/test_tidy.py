"""What the exporter wrote, made plain."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from cxr_export.tidy import tidy
from cxr_runtime.errors import ModelError


def _model(nodes: list[onnx.NodeProto], shape: list[int | str], **constants: list[int]) -> onnx.ModelProto:
    """A model at opset 18 from x (B, 3, 4, 4) to y."""
    graph = helper.make_graph(
        nodes,
        "drawn",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["B", 3, 4, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(np.array(value, np.int64), name) for name, value in constants.items()],
    )
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    return model


def _run(model: onnx.ModelProto, x: NDArray[np.float32]) -> NDArray[np.float32]:
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found: NDArray[np.float32] = session.run(None, {"x": x})[0]
    return found


X = np.random.default_rng(0).normal(size=(2, 3, 4, 4)).astype(np.float32)


@pytest.mark.parametrize(
    ("operator", "keepdims", "axes", "shape", "becomes"),
    [
        ("ReduceMean", 1, [2, 3], ["B", 3, 1, 1], "GlobalAveragePool"),
        ("ReduceMean", 1, [-1, -2], ["B", 3, 1, 1], "GlobalAveragePool"),
        ("ReduceMean", 0, [2, 3], ["B", 3], "ReduceMean"),
        ("ReduceMean", 1, [1], ["B", 1, 4, 4], "ReduceMean"),
        ("ReduceMax", 0, [2, 3], ["B", 3], "ReduceMax"),
        ("ReduceLogSumExp", 1, [3], ["B", 3, 4, 1], "ReduceLogSumExp"),
    ],
)
def test_reductions_say_the_same_in_the_older_opset(
    operator: str, keepdims: int, axes: list[int], shape: list[int | str], becomes: str
) -> None:
    node = helper.make_node(operator, ["x", "axes"], ["y"], keepdims=keepdims, noop_with_empty_axes=0)
    model = _model([node], shape, axes=axes)
    expected = _run(model, X)
    plain = tidy(model)
    assert [node.op_type for node in plain.graph.node] == [becomes]
    assert (plain.opset_import[0].version, len(plain.graph.initializer)) == (17, 0)
    np.testing.assert_allclose(_run(plain, X), expected, rtol=1e-6)


def test_a_reshape_that_lays_a_film_in_a_row_becomes_flatten() -> None:
    plain = tidy(_model([helper.make_node("Reshape", ["x", "s"], ["y"])], ["B", 48], s=[-1, 48]))
    assert [node.op_type for node in plain.graph.node] == ["Flatten"]


def test_any_other_reshape_stays() -> None:
    node = helper.make_node("Reshape", ["x", "s"], ["y"])
    plain = tidy(_model([node], ["B", 3, 16], s=[0, 3, 16]))
    assert [node.op_type for node in plain.graph.node] == ["Reshape"]


def test_a_split_into_equal_parts_needs_no_number_and_any_other_is_refused() -> None:
    split = helper.make_node("Split", ["x"], ["first", "second"], axis=2, num_outputs=2)
    model = _model([split, helper.make_node("Sub", ["first", "second"], ["y"])], ["B", 3, 2, 4])
    expected = _run(model, X)
    np.testing.assert_allclose(_run(tidy(model), X), expected, rtol=1e-6)
    uneven = helper.make_node("Split", ["x"], ["y", "rest"], axis=1, num_outputs=2)
    with pytest.raises(ModelError, match="cannot be written as opset 17"):
        tidy(_model([uneven], ["B", 2, 4, 4]))


def test_a_pool_of_one_pixel_is_left_out() -> None:
    pool = helper.make_node("AveragePool", ["x"], ["pooled"], kernel_shape=[1, 1], strides=[1, 1])
    plain = tidy(_model([pool, helper.make_node("Relu", ["pooled"], ["y"])], ["B", 3, 4, 4]))
    assert [(node.op_type, list(node.input)) for node in plain.graph.node] == [("Relu", ["x"])]


def test_an_operator_that_the_opset_does_not_have_is_refused() -> None:
    node = helper.make_node("Mish", ["x"], ["y"])
    with pytest.raises(ModelError, match="cannot be written as opset 17"):
        tidy(_model([node], ["B", 3, 4, 4]))
