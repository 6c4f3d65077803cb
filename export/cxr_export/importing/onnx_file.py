"""An ONNX file of another program as a model with its outputs and its last feature map."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import helper, version_converter

from cxr_export.importing.feature_map import FeatureMap, Step, is_row, last_feature_map, named_feature_map
from cxr_export.importing.graph_edits import (
    BATCH,
    before_shares,
    forget_weights_among_inputs,
    open_batch,
    rename,
    rename_in,
)
from cxr_export.importing.torch_network import OUTPUTS, Reference, Traced
from cxr_export.tidy import OPSET, checked, tidy
from cxr_runtime.backends.engine import CONV5, INPUT
from cxr_runtime.errors import ModelError, UsageError
from cxr_runtime.offline import load

onnxruntime = load("onnxruntime")

POOLING = {
    "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool", "LpPool", "ReduceMean",
    "ReduceMax", "Identity", "Dropout", "Reshape", "Flatten", "Transpose",
    "Squeeze", "Unsqueeze", "Cast", "Resize",
}  # fmt: skip
ATTENDING = {"Softmax", "Attention", "MultiHeadAttention"}
FOLLOWING = {
    "BatchNormalization", "InstanceNormalization", "GroupNormalization", "Relu", "LeakyRelu", "PRelu", "Clip",
    "Elu", "HardSwish", "Gelu", "Mish",
}  # fmt: skip  # what belongs to a convolution that is named
SIZES = {"Shape", "Size"}  # give no picture


def trace_file(path: Path, size: int | None = None, named: str | None = None) -> Traced:
    """Read an ONNX file as it is, with its feature map as a second output.

    Args:
        path: the file; weights beside it are read, too.
        size: side of the input where the file leaves it open; None: the file states it.
        named: the convolution whose result, after its normalisation and activation, is the feature map, or
            the name of that map; None: it is found.

    Raises:
        UsageError: the file is not there, or its input has another size.
        ModelError: it is no network of one film with one row of outputs, or has no feature map.
    """
    model = _loaded(path)
    graph = model.graph
    image, input_hw = _image(graph, path, size)
    left_out = before_shares(graph)
    output = graph.output[0].name
    open_batch(graph, image, input_hw)
    shaped = _shaped(model, path)
    steps = list(_steps(shaped.graph))
    if named:
        found = named_feature_map(steps, _after_layer(shaped.graph, named), input_hw)
    else:
        found = last_feature_map(steps, image, output, input_hw)
    tapped = _tapped(shaped, found, output)
    reference = _reference(tapped.SerializeToString(), image, output)
    for old, new in ((image, INPUT), (output, OUTPUTS)):
        rename(tapped.graph, old, new)
    forget_weights_among_inputs(tapped.graph)
    return Traced(_at_opset(tapped), reference, found, left_out)


def input_channels(traced: Traced) -> int:
    """Channels of a traced network's input."""
    return int(traced.model.graph.input[0].type.tensor_type.shape.dim[1].dim_value)


def input_side(traced: Traced) -> tuple[int, int]:
    """Rows and columns of a traced network's input."""
    dims = traced.model.graph.input[0].type.tensor_type.shape.dim
    return int(dims[2].dim_value), int(dims[3].dim_value)


def _loaded(path: Path) -> onnx.ModelProto:
    try:
        model = onnx.load(path)
    except FileNotFoundError as error:
        raise UsageError(f"there is no file {path}; expected an ONNX file") from error
    except (OSError, DecodeError, ValueError) as error:
        raise ModelError(f"{path} cannot be read ({error}); expected an ONNX file") from error
    foreign = {node.domain for node in model.graph.node} - {"", "ai.onnx"}
    if foreign:
        raise ModelError(
            f"{path} has operations of {', '.join(sorted(foreign))}; expected those of ONNX alone"
        )
    return model


