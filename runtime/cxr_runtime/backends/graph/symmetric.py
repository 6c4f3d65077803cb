"""INT8 as TensorRT wants it: signed, symmetric, biases in float32."""

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.backends.graph.onnx_graph import INT32, UINT8, Graph, Node, constant, read_graph, write_graph

LARGEST_INT8 = 127


def symmetric_int8(onnx: bytes) -> bytes:
    """Turn unsigned quantised activations into signed ones around zero.

    A scale grows to reach the farther end of its range. Where the range began at zero, a ReLU had been left
    to the unsigned type; it is put back. Biases quantised to 32 bits become float32.

    Args:
        onnx: a model quantised with Q/DQ operators.

    Returns:
        The same network; activations lose up to one bit.

    Raises:
        ValueError: the bytes are no ONNX model.
    """
    graph = read_graph(onnx)
    constants = dict(graph.constants)
    clipped = set()
    for scale, zero in sorted(_unsigned_pairs(graph)):
        step, middle = graph.constants[scale].array(), int(graph.constants[zero].array())
        reach = max(middle, np.iinfo(np.uint8).max - middle)
        constants[scale] = constant(scale, np.asarray(step * (reach / LARGEST_INT8), np.float32))
        constants[zero] = constant(zero, np.zeros(graph.constants[zero].dims, np.int8))
        if middle == 0:
            clipped.add(zero)
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.op_type == "DequantizeLinear" and _is_bias(node, graph):
            constants[node.outputs[0]] = constant(node.outputs[0], _dequantised(node, graph))
        elif node.op_type == "QuantizeLinear" and node.inputs[2] in clipped:
            nodes += _clipped(node)
        else:
            nodes.append(node)
    return write_graph(graph.changed(nodes, constants))


def _unsigned_pairs(graph: Graph) -> set[tuple[str, str]]:
    """Names of the scale and zero point of every unsigned Q or DQ."""
    quantising = [node for node in graph.nodes if node.op_type in ("QuantizeLinear", "DequantizeLinear")]
    pairs = {(node.inputs[1], node.inputs[2]) for node in quantising if len(node.inputs) > 2}
    return {(scale, zero) for scale, zero in pairs if graph.constants[zero].data_type == UINT8}


def _is_bias(node: Node, graph: Graph) -> bool:
    values = graph.constants.get(node.inputs[0])
    return values is not None and values.data_type == INT32


def _dequantised(node: Node, graph: Graph) -> NDArray[np.float32]:
    values, scale = (graph.constants[name].array() for name in node.inputs[:2])
    return np.asarray(values * scale.astype(np.float64), np.float32)


def _clipped(node: Node) -> list[Node]:
    """A quantisation with its ReLU put back."""
    source = f"{node.outputs[0]}/relu"
    relu = Node("Relu", node.inputs[:1], (source,), source)
    inputs = (source, *node.inputs[1:])
    return [relu, Node(node.op_type, inputs, node.outputs, node.name, node.attributes, node.domain)]
