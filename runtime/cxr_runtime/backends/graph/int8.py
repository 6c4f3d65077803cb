"""INT8 as TensorRT wants it: signed, symmetric, biases in float32."""

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.backends.graph.messages import (
    INT32,
    UINT8,
    Graph,
    Node,
    Tensor,
    constant,
    constants_of,
    new_node,
    read_model,
    replace_body,
    rewired,
    rewriting,
    values_of,
)

LARGEST_INT8 = 127


@rewriting()
def symmetric_int8(onnx: bytes) -> bytes:
    """Turn unsigned quantised activations into signed ones around zero.

    A scale grows to reach the farther end of its range. Where the range began at zero, a ReLU had been left
    to the unsigned type; it is put back. Biases quantised to 32 bits become float32.

    Args:
        onnx: a model quantised with Q/DQ operators.

    Returns:
        The same network; activations lose up to one bit.

    Raises:
        ValueError: the bytes are not an ONNX model.
    """
    model = read_model(onnx)
    unsigned = constants_of(model.graph)
    signed, clipped = dict(unsigned), set()
    for scale, zero in sorted(_unsigned_pairs(model.graph, unsigned)):
        step, middle = values_of(unsigned[scale]), int(values_of(unsigned[zero]))
        reach = max(middle, np.iinfo(np.uint8).max - middle)
        signed[scale] = constant(scale, np.asarray(step * (reach / LARGEST_INT8), np.float32))
        signed[zero] = constant(zero, np.zeros(unsigned[zero].dims, np.int8))
        if middle == 0:
            clipped.add(zero)
    nodes: list[Node] = []
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear" and _is_bias(node, unsigned):
            signed[node.output[0]] = constant(node.output[0], _dequantised(node, unsigned))
        elif node.op_type == "QuantizeLinear" and node.input[2] in clipped:
            nodes += _clipped(node)
        else:
            nodes.append(node)
    replace_body(model.graph, nodes, signed.values())
    return bytes(model.SerializeToString())


def _unsigned_pairs(graph: Graph, constants: dict[str, Tensor]) -> set[tuple[str, str]]:
    """Names of the scale and zero point of every unsigned Q or DQ."""
    quantising = [node for node in graph.node if node.op_type in ("QuantizeLinear", "DequantizeLinear")]
    pairs = {(node.input[1], node.input[2]) for node in quantising if len(node.input) > 2}
    return {(scale, zero) for scale, zero in pairs if constants[zero].data_type == UINT8}


def _is_bias(node: Node, constants: dict[str, Tensor]) -> bool:
    values = constants.get(node.input[0])
    return values is not None and values.data_type == INT32


def _dequantised(node: Node, constants: dict[str, Tensor]) -> NDArray[np.float32]:
    values, scale = (values_of(constants[name]) for name in node.input[:2])
    return np.asarray(values * scale.astype(np.float64), np.float32)


def _clipped(node: Node) -> list[Node]:
    """A quantisation with its ReLU put back."""
    source = f"{node.output[0]}/relu"
    relu = new_node("Relu", node.input[:1], [source])
    return [relu, rewired(node, [source, *node.input[1:]], node.output)]
