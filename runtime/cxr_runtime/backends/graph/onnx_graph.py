"""An ONNX graph that can be read, changed and written again without the `onnx` package.

Field numbers: onnx/onnx.proto. What is not understood is carried through as it was.
"""

import struct
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.backends.graph.wire import (
    LENGTH,
    Field,
    fields,
    length_field,
    packed_varints,
    raw_field,
    varint_field,
)

FLOAT32, UINT8, INT8, INT32, FLOAT16 = 1, 2, 3, 6, 10  # TensorProto.DataType
TYPES: dict[int, str] = {FLOAT32: "<f4", UINT8: "u1", INT8: "i1", INT32: "<i4", FLOAT16: "<f2"}
_INT_ATTRIBUTE = 2  # AttributeProto.AttributeType

Parts = list[bytes | memoryview]


@dataclass(frozen=True)
class Tensor:
    """One constant of the graph."""

    name: str
    data_type: int  # TensorProto.DataType
    dims: tuple[int, ...]
    message: memoryview = field(repr=False)  # the TensorProto

    def array(self) -> NDArray[Any]:
        """Values of the tensor, in its type and shape.

        Raises:
            ValueError: its type is not one of TYPES, or its values lie in another file.
        """
        contents = {number: content for number, _, _, content in fields(self.message)}
        dtype = TYPES.get(self.data_type)
        if dtype is not None and 9 in contents:  # raw_data
            return np.frombuffer(contents[9], dtype).reshape(self.dims)
        if dtype is not None and 4 in contents:  # float_data, packed
            return np.frombuffer(contents[4], dtype).reshape(self.dims)
        if dtype is not None and 5 in contents:  # int32_data, packed; negative numbers as 64 bits
            return np.array(list(packed_varints(contents[5])), np.uint64).astype(dtype).reshape(self.dims)
        raise ValueError(f"tensor {self.name!r} is of type {self.data_type} or not within the file")


@dataclass(frozen=True)
class Node:
    """One operator of the graph."""

    op_type: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    name: str = ""
    attributes: dict[str, memoryview] = field(default_factory=dict, repr=False)  # AttributeProto messages
    domain: str = ""

    def number(self, name: str, default: float) -> float:
        """A float or int attribute, or its default."""
        for number, _, value, content in fields(self.attributes.get(name, memoryview(b""))):
            if number == 2:
                return float(struct.unpack("<f", content)[0])
            if number == 3:
                return float(value)
        return default


@dataclass(frozen=True)
class Graph:
    """A whole ONNX model."""

    nodes: tuple[Node, ...]
    constants: dict[str, Tensor]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    shapes: dict[str, tuple[int | None, ...]]  # where stated; None is a dynamic size
    model_rest: tuple[Field, ...] = field(repr=False)  # fields of the model around the graph
    graph_rest: tuple[Field, ...] = field(repr=False)  # fields of the graph that are carried through

    def changed(self, nodes: list[Node], constants: dict[str, Tensor]) -> "Graph":
        """The same model with other nodes and constants."""
        return replace(self, nodes=tuple(nodes), constants=constants)


def read_graph(onnx: bytes) -> Graph:
    """Read an ONNX file.

    Raises:
        ValueError: the bytes are no ONNX model.
    """
    model = list(fields(memoryview(onnx)))
    graphs = [content for number, _, _, content in model if number == 7]
    if len(graphs) != 1:
        raise ValueError(f"found {len(graphs)} graphs in the file; expected one ONNX model")
    parts = list(fields(graphs[0]))
    tensors = [_read_tensor(content) for number, _, _, content in parts if number == 5]
    described = [(number, *_read_value(content)) for number, _, _, content in parts if number in (11, 12, 13)]
    return Graph(
        nodes=tuple(_read_node(content) for number, _, _, content in parts if number == 1),
        constants={tensor.name: tensor for tensor in tensors},
        inputs=tuple(name for number, name, _ in described if number == 11),
        outputs=tuple(name for number, name, _ in described if number == 12),
        shapes={name: shape for _, name, shape in described if shape is not None},
        model_rest=tuple(part for part in model if part[0] != 7),
        # value_info (13) is left out: it is inferred anew, and a changed graph has other tensors
        graph_rest=tuple(part for part in parts if part[0] not in (1, 5, 13)),
    )


