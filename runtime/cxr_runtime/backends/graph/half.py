"""FP16 as an explicitly typed graph: every tensor's type is in the file, none is left to a compiler.

TensorRT 11 takes its precisions from the graph alone, and the same graph builds on 8.5 and 10. Convolutions
and matrix products become float16; inputs, outputs, LRN, softmax, averages, the last product and whatever
could overflow stay float32.
"""

from collections.abc import Collection

import numpy as np

from cxr_runtime.backends.graph.last_products import COMPUTED, last_products
from cxr_runtime.backends.graph.onnx_graph import (
    FLOAT16,
    FLOAT32,
    Graph,
    Node,
    Tensor,
    constant,
    int_attribute,
    read_graph,
    write_graph,
)
from cxr_runtime.backends.tensor_names import LOGITS

CARRIED = ("Relu", "MaxPool", "Concat", "Flatten")  # these take the type of what they are given
SAFE_MAGNITUDE = 65504 / 8  # float16's largest number, with room for films unlike those that were tried


def half_graph(onnx: bytes, magnitudes: dict[str, float]) -> bytes:
    """Turn a float32 model into one that computes in float16 where that is safe.

    Args:
        onnx: a float32 model.
        magnitudes: largest absolute value seen in each tensor, as `largest_magnitudes` measures them.

    Returns:
        A typed model with float32 inputs and outputs.

    Raises:
        ValueError: the bytes are no ONNX model, or a weight is not float32.
    """
    graph = read_graph(onnx)
    unsafe = {name for name, largest in magnitudes.items() if not largest <= SAFE_MAGNITUDE}
    return write_graph(_Typing(graph, unsafe).typed())


def count_float32_convolutions(onnx: bytes) -> int:
    """Convolutions that a model computes in float32."""
    graph = read_graph(onnx)
    weights = [node.inputs[1] for node in graph.nodes if node.op_type == "Conv"]
    return sum(name in graph.constants and graph.constants[name].data_type == FLOAT32 for name in weights)


class _Typing:
    """One pass over a graph in order; a tensor keeps its name, its twin in another type gets a new one."""

    def __init__(self, graph: Graph, unsafe: Collection[str]) -> None:
        self.graph, self.unsafe = graph, unsafe
        self.last = {name for node in last_products(graph, LOGITS) for name in node.outputs}
        self.nodes: list[Node] = []
        self.constants: dict[str, Tensor] = {}
        self.half_tensors: set[str] = set()  # float16 under their own name
        self.twins: set[str] = set()  # names that have a twin of the other type by now

    def typed(self) -> Graph:
        """The typed graph."""
        for node in self.graph.nodes:
            self._add(node)
        return self.graph.changed(self.nodes, self.constants)

    def _add(self, node: Node) -> None:
        is_half = self._is_half(node)
        inputs = tuple(self._as(name, is_half) for name in node.inputs)
        outputs = tuple(self._named(name, is_half) for name in node.outputs)
        self.nodes.append(Node(node.op_type, inputs, outputs, node.name, node.attributes, node.domain))
        for name, written in zip(node.outputs, outputs, strict=True):
            if written != name:  # an output of the model: float32 under its name, float16 within
                self.twins.add(name)
                self.nodes.append(_cast(written, name, FLOAT32))

    def _is_half(self, node: Node) -> bool:
        tensors = [name for name in (*node.inputs, *node.outputs) if name]
        if any(name in self.unsafe or name in self.last for name in tensors):
            return False
        if node.op_type in CARRIED:
            return all(name in self.half_tensors or name in self.twins for name in node.inputs)
        return node.op_type in COMPUTED

    def _named(self, name: str, is_half: bool) -> str:
        """The name under which a node writes; float16 results that are model outputs go by another one."""
        if is_half and name in self.graph.outputs:
            return _twin(name, FLOAT16)
        if is_half:
            self.half_tensors.add(name)
        return name

    def _as(self, name: str, is_half: bool) -> str:
        """The name of an input in the wanted type; casts are made once."""
        if name in self.graph.constants:
            return self._constant(name, is_half)
        if not name or (name in self.half_tensors) == is_half:
            return name
        twin = _twin(name, FLOAT16 if is_half else FLOAT32)
        if name not in self.twins:
            self.twins.add(name)
            self.nodes.append(_cast(name, twin, FLOAT16 if is_half else FLOAT32))
        return twin

    def _constant(self, name: str, is_half: bool) -> str:
        tensor = self.graph.constants[name]
        if not is_half or tensor.data_type != FLOAT32:
            self.constants[name] = tensor
            return name
        half = _twin(name, FLOAT16)
        if half not in self.constants:
            self.constants[half] = constant(half, tensor.array().astype(np.float16))
        return half


def _twin(name: str, data_type: int) -> str:
    return f"{name}/float{16 if data_type == FLOAT16 else 32}"


def _cast(source: str, result: str, data_type: int) -> Node:
    return Node("Cast", (source,), (result,), f"{result}/cast", int_attribute("to", data_type))
