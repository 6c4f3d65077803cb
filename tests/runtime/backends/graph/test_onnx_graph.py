"""The small reader and writer of ONNX files, held against the `onnx` package."""

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from cxr_runtime.backends.graph.onnx_graph import constant, int_attribute, read_graph, write_graph


def test_a_graph_read_and_written_is_the_same_model_without_its_inferred_shapes(
    draw_network: Callable[[], bytes],
) -> None:
    model = onnx.load_from_string(draw_network())
    del model.graph.value_info[:]
    assert onnx.load_from_string(write_graph(read_graph(draw_network()))) == model


def test_nodes_constants_and_shapes_are_read_as_onnx_reads_them(draw_network: Callable[[], bytes]) -> None:
    model, graph = onnx.load_from_string(draw_network()), read_graph(draw_network())
    assert [(node.op_type, node.inputs, node.outputs) for node in graph.nodes] == [
        (node.op_type, tuple(node.input), tuple(node.output)) for node in model.graph.node
    ]
    assert graph.inputs == ("image",)
    assert graph.outputs == ("logits", "conv5")
    assert graph.shapes["r1"] == (None, 8, 24, 24)
    for tensor in model.graph.initializer:
        np.testing.assert_array_equal(
            graph.constants[tensor.name].array(), numpy_helper.to_array(tensor), strict=True
        )
    lrn = next(node for node in graph.nodes if node.op_type == "LRN")
    assert (lrn.number("size", 0), lrn.number("bias", 0)) == (5, 2)
    assert lrn.number("alpha", 0) == pytest.approx(0.05)
    assert lrn.number("missing", 3.5) == 3.5


def test_values_stored_as_a_list_of_floats_are_read(draw_network: Callable[[], bytes]) -> None:
    model = onnx.load_from_string(draw_network())
    values = np.arange(6, dtype=np.float32)
    model.graph.initializer.append(helper.make_tensor("listed", 1, (2, 3), values.tolist()))
    assert read_graph(model.SerializeToString()).constants["listed"].array().tolist() == [
        [0, 1, 2],
        [3, 4, 5],
    ]


def test_whole_numbers_stored_as_a_list_are_read(draw_network: Callable[[], bytes]) -> None:
    model = onnx.load_from_string(draw_network())
    for name, kind, values in (("u", 2, [0, 200, 255]), ("i", 3, [-128, -1, 127]), ("w", 6, [-70000, 0, 5])):
        model.graph.initializer.append(helper.make_tensor(name, kind, (3,), values))
    constants = read_graph(model.SerializeToString()).constants
    assert constants["u"].array().tolist() == [0, 200, 255]
    assert constants["i"].array().tolist() == [-128, -1, 127]
    assert constants["w"].array().tolist() == [-70000, 0, 5]


def test_a_new_constant_is_read_back_by_onnx() -> None:
    values = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)
    half = values.astype(np.float16)
    for tensor, expected in ((constant("full", values), values), (constant("half", half), half)):
        read = onnx.TensorProto.FromString(bytes(tensor.message))
        np.testing.assert_array_equal(numpy_helper.to_array(read), expected, strict=True)


def test_a_new_attribute_is_read_back_by_onnx() -> None:
    message = bytes(int_attribute("to", -3)["to"])
    assert onnx.AttributeProto.FromString(message) == helper.make_attribute("to", -3)


@pytest.mark.parametrize("broken", [b"", b"\xff" * 40, b"not an onnx file", b"\x3a\x7f\x00"])
def test_bytes_that_are_no_model_are_refused(broken: bytes) -> None:
    with pytest.raises(ValueError, match=r"graphs|wire type|varint|reaches beyond"):
        read_graph(broken)


def test_a_truncated_model_is_refused(draw_network: Callable[[], bytes]) -> None:
    with pytest.raises(ValueError, match=r"graphs|wire type|varint|reaches beyond"):
        read_graph(draw_network()[:-100])
