"""FP16 as an explicitly typed graph."""

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto

from cxr_runtime.backends.graph.half import SAFE_MAGNITUDE, half_graph, largest_magnitudes, last_products
from cxr_runtime.backends.graph.messages import Node, new_node, read_model, replace_body
from cxr_runtime.backends.onnxruntime_cpu import OnnxRuntimeCpu


def _types(half: bytes) -> dict[str, list[int]]:
    """Operators of the typed graph, and the types of what each is given and gives."""
    model = onnx.load_from_string(half)
    onnx.checker.check_model(model, full_check=True)
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    types = {tensor.name: tensor.data_type for tensor in inferred.initializer}
    for value in (*inferred.input, *inferred.output, *inferred.value_info):
        types[value.name] = value.type.tensor_type.elem_type
    return {
        node.output[0]: [types[name] for name in (*node.input, *node.output)]
        for node in inferred.node
        if node.op_type != "Cast"
    }


@pytest.fixture
def half(draw_network: Callable[[], bytes], batch: NDArray[np.float32]) -> bytes:
    network = draw_network()
    return half_graph(network, largest_magnitudes(network, batch))


def test_convolutions_are_float16_while_lrn_and_the_last_product_stay_float32(half: bytes) -> None:
    types = _types(half)
    whole = {name for name, kinds in types.items() if set(kinds) == {TensorProto.FLOAT}}
    halves = {name for name, kinds in types.items() if set(kinds) == {TensorProto.FLOAT16}}
    assert whole == {"n1", "p1", "logits"}
    assert halves == {"c1", "r1", "c5", "conv5/float16", "p5", "flat"}


def test_inputs_and_outputs_stay_float32(half: bytes) -> None:
    graph = onnx.load_from_string(half).graph
    assert all(
        value.type.tensor_type.elem_type == TensorProto.FLOAT for value in (*graph.input, *graph.output)
    )


def test_it_says_nearly_the_same_but_not_to_the_last_bit(
    draw_network: Callable[[], bytes], half: bytes, batch: NDArray[np.float32]
) -> None:
    whole = OnnxRuntimeCpu(draw_network(), threads=1).run(batch)
    rounded = OnnxRuntimeCpu(half, threads=1).run(batch)
    np.testing.assert_allclose(rounded.conv5, whole.conv5, atol=2e-3 * whole.conv5.max())
    np.testing.assert_allclose(rounded.logits, whole.logits, atol=2e-3 * np.abs(whole.logits).max())
    assert not np.array_equal(rounded.conv5, whole.conv5)


def test_weights_are_stored_in_half_the_space(draw_network: Callable[[], bytes], half: bytes) -> None:
    model = onnx.load_from_string(half)
    stored = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    assert stored == {
        "w1/float16": TensorProto.FLOAT16, "b1/float16": TensorProto.FLOAT16,
        "w5/float16": TensorProto.FLOAT16, "b5/float16": TensorProto.FLOAT16,
        "fc": TensorProto.FLOAT, "bias": TensorProto.FLOAT,
    }  # fmt: skip


@pytest.mark.parametrize("largest", [SAFE_MAGNITUDE * 1.01, float("inf"), float("nan")])
def test_what_could_overflow_stays_float32(draw_network: Callable[[], bytes], largest: float) -> None:
    types = _types(half_graph(draw_network(), {"c5": largest}))
    assert set(types["c5"]) == set(types["conv5"]) == {TensorProto.FLOAT}
    assert set(types["c1"]) == {TensorProto.FLOAT16}


def test_magnitudes_are_those_of_every_tensor(
    draw_network: Callable[[], bytes], batch: NDArray[np.float32]
) -> None:
    magnitudes = largest_magnitudes(draw_network(), batch)
    outputs = OnnxRuntimeCpu(draw_network(), threads=1, is_reference=True).run(batch)
    assert magnitudes["conv5"] == pytest.approx(outputs.conv5.max())
    assert magnitudes["image"] == np.abs(batch).max()
    assert {"c1", "n1", "flat", "logits", "w5"} <= set(magnitudes)


def test_an_optional_output_that_is_left_out_changes_nothing(
    draw_network: Callable[[], bytes], half: bytes, batch: NDArray[np.float32]
) -> None:
    model = read_model(draw_network())
    for node in model.graph.node:
        if node.op_type == "MaxPool":
            node.output.append("")  # Indices
    network = model.SerializeToString()
    magnitudes = largest_magnitudes(network, batch)
    assert magnitudes == largest_magnitudes(draw_network(), batch)
    said, expected = (OnnxRuntimeCpu(each).run(batch) for each in (half_graph(network, magnitudes), half))
    np.testing.assert_array_equal(said.logits, expected.logits)


@pytest.fixture
def products_with(draw_network: Callable[[], bytes]) -> Callable[[list[Node]], list[str]]:
    """Outputs of the last products of the drawn network, with other nodes behind its conv5."""

    def find(nodes: list[Node]) -> list[str]:
        graph = read_model(draw_network()).graph
        body = [node for node in graph.node if node.op_type != "Gemm"]
        replace_body(graph, [*body, *nodes], graph.initializer)
        return sorted(node.output[0] for node in last_products(graph))

    return find


def test_of_several_fully_connected_layers_it_is_the_last_one(
    products_with: Callable[[list[Node]], list[str]],
) -> None:
    layers = [new_node("Gemm", ("flat", "fc"), ("fc6",)), new_node("Relu", ("fc6",), ("relu6",))]
    assert products_with([*layers, new_node("Gemm", ("relu6", "fc"), ("logits",))]) == ["logits"]


def test_a_convolution_that_is_averaged_counts(products_with: Callable[[list[Node]], list[str]]) -> None:
    nodes = [
        new_node("Conv", ("conv5", "w"), ("cells",)),
        new_node("GlobalAveragePool", ("cells",), ("mean",)),
        new_node("Flatten", ("mean",), ("logits",)),
    ]
    assert products_with(nodes) == ["cells"]


def test_where_two_branches_are_added_both_count(
    products_with: Callable[[list[Node]], list[str]],
) -> None:
    nodes = [
        new_node("Conv", ("conv5", "w"), ("cells",)),
        new_node("GlobalMaxPool", ("cells",), ("strongest",)),
        new_node("Gemm", ("flat", "fc"), ("pooled",)),
        new_node("Add", ("strongest", "pooled"), ("logits",)),
    ]
    assert products_with(nodes) == ["cells", "pooled"]