def write_graph(graph: Graph) -> bytes:
    """The graph as an ONNX file."""
    parts: Parts = []
    for node in graph.nodes:
        parts += length_field(1, *_write_node(node))
    for tensor in graph.constants.values():
        parts += length_field(5, tensor.message)
    for rest in graph.graph_rest:
        parts += raw_field(rest)
    model: Parts = []
    for rest in graph.model_rest:
        model += raw_field(rest)
    return b"".join(model + length_field(7, *parts))


def with_outputs(graph: Graph, names: list[str]) -> Graph:
    """The same model, with more of its tensors as outputs."""
    new = [name for name in names if name not in graph.outputs]
    messages = [b"".join(length_field(1, name.encode())) for name in new]
    added = tuple((12, LENGTH, 0, memoryview(message)) for message in messages)
    return replace(graph, outputs=(*graph.outputs, *new), graph_rest=(*graph.graph_rest, *added))


def constant(name: str, values: NDArray[Any]) -> Tensor:
    """A new constant, of one of TYPES."""
    data_type = next(number for number, dtype in TYPES.items() if values.dtype == dtype)
    dims = b"".join(varint_field(1, size) for size in values.shape)
    parts: Parts = [dims, varint_field(2, data_type), *length_field(8, name.encode())]
    parts += length_field(9, np.ascontiguousarray(values).tobytes())
    return Tensor(name, data_type, values.shape, memoryview(b"".join(parts)))


def int_attribute(name: str, value: int) -> dict[str, memoryview]:
    """An attribute of one integer."""
    parts = [*length_field(1, name.encode()), varint_field(3, value), varint_field(20, _INT_ATTRIBUTE)]
    return {name: memoryview(b"".join(parts))}


def _read_node(message: memoryview) -> Node:
    texts: dict[int, list[str]] = {1: [], 2: [], 3: [], 4: [], 7: []}
    attributes: dict[str, memoryview] = {}
    for number, wire_type, _, content in fields(message):
        if number in texts:
            texts[number].append(str(content, "utf-8"))
        elif number == 5 and wire_type == LENGTH:
            attributes[_text(content, 1)] = content
    name, op_type, domain = ("".join(texts[number]) for number in (3, 4, 7))
    return Node(op_type, tuple(texts[1]), tuple(texts[2]), name, attributes, domain)


def _write_node(node: Node) -> Parts:
    parts: Parts = []
    names = ((1, node.inputs), (2, node.outputs), (3, (node.name,) if node.name else ()))
    for number, texts in (*names, (4, (node.op_type,))):
        for text in texts:
            parts += length_field(number, text.encode())
    for message in node.attributes.values():
        parts += length_field(5, message)
    return parts + (length_field(7, node.domain.encode()) if node.domain else [])


def _read_tensor(message: memoryview) -> Tensor:
    dims: list[int] = []
    data_type = 0
    for number, wire_type, value, content in fields(message):
        if number == 1:
            dims += [value] if wire_type != LENGTH else list(packed_varints(content))
        elif number == 2:
            data_type = value
    return Tensor(_text(message, 8), data_type, tuple(dims), message)


def _read_value(message: memoryview) -> tuple[str, tuple[int | None, ...] | None]:
    """Name and shape of a ValueInfoProto: type (2), tensor_type (1), shape (2), dim (1), dim_value (1)."""
    found: memoryview | None = message
    for number in (2, 1, 2):
        found = None if found is None else _child(found, number)
    if found is None:
        return _text(message, 1), None
    sizes = [[value for number, _, value, _ in fields(dim) if number == 1] for _, _, _, dim in fields(found)]
    return _text(message, 1), tuple(size[0] if size else None for size in sizes)


def _child(message: memoryview, wanted: int) -> memoryview | None:
    return next((content for number, _, _, content in fields(message) if number == wanted), None)


def _text(message: memoryview, wanted: int) -> str:
    return str(_child(message, wanted) or b"", "utf-8")
