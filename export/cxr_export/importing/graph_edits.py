"""What is changed in the graph of a foreign ONNX file before it is a model of ours."""

import numpy as np
import onnx
from onnx import numpy_helper

BATCH = "B"
SHARES = {"Softmax": "softmax", "LogSoftmax": "log_softmax", "Sigmoid": "sigmoid"}  # made of logits


def before_shares(graph: onnx.GraphProto) -> str:
    """Let the first output be logits: a last softmax (or its logarithm) or sigmoid is left out.

    Returns:
        What was left out; empty: nothing.
    """
    output = graph.output[0]
    maker = next((node for node in graph.node if output.name in node.output), None)
    if maker is None or maker.op_type not in SHARES:
        return ""
    output.name = maker.input[0]
    return SHARES[maker.op_type]


def open_batch(graph: onnx.GraphProto, image: str, input_hw: tuple[int, int]) -> None:
    """Any number of films at once, whatever number the file was written for; sides as they are."""
    value = next(value for value in graph.input if value.name == image)
    dims = value.type.tensor_type.shape.dim
    written_for = dims[0].dim_value or 1
    dims[0].dim_param = BATCH
    dims[2].dim_value, dims[3].dim_value = input_hw
    for output in graph.output:
        if output.type.tensor_type.shape.dim:
            output.type.tensor_type.shape.dim[0].dim_param = BATCH
    _constants_among_weights(graph)
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Reshape" and node.input[1] in constants:
            shape = numpy_helper.to_array(constants[node.input[1]])
            if shape.ndim == 1 and shape.size > 1 and shape[0] == written_for:
                films = 0 if -1 in shape[1:] else -1  # as many as there are
                opened = np.array([films, *shape[1:]], np.int64)
                constants[node.input[1]].CopyFrom(numpy_helper.from_array(opened, node.input[1]))
    del graph.value_info[:]


def _constants_among_weights(graph: onnx.GraphProto) -> None:
    """Some exporters make steps of them; then nobody finds the shapes that they state."""
    for node in [node for node in graph.node if node.op_type == "Constant"]:
        if node.attribute[0].name == "value":
            tensor = onnx.TensorProto()
            tensor.CopyFrom(node.attribute[0].t)
            tensor.name = node.output[0]
            graph.initializer.append(tensor)
            graph.node.remove(node)


def forget_weights_among_inputs(graph: onnx.GraphProto) -> None:
    """Files of early versions list them there; shapes are then inferred anew."""
    weights = {tensor.name for tensor in graph.initializer}
    kept = [value for value in graph.input if value.name not in weights]
    del graph.input[:]
    graph.input.extend(kept)
    del graph.value_info[:]


def rename(graph: onnx.GraphProto, old: str, new: str) -> None:
    """Call a tensor otherwise, and one that had that name before otherwise again."""
    if old == new:
        return
    for node in graph.node:
        rename_in(node, new, f"{new}_before")
        rename_in(node, old, new)
    for value in (*graph.input, *graph.output, *graph.initializer):
        value.name = {new: f"{new}_before", old: new}.get(value.name, value.name)


def rename_in(node: onnx.NodeProto, old: str, new: str) -> None:
    for names in (node.input, node.output):
        for place, name in enumerate(names):
            if name == old:
                names[place] = new
