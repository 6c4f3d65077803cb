"""From what a foreign network says to normal and abnormal: a stated rule, or a fit on labelled films."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from cxr_export.importing.torch_network import OUTPUTS
from cxr_runtime.backends.engine import CONV5, LOGITS
from cxr_runtime.errors import UsageError

HALVES = np.array([[-0.5, 0.5]], np.float32)  # of a margin: what is for normal, and for abnormal


@dataclass(frozen=True)
class Head:
    """Linear readings of a network's outputs, or of its map's averages, and how they are joined."""

    weights: NDArray[np.float32] = field(repr=False)  # (J, K) a reading a row
    bias: NDArray[np.float32] = field(repr=False)  # (J,)
    said: str  # in a line, for the manifest
    of_map: bool = False  # K are the channels of the map, averaged over its cells; else the network's outputs
    strongest: bool = False  # the margin is the highest reading; else the readings are normal and abnormal

    def logits(self, outputs: NDArray[np.float32], conv5: NDArray[np.float32]) -> NDArray[np.float32]:
        """The same in numpy: (B, K), (B, C, h, w) -> (B, 2) = [normal, abnormal]."""
        taken = conv5.mean(axis=(2, 3)) if self.of_map else outputs
        readings = taken @ self.weights.T + self.bias
        return np.asarray(
            readings.max(axis=1, keepdims=True) @ HALVES if self.strongest else readings, np.float32
        )


def stated_head(outputs: Sequence[str], abnormal: Sequence[str], thresholds: Sequence[float] = ()) -> Head:
    """The rule that a user states, or the only one that there can be.

    Args:
        outputs: names of the network's outputs.
        abnormal: those that speak for abnormal, by name or by number; the highest counts. Empty: of two
            outputs the second, of one this one.
        thresholds: of the outputs, where their maker gives such: what is subtracted before they are compared.

    Raises:
        UsageError: an output is not there, or nobody can know which ones are meant.
    """
    if not abnormal and len(outputs) == 2:
        return Head(
            np.eye(2, dtype=np.float32), np.zeros(2, np.float32), f"{outputs[0]} against {outputs[1]}"
        )
    if not abnormal and len(outputs) > 1:
        raise UsageError(
            f"the network has {len(outputs)} outputs ({', '.join(outputs[:20])}); name those that mean "
            "abnormal with --abnormal, or give labelled films with --data, on which a head is fitted"
        )
    chosen = [_place(name, outputs) for name in abnormal] or [0]
    weights = np.zeros((len(chosen), len(outputs)), np.float32)
    weights[np.arange(len(chosen)), chosen] = 1
    bias = (
        np.zeros(len(chosen)) if not len(thresholds) else -np.array([thresholds[place] for place in chosen])
    )
    names = ", ".join(outputs[place] for place in chosen)
    beyond = " above its maker's threshold" if len(thresholds) else ""
    said = f"the highest of {names}{beyond}" if len(chosen) > 1 else f"{names}{beyond}"
    return Head(weights, bias.astype(np.float32), said, strongest=True)


def _place(name: str, outputs: Sequence[str]) -> int:
    if name in outputs:
        return list(outputs).index(name)
    if name.isdigit() and int(name) < len(outputs):
        return int(name)
    raise UsageError(
        f"the network has no output {name!r}; expected some of {', '.join(outputs[:40])}, or numbers"
    )


def attach(model: onnx.ModelProto, head: Head) -> onnx.ModelProto:
    """The network with logits (B, 2) in place of its outputs; what only these needed is gone."""
    attached = onnx.ModelProto()
    attached.CopyFrom(model)
    graph = attached.graph
    taken = OUTPUTS
    if head.of_map:
        graph.node.append(helper.make_node("GlobalAveragePool", [CONV5], ["head_average"]))
        graph.node.append(helper.make_node("Flatten", ["head_average"], ["head_channels"], axis=1))
        taken = "head_channels"
    graph.initializer.extend(
        (
            numpy_helper.from_array(head.weights, "head_weights"),
            numpy_helper.from_array(head.bias, "head_bias"),
        )
    )
    readings = "head_readings" if head.strongest else LOGITS
    graph.node.append(
        helper.make_node("Gemm", [taken, "head_weights", "head_bias"], [readings], transB=1, name="head")
    )
    if head.strongest:
        margin = readings
        if len(head.weights) > 1:
            margin = "head_margin"
            graph.node.append(helper.make_node("ReduceMax", [readings], [margin], axes=[1], keepdims=1))
        graph.initializer.append(numpy_helper.from_array(HALVES.T.copy(), "head_halves"))
        graph.initializer.append(numpy_helper.from_array(np.zeros(2, np.float32), "head_zeros"))
        graph.node.append(
            helper.make_node("Gemm", [margin, "head_halves", "head_zeros"], [LOGITS], transB=1, name="halves")
        )
    conv5 = next(value for value in graph.output if value.name == CONV5)
    kept = onnx.ValueInfoProto()
    kept.CopyFrom(conv5)
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(LOGITS, onnx.TensorProto.FLOAT, ["B", 2]))
    graph.output.append(kept)
    _drop_unneeded(graph)
    return attached


def _drop_unneeded(graph: onnx.GraphProto) -> None:
    """Steps and weights that no output comes from."""
    needed, kept = {value.name for value in graph.output}, []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
            kept.append(node)
    del graph.node[:]
    graph.node.extend(reversed(kept))
    weights = [tensor for tensor in graph.initializer if tensor.name in needed]
    del graph.initializer[:], graph.value_info[:]
    graph.initializer.extend(weights)
