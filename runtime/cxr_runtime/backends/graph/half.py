"""FP16 as an explicitly typed graph: every tensor's type is in the file, none is left to a compiler.

TensorRT 11 takes its precisions from the graph alone, and the same graph builds on 8.5 and 10. Convolutions
and matrix products become float16; inputs, outputs, LRN, softmax, averages, the last product and whatever
could overflow stay float32.
"""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.backends.engine import INPUT, LOGITS
from cxr_runtime.backends.graph.messages import (
    FLOAT16,
    FLOAT32,
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
from cxr_runtime.backends.onnxruntime_cpu import CPU_PROVIDER, new_session, session_options

COMPUTED = ("Conv", "Gemm", "MatMul")
CARRIED = ("Relu", "MaxPool", "Concat", "Flatten")  # these take the type of what they are given
SAFE_MAGNITUDE = 65504 / 8  # float16's largest number, with room for films unlike those that were tried


@rewriting()
def half_graph(onnx: bytes, magnitudes: dict[str, float]) -> bytes:
    """Turn a float32 model into one that computes in float16 where that is safe.

    Args:
        onnx: a float32 model.
        magnitudes: largest absolute value seen in each tensor, as `largest_magnitudes` measures them.

    Returns:
        A typed model with float32 inputs and outputs.

    Raises:
        ValueError: the bytes are not an ONNX model, or a weight is not float32.
    """
    model = read_model(onnx)
    unsafe = {name for name, largest in magnitudes.items() if not largest <= SAFE_MAGNITUDE}
    typing = _Typing(model.graph, unsafe)
    for node in model.graph.node:
        typing.add(node)
    replace_body(model.graph, typing.nodes, typing.constants.values())
    return bytes(model.SerializeToString())


def largest_magnitudes(onnx: bytes, batch: NDArray[np.float32]) -> dict[str, float]:
    """Largest absolute value of every tensor, weights included: what float16 can hold is measured.

    Args:
        onnx: a float32 model.
        batch: (B, 3, H, W) float32, normalised films.

    Returns:
        One number for every float32 tensor, by its name; `nan` where one was not finite.
    """
    model = read_model(onnx)
    names = [name for node in model.graph.node for name in node.output if name]
    stated = {value.name for value in model.graph.output}
    for name in names:
        if name not in stated:
            model.graph.output.add(name=name)
    session = new_session(model.SerializeToString(), [CPU_PROVIDER], session_options(None))
    found = {INPUT: batch, **dict(zip(names, session.run(names, {INPUT: batch}), strict=True))}
    weights = [tensor for tensor in model.graph.initializer if tensor.data_type == FLOAT32]
    found |= {tensor.name: values_of(tensor) for tensor in weights}
    return {name: float(np.abs(values).max()) if values.size else 0.0 for name, values in found.items()}


def last_products(graph: Graph, output: str = LOGITS) -> list[Node]:
    """Convolutions and products with no other one between them and an output: the score rests on them.

    Args:
        graph: of a whole model.
        output: name of the output.
    """
    makers = {name: node for node in graph.node for name in node.output if name}
    found: dict[str, Node] = {}
    seen, waiting = set[str](), [output]
    while waiting:
        name = waiting.pop()
        node = makers.get(name)
        if node is None or name in seen:
            continue
        seen.add(name)
        if node.op_type in COMPUTED:
            found[name] = node
        else:
            waiting += node.input
    return list(found.values())


def count_float32_convolutions(onnx: bytes) -> int:
    """Convolutions that a model computes in float32."""
    graph = read_model(onnx).graph
    constants = constants_of(graph)
    weights = [node.input[1] for node in graph.node if node.op_type == "Conv"]
    return sum(name in constants and constants[name].data_type == FLOAT32 for name in weights)


class _Typing:
    """One pass over a graph in order; a tensor keeps its name, its twin in another type gets a new one."""

    def __init__(self, graph: Graph, unsafe: Collection[str]) -> None:
        self.whole = constants_of(graph)
        self.unsafe, self.model_outputs = unsafe, {value.name for value in graph.output}
        self.last = {name for node in last_products(graph) for name in node.output}
        self.nodes: list[Node] = []
        self.constants: dict[str, Tensor] = {}
        self.half_tensors: set[str] = set()  # float16 under their own name
        self.twins: set[str] = set()  # names that have a twin of the other type by now

    def add(self, node: Node) -> None:
        """Type the next node."""
        is_half = self._is_half(node)
        inputs = [self._as(name, is_half) for name in node.input]
        outputs = [self._named(name, is_half) for name in node.output]
        self.nodes.append(rewired(node, inputs, outputs))
        for name, written in zip(node.output, outputs, strict=True):
            if written != name:  # an output of the model: float32 under its name, float16 within
                self.twins.add(name)
                self.nodes.append(_cast(written, name, FLOAT32))

    def _is_half(self, node: Node) -> bool:
        tensors = [name for name in (*node.input, *node.output) if name]
        if any(name in self.unsafe or name in self.last for name in tensors):
            return False
        if node.op_type in CARRIED:
            return all(name in self.half_tensors or name in self.twins for name in node.input)
        return node.op_type in COMPUTED

    def _named(self, name: str, is_half: bool) -> str:
        """The name under which a node writes; float16 results that are model outputs go by another one."""
        if is_half and name in self.model_outputs:
            return _twin(name, FLOAT16)
        if is_half and name:
            self.half_tensors.add(name)
        return name

    def _as(self, name: str, is_half: bool) -> str:
        """The name of an input in the wanted type; casts are made once."""
        if name in self.whole:
            return self._constant(name, is_half)
        if not name or (name in self.half_tensors) == is_half:
            return name
        twin = _twin(name, FLOAT16 if is_half else FLOAT32)
        if name not in self.twins:
            self.twins.add(name)
            self.nodes.append(_cast(name, twin, FLOAT16 if is_half else FLOAT32))
        return twin

    def _constant(self, name: str, is_half: bool) -> str:
        tensor = self.whole[name]
        if not is_half or tensor.data_type != FLOAT32:
            self.constants[name] = tensor
            return name
        half = _twin(name, FLOAT16)
        if half not in self.constants:
            self.constants[half] = constant(half, values_of(tensor).astype(np.float16))
        return half


def _twin(name: str, data_type: int) -> str:
    return f"{name}/float{16 if data_type == FLOAT16 else 32}"


def _cast(source: str, result: str, data_type: int) -> Node:
    node = new_node("Cast", [source], [result], to=data_type)
    node.name = f"{result}/cast"
    return node
