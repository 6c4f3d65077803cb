"""ONNX files as protobuf messages, without the `onnx` package: onnxruntime brings protobuf, and no more.

Fields as in onnx/onnx.proto, of which only those used here are stated. What is not stated is carried through:
protobuf keeps unknown fields of a message as they are.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

FLOAT32, UINT8, INT8, INT32, FLOAT16 = 1, 2, 3, 6, 10  # TensorProto.DataType
TYPES: dict[int, str] = {FLOAT32: "<f4", UINT8: "u1", INT8: "i1", INT32: "<i4", FLOAT16: "<f2"}
INT_ATTRIBUTE = 2  # AttributeProto.AttributeType

Model: TypeAlias = Any  # messages are made when this module is imported: no type checker sees them
Graph: TypeAlias = Any
Node: TypeAlias = Any
Tensor: TypeAlias = Any

_PACKAGE = "cxr_triage"
_FIELDS = {  # name:number:type, with a star where it is repeated
    "ModelProto": "graph:7:GraphProto",
    "GraphProto": "node:1:NodeProto* initializer:5:TensorProto* input:11:ValueInfoProto* "
    "output:12:ValueInfoProto* value_info:13:ValueInfoProto*",
    "NodeProto": "input:1:string* output:2:string* name:3:string op_type:4:string "
    "attribute:5:AttributeProto* domain:7:string",
    "AttributeProto": "name:1:string f:2:float i:3:int64 type:20:int32",
    "TensorProto": "dims:1:int64* data_type:2:int32 float_data:4:float* int32_data:5:int32* name:8:string "
    "raw_data:9:bytes",
    "ValueInfoProto": "name:1:string type:2:TypeProto",
    "TypeProto": "tensor_type:1:TensorTypeProto",
    "TensorTypeProto": "elem_type:1:int32 shape:2:ShapeProto",
    "ShapeProto": "dim:1:DimensionProto*",
    "DimensionProto": "dim_value:1:int64",
}


def _describe() -> descriptor_pb2.FileDescriptorProto:
    """The fields of all messages, as protobuf's own compiler would describe them."""
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="cxr_triage_onnx.proto", package=_PACKAGE, syntax="proto2")
    for message, fields in _FIELDS.items():
        described = file.message_type.add(name=message)
        for field in fields.split():
            name, number, kind = field.split(":")
            added = described.field.add(name=name, number=int(number))
            added.label = kinds.LABEL_REPEATED if kind.endswith("*") else kinds.LABEL_OPTIONAL
            if kind.rstrip("*") in _FIELDS:
                added.type, added.type_name = kinds.TYPE_MESSAGE, f".{_PACKAGE}.{kind.rstrip('*')}"
            else:
                added.type = kinds.Type.Value(f"TYPE_{kind.rstrip('*').upper()}")
            added.options.packed = name in ("float_data", "int32_data")
    return file


def _message(name: str) -> Any:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


_POOL = descriptor_pool.DescriptorPool()  # of our own: the `onnx` package may describe the same messages
_POOL.Add(_describe())
_Model, _Node, _Tensor = (_message(name) for name in ("ModelProto", "NodeProto", "TensorProto"))


@contextmanager
def rewriting() -> Iterator[None]:
    """Word what goes wrong where operators rest on what a graph does not hold; decorates what rewrites one.

    Raises:
        ValueError: the graph contradicts itself.
    """
    try:
        yield
    except (LookupError, TypeError, ArithmeticError) as error:
        raise ValueError(f"the bytes are not an ONNX model that could be run ({error!r})") from error


def read_model(onnx: bytes) -> Model:
    """Read an ONNX file; `SerializeToString()` of the message writes it again.

    Raises:
        ValueError: the bytes are not an ONNX model.
    """
    try:
        model = _Model.FromString(onnx)
    except DecodeError as error:
        raise ValueError(f"the bytes are not an ONNX model ({error})") from error
    if not model.HasField("graph"):
        raise ValueError("the bytes are not an ONNX model: they hold no graph")
    return model


def replace_body(graph: Graph, nodes: Iterable[Node], constants: Iterable[Tensor]) -> None:
    """Give a graph other nodes and constants; inferred shapes, which fitted the old ones, are dropped."""
    nodes, constants = list(nodes), list(constants)
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.initializer.extend(constants)


def shapes_of(graph: Graph) -> dict[str, tuple[int | None, ...]]:
    """Shapes of the tensors whose shapes are stated, by name; None is a dynamic size."""
    stated = [
        (value.name, value.type.tensor_type.shape.dim)
        for value in (*graph.input, *graph.output, *graph.value_info)
        if value.type.tensor_type.HasField("shape")
    ]
    return {
        name: tuple(size.dim_value if size.HasField("dim_value") else None for size in sizes)
        for name, sizes in stated
    }


def constants_of(graph: Graph) -> dict[str, Tensor]:
    """A graph's constants by name."""
    return {tensor.name: tensor for tensor in graph.initializer}


def values_of(tensor: Tensor) -> NDArray[Any]:
    """Values of a constant, in its type and shape.

    Raises:
        ValueError: its type is not one of TYPES, or its values lie in another file.
    """
    dtype = TYPES.get(tensor.data_type)
    if dtype is not None and tensor.HasField("raw_data"):
        return np.frombuffer(tensor.raw_data, dtype).reshape(tensor.dims)
    if dtype is not None and tensor.float_data:
        return np.array(tensor.float_data, dtype).reshape(tensor.dims)
    if dtype is not None and tensor.data_type != FLOAT16 and tensor.int32_data:
        return np.array(tensor.int32_data, dtype).reshape(tensor.dims)
    raise ValueError(f"tensor {tensor.name!r} is of type {tensor.data_type} or not within the file")


def constant(name: str, values: NDArray[Any]) -> Tensor:
    """A new constant, of one of TYPES."""
    data_type = next(number for number, dtype in TYPES.items() if values.dtype == dtype)
    return _Tensor(name=name, data_type=data_type, dims=values.shape, raw_data=values.tobytes())


def new_node(op_type: str, inputs: Iterable[str], outputs: Iterable[str], **integers: int) -> Node:
    """A new operator, named by its first output, with attributes that are integers."""
    node = _Node(op_type=op_type, input=inputs, output=outputs)
    node.name = node.output[0]
    for name, value in integers.items():
        node.attribute.add(name=name, i=value, type=INT_ATTRIBUTE)
    return node


def rewired(node: Node, inputs: Iterable[str], outputs: Iterable[str]) -> Node:
    """A copy of an operator with other inputs and outputs."""
    copy = _Node()
    copy.CopyFrom(node)
    del copy.input[:], copy.output[:]
    copy.input.extend(inputs)
    copy.output.extend(outputs)
    return copy


def number(node: Node, name: str, default: float) -> float:
    """A float or integer attribute of an operator, or its default."""
    for attribute in node.attribute:
        if attribute.name == name:
            return float(attribute.f if attribute.HasField("f") else attribute.i)
    return default
