"""The one input that our backends know, film in three equal channels, for networks that take one."""

import numpy as np
import onnx
from onnx import helper, numpy_helper

from cxr_runtime.backends.engine import INPUT

CHANNELS = 3


def takes_three_channels(model: onnx.ModelProto) -> onnx.ModelProto:
    """The network with an input of three channels, of which it looks at the first.

    The filters of the first convolution get weights of zero for the others; where something else comes first,
    the channel is cut out.

    Args:
        model: input `image` (B, 1 or 3, H, W); one of three is given back as it is.
    """
    dims = model.graph.input[0].type.tensor_type.shape.dim
    if dims[1].dim_value == CHANNELS:
        return model
    widened = onnx.ModelProto()
    widened.CopyFrom(model)
    graph = widened.graph
    graph.input[0].type.tensor_type.shape.dim[1].dim_value = CHANNELS
    first = [node for node in graph.node if INPUT in node.input]
    weights = {tensor.name: tensor for tensor in graph.initializer}
    if len(first) == 1 and first[0].op_type == "Conv" and first[0].input[1] in weights:
        filters = numpy_helper.to_array(weights[first[0].input[1]])
        wide = np.zeros((len(filters), CHANNELS, *filters.shape[2:]), filters.dtype)
        wide[:, :1] = filters
        weights[first[0].input[1]].CopyFrom(numpy_helper.from_array(wide, first[0].input[1]))
        return widened
    for node in first:
        for place, name in enumerate(node.input):
            if name == INPUT:
                node.input[place] = "image_one_channel"
    for name, value in (("image_from", 0), ("image_to", 1), ("image_axis", 1)):
        graph.initializer.append(numpy_helper.from_array(np.array([value], np.int64), name))
    cut = helper.make_node("Slice", [INPUT, "image_from", "image_to", "image_axis"], ["image_one_channel"])
    graph.node.insert(0, cut)
    return widened