def _image(graph: onnx.GraphProto, path: Path, size: int | None) -> tuple[str, tuple[int, int]]:
    """The one input that is not a weight, and its rows and columns."""
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    dims = [dim.dim_value for dim in inputs[0].type.tensor_type.shape.dim] if len(inputs) == 1 else []
    if len(dims) != 4 or dims[1] not in (1, 3):
        raise ModelError(
            f"{path} takes {len(inputs)} inputs, the first of sides {dims}; expected one, (B, 1 or 3, H, W)"
        )
    if size and any(side not in (0, size) for side in dims[2:]):
        sides = " x ".join(str(side or "any") for side in dims[2:])
        raise UsageError(
            f"{path} takes films of {sides} pixels, and --size is {size}; leave --size out, or export the "
            "file anew for that size"
        )
    height, width = (side or size or 0 for side in dims[2:])
    if not height or not width:
        raise UsageError(f"{path} leaves the size of its input open; state it with --size")
    return inputs[0].name, (height, width)


def _shaped(model: onnx.ModelProto, path: Path) -> onnx.ModelProto:
    try:
        return onnx.shape_inference.infer_shapes(model, data_prop=True)
    except (onnx.shape_inference.InferenceError, ValueError) as error:
        raise ModelError(f"the shapes in {path} contradict each other ({error}); export it anew") from error


def _steps(graph: onnx.GraphProto) -> Iterator[Step]:
    shapes = {
        value.name: tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
        for value in (*graph.value_info, *graph.output, *graph.input)
    }
    for node in graph.node:
        if node.op_type not in SIZES:
            shape = shapes.get(node.output[0])
            yield Step(
                node.output[0],
                tuple(node.input),
                shape,
                pools=node.op_type in POOLING,
                attends=node.op_type in ATTENDING and not is_row(shape),
            )


def _after_layer(graph: onnx.GraphProto, named: str) -> str:
    """The map behind a layer that is named: past its normalisation and activation; else the name itself."""
    node = next((node for node in graph.node if node.name == named), None)
    if node is None:
        return named
    uses = Counter(name for each in graph.node for name in each.input)
    at = str(node.output[0])
    while uses[at] == 1:
        following = next(each for each in graph.node if at in each.input)
        if following.op_type not in FOLLOWING or following.input[0] != at:
            break
        at = str(following.output[0])
    return at


def _tapped(model: onnx.ModelProto, found: FeatureMap, output: str) -> onnx.ModelProto:
    """The network with two outputs, the second one the feature map, channels first."""
    graph = model.graph
    kind = next(value.type for value in graph.output if value.name == output)
    if len(kind.tensor_type.shape.dim) != 2:
        flat = f"{output}_flat"
        graph.node.append(helper.make_node("Flatten", [output], [flat], axis=1))
        for node in list(graph.node)[:-1]:
            rename_in(node, output, f"{output}_whole")
        graph.node[-1].input[0], graph.node[-1].output[0] = f"{output}_whole", output
    rename(graph, found.name, CONV5)
    if found.channels_last:  # turned, and turned back for the rest of the network
        maker = next(node for node in graph.node if CONV5 in node.output)
        for node in graph.node:
            rename_in(node, CONV5, f"{CONV5}_back")
        maker.output[list(maker.output).index(f"{CONV5}_back")] = f"{CONV5}_before"
        place = list(graph.node).index(maker) + 1
        turned = helper.make_node("Transpose", [f"{CONV5}_before"], [CONV5], perm=[0, 3, 1, 2])
        back = helper.make_node("Transpose", [CONV5], [f"{CONV5}_back"], perm=[0, 2, 3, 1])
        graph.node.insert(place, turned)
        graph.node.insert(place + 1, back)
    floats = onnx.TensorProto.FLOAT
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(output, floats, [BATCH, None]))
    graph.output.append(
        helper.make_tensor_value_info(CONV5, floats, [BATCH, found.channels, *found.cells_hw])
    )
    return model


def _reference(content: bytes, image: str, output: str) -> Reference:
    """The file itself in ONNX Runtime, film by film, as it may have been written for one film."""
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])

    def run(films: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        said = [session.run([output, CONV5], {image: film[None]}) for film in films]
        outputs, cells = zip(*said, strict=True)
        return np.concatenate(outputs), np.concatenate(cells)

    return run


def _at_opset(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model in the one opset that all backends read."""
    stated = next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), 1)
    if stated < OPSET:
        try:
            model = version_converter.convert_version(model, OPSET)
        except Exception as error:
            first_line = str(error).strip().partition("\n")[0]
            raise ModelError(
                f"the file's opset {stated} cannot be turned into {OPSET} ({first_line}); export it anew "
                f"with opset {OPSET}"
            ) from error
        return checked(model)
    return tidy(model)
