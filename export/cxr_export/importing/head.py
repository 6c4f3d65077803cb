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


@dataclass(frozen=True)
class ClassesHead:
    """Classes that exclude each other, as before a softmax: the abnormal ones together against the others.

    A film's logits are known only up to a number that they share, so no logit says anything alone. The margin
    is that of the share of all abnormal classes.
    """

    normal: tuple[int, ...]  # places among the outputs
    abnormal: tuple[int, ...]
    said: str  # in a line, for the manifest

    def logits(
        self,
        outputs: NDArray[np.float32],
        conv5: NDArray[np.float32],  # noqa: ARG002 - as of Head
    ) -> NDArray[np.float32]:
        """The same in numpy: (B, K), (B, C, h, w) -> (B, 2) = [normal, abnormal]."""
        sides = [np.logaddexp.reduce(outputs[:, places], axis=1) for places in (self.normal, self.abnormal)]
        return np.stack(sides, axis=1).astype(np.float32)


def stated_head(
    outputs: Sequence[str],
    abnormal: Sequence[str],
    thresholds: Sequence[float] = (),
    *,
    exclude_each_other: bool = False,
) -> Head | ClassesHead:
    """The rule that a user states, or the only one that there can be.

    Args:
        outputs: names of the network's outputs.
        abnormal: those that speak for abnormal, by name or by number; the highest counts. Empty: of two
            outputs the second, unless their names say that it is the first; of one this one.
        thresholds: of the outputs, where their maker gives such: what is subtracted before they are compared.
        exclude_each_other: the outputs are the logits of a softmax; all that are abnormal count together.

    Raises:
        UsageError: an output is not there, or nobody can know which ones are meant.
    """
    if not abnormal and len(outputs) == 2:
        return _against_the_others(outputs, [_abnormal_of_two(outputs)])
    if not abnormal and len(outputs) > 1:
        raise UsageError(
            f"the network has {len(outputs)} outputs ({', '.join(outputs[:20])}); name those that mean "
            "abnormal with --abnormal, or give labelled films with --data, on which a head is fitted"
        )
    chosen = [_place(name, outputs) for name in abnormal] or [0]
    if exclude_each_other:
        return _against_the_others(outputs, chosen)
    weights = np.zeros((len(chosen), len(outputs)), np.float32)
    weights[np.arange(len(chosen)), chosen] = 1
    bias = (
        np.zeros(len(chosen)) if not len(thresholds) else -np.array([thresholds[place] for place in chosen])
    )
    names = ", ".join(outputs[place] for place in chosen)
    beyond = " above its maker's threshold" if len(thresholds) else ""
    said = f"the highest of {names}{beyond}" if len(chosen) > 1 else f"{names}{beyond}"
    return Head(weights, bias.astype(np.float32), said, strongest=True)


def _abnormal_of_two(outputs: Sequence[str]) -> int:
    first, second = (name.casefold() for name in outputs)
    return 0 if first == "abnormal" or second == "normal" else 1


def _against_the_others(outputs: Sequence[str], chosen: Sequence[int]) -> Head | ClassesHead:
    """One class against one other is linear."""
    abnormal = tuple(sorted(set(chosen)))
    normal = tuple(place for place in range(len(outputs)) if place not in abnormal)
    if not normal:
        raise UsageError(
            f"all outputs ({', '.join(outputs[:20])}) would mean abnormal, and the network ends in a softmax,"
            " whose shares sum to 1; expected at least one other output, for normal"
        )
    others = outputs[normal[0]] if len(normal) == 1 else "all others"
    said = f"{' or '.join(outputs[place] for place in abnormal)} against {others}"
    if len(outputs) > 2:
        return ClassesHead(normal, abnormal, said)
    return Head(np.eye(2, dtype=np.float32)[[*normal, *abnormal]], np.zeros(2, np.float32), said)


def _place(name: str, outputs: Sequence[str]) -> int:
    if name in outputs:
        return list(outputs).index(name)
    if name.isdigit() and int(name) < len(outputs):
        return int(name)
    raise UsageError(
        f"the network has no output {name!r}; expected some of {', '.join(outputs[:40])}, or numbers"
    )


def attach(model: onnx.ModelProto, head: Head | ClassesHead) -> onnx.ModelProto:
    """The network with logits (B, 2) in place of its outputs; what only these needed is gone."""
    attached = onnx.ModelProto()
    attached.CopyFrom(model)
    graph = attached.graph
    match head:
        case Head():
            _add_readings(graph, head)
        case ClassesHead():
            _add_classes(graph, head)
    conv5 = next(value for value in graph.output if value.name == CONV5)
    kept = onnx.ValueInfoProto()
    kept.CopyFrom(conv5)
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(LOGITS, onnx.TensorProto.FLOAT, ["B", 2]))
    graph.output.append(kept)
    _drop_unneeded(graph)
    return attached


def _add_readings(graph: onnx.GraphProto, head: Head) -> None:
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


def _add_classes(graph: onnx.GraphProto, head: ClassesHead) -> None:
    """log(sum(exp)) step by step: OpenVINO's ReduceLogSumExp sums over films, too."""
    graph.initializer.append(numpy_helper.from_array(np.array([1], np.int64), "head_axis"))
    for side, places in (("normal", head.normal), ("abnormal", head.abnormal)):
        classes, top, below, powers, total, beyond, logit = (
            f"head_{side}_{step}"
            for step in ("classes", "top", "below", "powers", "total", "beyond", "logit")
        )
        graph.initializer.append(numpy_helper.from_array(np.array(places, np.int64), f"head_{side}_places"))
        graph.node.extend(
            (
                helper.make_node("Gather", [OUTPUTS, f"head_{side}_places"], [classes], axis=1),
                helper.make_node("ReduceMax", [classes], [top], axes=[1], keepdims=1),
                helper.make_node("Sub", [classes, top], [below]),
                helper.make_node("Exp", [below], [powers]),
                helper.make_node("ReduceSum", [powers, "head_axis"], [total], keepdims=1),
                helper.make_node("Log", [total], [beyond]),
                helper.make_node("Add", [beyond, top], [logit]),
            )
        )
    graph.node.append(
        helper.make_node("Concat", ["head_normal_logit", "head_abnormal_logit"], [LOGITS], axis=1)
    )


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
