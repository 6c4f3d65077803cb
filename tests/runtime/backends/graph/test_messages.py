"""ONNX files read and written by protobuf alone, held against the `onnx` package."""

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from cxr_runtime.backends.graph.messages import (
    constant,
    constants_of,
    new_node,
    number,
    read_model,
    replace_body,
    rewired,
    shapes_of,
    values_of,
)


def test_a_model_read_and_written_is_the_same_model(draw_network: Callable[[], bytes]) -> None:
    model = onnx.load_from_string(draw_network())
    model.metadata_props.add(key="kept", value="though nobody here knows the field")
    written = read_model(model.SerializeToString()).SerializeToString()
    assert onnx.load_from_string(written) == model


def test_a_graph_given_its_own_body_loses_its_inferred_shapes_only(draw_network: Callable[[], bytes]) -> None:
    model, expected = read_model(draw_network()), onnx.load_from_string(draw_network())
    replace_body(model.graph, model.graph.node, model.graph.initializer)
    del expected.graph.value_info[:]
    assert onnx.load_from_string(model.SerializeToString()) == expected


def test_nodes_constants_and_shapes_are_read_as_onnx_reads_them(draw_network: Callable[[], bytes]) -> None:
    model, graph = onnx.load_from_string(draw_network()), read_model(draw_network()).graph
    assert [(node.op_type, list(node.input), list(node.output)) for node in graph.node] == [
        (node.op_type, list(node.input), list(node.output)) for node in model.graph.node
    ]
    assert [value.name for value in graph.input] == ["image"]
    assert [value.name for value in graph.output] == ["logits", "conv5"]
    assert shapes_of(graph)["r1"] == (None, 8, 24, 24)
    for tensor in model.graph.initializer:
        found = values_of(constants_of(graph)[tensor.name])
        np.testing.assert_array_equal(found, numpy_helper.to_array(tensor), strict=True)
    lrn = next(node for node in graph.node if node.op_type == "LRN")
    assert (number(lrn, "size", 0), number(lrn, "bias", 0)) == (5, 2)
    assert number(lrn, "alpha", 0) == pytest.approx(0.05)
    assert number(lrn, "missing", 3.5) == 3.5


def test_values_stored_as_a_list_of_floats_are_read(draw_network: Callable[[], bytes]) -> None:
    model = onnx.load_from_string(draw_network())
    values = np.arange(6, dtype=np.float32)
    model.graph.initializer.append(helper.make_tensor("listed", 1, (2, 3), values.tolist()))
    listed = constants_of(read_model(model.SerializeToString()).graph)["listed"]
    assert values_of(listed).tolist() == [[0, 1, 2], [3, 4, 5]]


def test_whole_numbers_stored_as_a_list_are_read(draw_network: Callable[[], bytes]) -> None:
    model = onnx.load_from_string(draw_network())
    for name, kind, values in (("u", 2, [0, 200, 255]), ("i", 3, [-128, -1, 127]), ("w", 6, [-70000, 0, 5])):
        model.graph.initializer.append(helper.make_tensor(name, kind, (3,), values))
    constants = constants_of(read_model(model.SerializeToString()).graph)
    assert values_of(constants["u"]).tolist() == [0, 200, 255]
    assert values_of(constants["i"]).tolist() == [-128, -1, 127]
    assert values_of(constants["w"]).tolist() == [-70000, 0, 5]


def test_values_of_a_type_that_no_network_of_ours_has_are_refused(draw_network: Callable[[], bytes]) -> None:
    model = onnx.load_from_string(draw_network())
    model.graph.initializer.append(helper.make_tensor("wide", onnx.TensorProto.DOUBLE, (1,), [1.0]))
    with pytest.raises(ValueError, match="'wide' is of type 11"):
        values_of(constants_of(read_model(model.SerializeToString()).graph)["wide"])


def test_a_new_constant_is_read_back_by_onnx() -> None:
    values = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)
    half = values.astype(np.float16)
    for tensor, expected in ((constant("full", values), values), (constant("half", half), half)):
        read = onnx.TensorProto.FromString(tensor.SerializeToString())
        np.testing.assert_array_equal(numpy_helper.to_array(read), expected, strict=True)


def test_a_new_node_is_read_back_by_onnx() -> None:
    node = new_node("Cast", ["x"], ["y"], to=-3)
    expected = helper.make_node("Cast", ["x"], ["y"], "y", to=-3)
    assert onnx.NodeProto.FromString(node.SerializeToString()) == expected


def test_a_rewired_node_keeps_its_attributes(draw_network: Callable[[], bytes]) -> None:
    node = next(node for node in read_model(draw_network()).graph.node if node.op_type == "Conv")
    copy = rewired(node, ["a", "b"], ["c"])
    assert (list(copy.input), list(copy.output), list(node.output)) == (["a", "b"], ["c"], ["c1"])
    del copy.input[:], copy.output[:], node.input[:], node.output[:]
    assert copy == node


@pytest.mark.parametrize("broken", [b"", b"\xff" * 40, b"not an onnx file", b"\x3a\x7f\x00"])
def test_bytes_that_are_no_model_are_refused(broken: bytes) -> None:
    with pytest.raises(ValueError, match="not an ONNX model"):
        read_model(broken)


def test_a_truncated_model_is_refused(draw_network: Callable[[], bytes]) -> None:
    with pytest.raises(ValueError, match="not an ONNX model"):
        read_model(draw_network()[:-100])
