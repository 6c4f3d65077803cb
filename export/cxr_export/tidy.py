"""What the exporter wrote, made plain: the fewest and oldest operators that say the same.

TensorRT 8.5 to 11, OpenVINO and ONNX Runtime all read opset 17 at IR version 8.
"""

import onnx
from onnx import helper, numpy_helper

from cxr_runtime.errors import ModelError

OPSET = 17
IR_VERSION = 8
AXES_AS_INPUT = (  # since opset 18; before, the axes are an attribute
    "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum",
    "ReduceLogSumExp", "ReduceSumSquare",
)  # fmt: skip
GLOBAL_POOLS = {"ReduceMean": "GlobalAveragePool", "ReduceMax": "GlobalMaxPool"}  # over all cells


def tidy(model: onnx.ModelProto) -> onnx.ModelProto:
    """Lower the opset, simplify, check, and write the inferred shapes down.

    Args:
        model: as torch's exporter wrote it, at opset 18; it is changed.

    Raises:
        ModelError: the model cannot be said in opset 17.
    """
    _simplify(model.graph)
    _drop_unused_constants(model.graph)
    _state_descriptions(model.graph)
    del model.opset_import[:], model.graph.value_info[:]
    model.opset_import.append(helper.make_opsetid("", OPSET))
    model.ir_version = IR_VERSION
    return checked(model)


def checked(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with every shape inferred, once ONNX's own checker has passed it.

    Raises:
        ModelError: the checker or the shape inference refused it.
    """
    try:
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
        onnx.checker.check_model(inferred)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        first_line = str(error).strip().splitlines()[0]
        raise ModelError(
            f"the network cannot be written as opset {OPSET} ({first_line}); use layers that it has"
        ) from error
    return inferred


def _simplify(graph: onnx.GraphProto) -> None:
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type in GLOBAL_POOLS and _is_spatial(node, constants):
            _replace(node, GLOBAL_POOLS[node.op_type])
        elif node.op_type in AXES_AS_INPUT and len(node.input) > 1:
            _state_axes(node, constants)
        elif node.op_type == "Reshape" and _flattens(node, constants):
            _replace(node, "Flatten", axis=1)
        elif node.op_type == "Split" and len(node.input) == 1:
            _split_evenly(node)
    for node in [node for node in graph.node if _is_pool_of_one(node)]:
        _bypass(graph, node)


def _is_spatial(node: onnx.NodeProto, constants: dict[str, onnx.TensorProto]) -> bool:
    axes = numpy_helper.to_array(constants[node.input[1]]).tolist() if len(node.input) > 1 else []
    keeps = all(attribute.i == 1 for attribute in node.attribute if attribute.name == "keepdims")
    return keeps and axes in ([2, 3], [-2, -1], [-1, -2])


def _state_axes(node: onnx.NodeProto, constants: dict[str, onnx.TensorProto]) -> None:
    """Turn the second input of a reduction into its attribute `axes`."""
    axes = numpy_helper.to_array(constants[node.input[1]]).tolist()
    del node.input[1:]
    kept = [attribute for attribute in node.attribute if attribute.name == "keepdims"]
    del node.attribute[:]
    node.attribute.extend([*kept, helper.make_attribute("axes", axes)])


def _split_evenly(node: onnx.NodeProto) -> None:
    """Leave out the number of parts, stated since opset 18; before, it is that of the outputs, all equal."""
    kept = [attribute for attribute in node.attribute if attribute.name != "num_outputs"]
    del node.attribute[:]
    node.attribute.extend(kept)


def _flattens(node: onnx.NodeProto, constants: dict[str, onnx.TensorProto]) -> bool:
    """Whether a Reshape keeps the films apart and lays all else in one row."""
    if node.input[1] not in constants:
        return False
    shape = numpy_helper.to_array(constants[node.input[1]]).tolist()
    return len(shape) == 2 and shape[0] in (-1, 0) and (shape[1] > 0 or shape[0] == 0)


def _is_pool_of_one(node: onnx.NodeProto) -> bool:
    stated = {attribute.name: list(attribute.ints) for attribute in node.attribute}
    is_one = stated.get("kernel_shape") == [1, 1] and stated.get("strides", [1, 1]) == [1, 1]
    return node.op_type == "AveragePool" and is_one and not any(stated.get("pads", []))


def _replace(node: onnx.NodeProto, op_type: str, **attributes: int) -> None:
    """Turn a node into another one of the first input only."""
    new = helper.make_node(op_type, node.input[:1], node.output, node.name)
    new.attribute.extend(helper.make_attribute(name, value) for name, value in attributes.items())
    node.CopyFrom(new)


def _bypass(graph: onnx.GraphProto, node: onnx.NodeProto) -> None:
    for consumer in graph.node:
        for index, name in enumerate(consumer.input):
            if name == node.output[0]:
                consumer.input[index] = node.input[0]
    graph.node.remove(node)


def _drop_unused_constants(graph: onnx.GraphProto) -> None:
    used = {name for node in graph.node for name in node.input}
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in used]:
        graph.initializer.remove(tensor)


def _state_descriptions(graph: onnx.GraphProto) -> None:
    """Write every description down, though it is empty: so did all versions, and bytes of a model stay."""
    for described in (*graph.node, *graph.input, *graph.output, *graph.initializer):
        described.doc_string = ""
