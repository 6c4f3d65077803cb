"""The graph of a small INT8 network, so written that ONNX Runtime finds the same in less time.

It lays the channels of a pixel side by side. That is slow where there is one channel, and its way to enlarge
a picture is slow, too. Here other operators do both; every sum stays the same sum of whole numbers.
"""

from collections.abc import Iterator

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray
from onnx import NodeProto, numpy_helper
from onnx.helper import get_attribute_value, make_node

CHANNELS_LAST, CHANNELS_FIRST = (0, 2, 3, 1), (0, 3, 1, 2)  # axes of one layout, in those of the other


def relaid(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same network; its first convolution, and where it doubles a picture, in other operators.

    Args:
        model: of Q/DQ operators, as `quantised` writes it, and of fixed sizes.

    Returns:
        A model of the same input and output, not yet checked.
    """
    graph = _Graph(onnx.shape_inference.infer_shapes(model))
    nodes = [other for node in model.graph.node for other in graph.relaid(node)]
    wanted = {output.name for output in model.graph.output}
    kept: list[NodeProto] = []
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            kept.append(node)
    result = onnx.ModelProto()
    result.CopyFrom(model)
    del result.graph.node[:], result.graph.initializer[:], result.graph.value_info[:]
    result.graph.node.extend(reversed(kept))
    result.graph.initializer.extend(
        numpy_helper.from_array(array, name) for name, array in graph.constants.items() if name in wanted
    )
    return result


class _Graph:
    """What is known of a network: its constants, and who makes which tensor of which shape."""

    def __init__(self, model: onnx.ModelProto) -> None:
        graph = model.graph
        self.constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        self._makers = {name: node for node in graph.node for name in node.output}
        self._shapes = {
            info.name: [axis.dim_value for axis in info.type.tensor_type.shape.dim]
            for info in (*graph.input, *graph.value_info)
        }

    def relaid(self, node: NodeProto) -> Iterator[NodeProto]:
        """What stands in the place of a node, often the node itself."""
        if node.op_type == "Resize" and self._doubles(node):
            yield from self._twice(node)
        elif node.op_type == "Conv" and self._halves(node):
            yield from self._by_blocks(node)
        else:
            yield node

    def _doubles(self, resize: NodeProto) -> bool:
        is_double = np.array_equal(self.constants[resize.input[2]], [1, 1, 2, 2])
        return is_double and _attributes(resize)["mode"] == b"nearest"

    def _halves(self, conv: NodeProto) -> bool:
        """Whether a convolution takes one channel of even sides to half of them."""
        _, channels, rows, columns = self._shapes[conv.input[0]]
        reach = self.constants[self._makers[conv.input[1]].input[0]].shape[-1] // 2
        steps = {"strides": [2, 2], "pads": [reach] * 4}.items() <= _attributes(conv).items()
        return channels == 1 and rows % 2 == columns % 2 == 0 and steps

    def _twice(self, resize: NodeProto) -> Iterator[NodeProto]:
        """Each pixel twice, then each row."""
        source, name = self._makers[resize.input[0]], resize.output[0]
        _, channels, rows, columns = self._shapes[resize.input[0]]
        lines = self._constant(f"{name}.lines", [1, rows, 1, 2 * columns * channels])
        whole = self._constant(f"{name}.whole", [1, 2 * rows, 2 * columns, channels])
        step = [f"{name}.step{number}" for number in range(6)]
        yield make_node("Transpose", [source.input[0]], [step[0]], perm=CHANNELS_LAST)
        yield make_node("Concat", [step[0], step[0]], [step[1]], axis=3)
        yield make_node("Reshape", [step[1], lines], [step[2]])
        yield make_node("Concat", [step[2], step[2]], [step[3]], axis=2)
        yield make_node("Reshape", [step[3], whole], [step[4]])
        yield make_node("Transpose", [step[4]], [step[5]], perm=CHANNELS_FIRST)
        yield make_node("DequantizeLinear", [step[5], *source.input[1:]], [name])

    def _by_blocks(self, conv: NodeProto) -> Iterator[NodeProto]:
        """Two by two pixels become one of four channels, and the kernels are cut up likewise."""
        source, weights, name = self._makers[conv.input[0]], self._makers[conv.input[1]], conv.output[0]
        kernels, before, after = _cut_up(self.constants[weights.input[0]])
        cut = self._constant(f"{name}.kernels", kernels)
        blocks, film, weight = (f"{name}.{what}" for what in ("blocks", "film", "weight"))
        yield make_node("SpaceToDepth", [source.input[0]], [blocks], blocksize=2)
        yield make_node("DequantizeLinear", [blocks, *source.input[1:]], [film])
        yield make_node("DequantizeLinear", [cut, *weights.input[1:]], [weight], axis=0)
        pads = [before, before, after, after]
        yield make_node("Conv", [film, weight, *conv.input[2:]], [name], pads=pads)

    def _constant(self, name: str, value: ArrayLike) -> str:
        self.constants[name] = np.asarray(value)
        return name


def _attributes(node: NodeProto) -> dict[str, object]:
    return {attribute.name: get_attribute_value(attribute) for attribute in node.attribute}


def _cut_up(kernels: NDArray[np.int8]) -> tuple[NDArray[np.int8], int, int]:
    """Kernels over pixels as kernels over blocks of two by two.

    Args:
        kernels: (n, 1, k, k), k odd, centred on the first pixel of a block.

    Returns:
        (n, 4, b, b), and how many blocks of b lie before and behind that of the centre.
    """
    side = kernels.shape[-1]
    lead = side // 2 % 2
    tail = (side + lead) % 2
    even = np.pad(kernels[:, 0], ((0, 0), (lead, tail), (lead, tail)))
    count, blocks = len(even), even.shape[1] // 2
    cut = even.reshape(count, blocks, 2, blocks, 2).transpose(0, 2, 4, 1, 3)
    before = (side // 2 + lead) // 2
    return cut.reshape(count, 4, blocks, blocks), before, blocks - 1 - before
