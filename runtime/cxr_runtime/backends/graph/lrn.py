"""ONNX Runtime's LRN kernel is slow on a CPU; the same arithmetic from faster operators.

LRN divides x by (bias + alpha / size * sum of x * x over `size` neighbouring channels) ** beta (paper, II.B;
ONNX operator LRN). The sum is a 1 x 1 convolution, and with the usual beta of 0.75 the power two roots.
"""

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.backends.graph.messages import (
    Node,
    Tensor,
    constant,
    new_node,
    number,
    read_model,
    replace_body,
    rewriting,
    shapes_of,
)

REWRITTEN_BETA = 0.75  # the only power that two square roots make
MOST_CHANNELS = 4096  # the convolution takes their square in memory

Shapes = dict[str, tuple[int | None, ...]]


@rewriting()
def rewrite_lrn(onnx: bytes) -> bytes:
    """Replace every LRN operator whose channels are known, and not too many, and whose beta is 0.75.

    Args:
        onnx: an ONNX file.

    Returns:
        An ONNX file with the same inputs and outputs; `onnx` itself where there was nothing to replace.

    Raises:
        ValueError: the bytes are not an ONNX model, or not one that could be run.
    """
    model = read_model(onnx)
    shapes = shapes_of(model.graph)
    nodes: list[Node] = []
    constants: list[Tensor] = []
    for node in model.graph.node:
        channels = _channels(node, shapes)
        if channels is None:
            nodes.append(node)
        else:
            constants += _constants(node, channels)
            nodes += _faster(node)
    if not constants:
        return onnx
    replace_body(model.graph, nodes, [*model.graph.initializer, *constants])
    return bytes(model.SerializeToString())


def neighbour_kernel(channels: int, size: int, alpha: float) -> NDArray[np.float32]:
    """The 1 x 1 convolution that sums over neighbouring channels.

    Returns:
        (channels, channels, 1, 1) float32: alpha / size where |from - to| lies within the window, else 0.
    """
    offset = np.arange(channels)[None, :] - np.arange(channels)[:, None]
    near = (offset >= -((size - 1) // 2)) & (offset <= size // 2)
    return (near * (alpha / size)).astype(np.float32)[:, :, None, None]


def _channels(node: Node, shapes: Shapes) -> int | None:
    """Channels of an LRN that can be replaced; None of any other node."""
    if node.op_type != "LRN" or abs(number(node, "beta", 0.75) - REWRITTEN_BETA) > 1e-7:
        return None
    shape = shapes.get(node.input[0], ())
    channels = shape[1] if len(shape) == 4 else None
    return channels if channels is not None and 0 < channels <= MOST_CHANNELS else None


def _constants(node: Node, channels: int) -> list[Tensor]:
    y = node.output[0]
    kernel = neighbour_kernel(channels, int(number(node, "size", 0)), number(node, "alpha", 1e-4))
    bias = np.full(channels, number(node, "bias", 1.0), np.float32)
    return [constant(f"{y}/kernel", kernel), constant(f"{y}/bias", bias)]


def _faster(node: Node) -> list[Node]:
    x, y = node.input[0], node.output[0]
    return [
        new_node("Mul", [x, x], [f"{y}/square"]),
        new_node("Conv", [f"{y}/square", f"{y}/kernel", f"{y}/bias"], [f"{y}/sum"]),
        new_node("Sqrt", [f"{y}/sum"], [f"{y}/half"]),
        new_node("Sqrt", [f"{y}/half"], [f"{y}/quarter"]),
        new_node("Mul", [f"{y}/half", f"{y}/quarter"], [f"{y}/power"]),
        new_node("Div", [x, f"{y}/power"], [y]),
    ]
