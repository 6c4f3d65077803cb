"""The products that the logits are made of directly."""

from collections.abc import Callable

import pytest

from cxr_runtime.backends.graph.last_products import last_products
from cxr_runtime.backends.graph.onnx_graph import Node, read_graph


@pytest.fixture
def names(draw_network: Callable[[], bytes]) -> Callable[[list[Node]], list[str]]:
    """Outputs of the last products of the drawn network, with other nodes behind its conv5."""

    def find(nodes: list[Node]) -> list[str]:
        graph = read_graph(draw_network())
        body = [node for node in graph.nodes if node.op_type != "Gemm"]
        changed = graph.changed([*body, *nodes], graph.constants)
        return sorted(node.outputs[0] for node in last_products(changed, "logits"))

    return find


def test_of_several_fully_connected_layers_it_is_the_last_one(
    names: Callable[[list[Node]], list[str]],
) -> None:
    layers = [Node("Gemm", ("flat", "fc"), ("fc6",)), Node("Relu", ("fc6",), ("relu6",))]
    assert names([*layers, Node("Gemm", ("relu6", "fc"), ("logits",))]) == ["logits"]


def test_a_convolution_that_is_averaged_counts(names: Callable[[list[Node]], list[str]]) -> None:
    nodes = [
        Node("Conv", ("conv5", "w"), ("cells",)),
        Node("GlobalAveragePool", ("cells",), ("mean",)),
        Node("Flatten", ("mean",), ("logits",)),
    ]
    assert names(nodes) == ["cells"]


def test_where_two_branches_are_added_both_count(names: Callable[[list[Node]], list[str]]) -> None:
    nodes = [
        Node("Conv", ("conv5", "w"), ("cells",)),
        Node("GlobalMaxPool", ("cells",), ("strongest",)),
        Node("Gemm", ("flat", "fc"), ("pooled",)),
        Node("Add", ("strongest", "pooled"), ("logits",)),
    ]
    assert names(nodes) == ["cells", "pooled"]
