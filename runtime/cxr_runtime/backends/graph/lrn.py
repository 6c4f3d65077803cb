"""ONNX Runtime's LRN kernel is slow on a CPU; the same arithmetic from faster operators.

LRN divides x by (bias + alpha / size * sum of x * x over `size` neighbouring channels) ** beta (paper, II.B;
ONNX operator LRN). The sum is a 1 x 1 convolution, and with the usual beta of 0.75 the power two roots.
"""

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.backends.graph.onnx_graph import Graph, Node, Tensor, constant, read_graph, write_graph

REWRITTEN_BETA = 0.75  # the only power that two square roots make


def rewrite_lrn(onnx: bytes) -> bytes:
    """Replace every LRN operator whose channels are known and whose beta is 0.75; others stay.

    Args:
        onnx: an ONNX file.

    Returns:
        An ONNX file with the same inputs and outputs; `onnx` itself where there was nothing to replace.

    Raises:
        ValueError: the bytes are no ONNX model.
    """
    graph = read_graph(onnx)
    if not any(_is_rewritable(node, graph) for node in graph.nodes):
        return onnx
    nodes: list[Node] = []
    constants = dict(graph.constants)
    for node in graph.nodes:
        if _is_rewritable(node, graph):
            nodes += _faster(node, graph, constants)
        else:
            nodes.append(node)
    return write_graph(graph.changed(nodes, constants))


def _is_rewritable(node: Node, graph: Graph) -> bool:
    if node.op_type != "LRN" or abs(node.number("beta", 0.75) - REWRITTEN_BETA) > 1e-7:
        return False
    return _channels(node, graph) is not None


def _channels(node: Node, graph: Graph) -> int | None:
    shape = graph.shapes.get(node.inputs[0])
    return shape[1] if shape is not None and len(shape) == 4 else None


def _faster(node: Node, graph: Graph, constants: dict[str, Tensor]) -> list[Node]:
    x, y = node.inputs[0], node.outputs[0]
    channels = _channels(node, graph)
    assert channels is not None
    kernel = neighbour_kernel(channels, int(node.number("size", 0)), node.number("alpha", 1e-4))
    bias = np.full(channels, node.number("bias", 1.0), np.float32)
    constants[f"{y}/kernel"] = constant(f"{y}/kernel", kernel)
    constants[f"{y}/bias"] = constant(f"{y}/bias", bias)
    return [
        Node("Mul", (x, x), (f"{y}/square",), f"{y}/square"),
        Node("Conv", (f"{y}/square", f"{y}/kernel", f"{y}/bias"), (f"{y}/sum",), f"{y}/sum"),
        Node("Sqrt", (f"{y}/sum",), (f"{y}/half",), f"{y}/half"),
        Node("Sqrt", (f"{y}/half",), (f"{y}/quarter",), f"{y}/quarter"),
        Node("Mul", (f"{y}/half", f"{y}/quarter"), (f"{y}/power",), f"{y}/power"),
        Node("Div", (x, f"{y}/power"), (y,), f"{y}/divide"),
    ]


def neighbour_kernel(channels: int, size: int, alpha: float) -> NDArray[np.float32]:
    """The 1 x 1 convolution that sums over neighbouring channels.

    Returns:
        (channels, channels, 1, 1) float32: alpha / size where |from - to| lies within the window, else 0.
    """
    offset = np.arange(channels)[None, :] - np.arange(channels)[:, None]
    near = (offset >= -((size - 1) // 2)) & (offset <= size // 2)
    return (near * (alpha / size)).astype(np.float32)[:, :, None, None]
