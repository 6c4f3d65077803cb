"""Any PyTorch network as an ONNX model with its outputs and its last feature map."""

from collections.abc import Callable
from dataclasses import dataclass, field
from operator import getitem

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, fx, nn

from cxr_export.importing.feature_map import FeatureMap, Step, is_row, last_feature_map, named_feature_map
from cxr_export.tidy import tidy
from cxr_runtime.backends.engine import CONV5, INPUT
from cxr_runtime.errors import ModelError
from cxr_train.tracing import traced

OUTPUTS = "outputs"  # what the network says before a head makes normal and abnormal of it
POOLING = (
    "pool", "mean", "dropout", "view", "flatten", "reshape", "permute", "transpose", "clone", "detach",
    "alias", "contiguous", "_to_copy", "squeeze", "amax", "interpolate",
)  # fmt: skip  # parts of names of torch's operations that learn nothing and activate nothing
ATTENDING = ("scaled_dot_product", "softmax")
EXCLUDING = ("softmax", "log_softmax")  # make shares that add up to one, or their logarithms
SHARES = (*EXCLUDING, "sigmoid")  # made of logits
SAME_SHARES = 1e-5
Reference = Callable[[NDArray[np.float32]], tuple[NDArray[np.float32], NDArray[np.float32]]]


@dataclass(frozen=True)
class Traced:
    """A network with its feature map beside its outputs."""

    model: onnx.ModelProto = field(
        repr=False
    )  # `image` (B, c, H, W) -> `outputs` (B, K), `conv5` (B, C, h, w)
    reference: Reference = field(repr=False)  # the source itself: (B, c, H, W) -> the same two
    feature_map: FeatureMap
    left_out: str = ""  # the last step, of SHARES, if it only made shares of logits


def trace_network(
    network: nn.Module, channels: int, input_hw: tuple[int, int], named: str | None = None
) -> Traced:
    """Export a network as it is.

    Args:
        network: (B, channels, H, W) -> (B, K), or several results of which the first is that.
        channels: of its input, 1 or 3.
        input_hw: rows and columns of its input.
        named: the step whose result is the feature map; None: it is found.

    Raises:
        ModelError: the network cannot be exported, or has no feature map.
    """
    network = network.eval()
    example = torch.zeros(2, channels, *input_hw)
    try:
        with torch.no_grad():
            program = torch.export.export(network, (example,), dynamic_shapes=({0: torch.export.Dim("B")},))
    except Exception as error:
        first_line = str(error).strip().partition("\n")[0]
        raise ModelError(
            f"torch cannot export this network ({type(error).__name__}: {first_line}); expected one that"
            f" takes (B, {channels}, {input_hw[0]}, {input_hw[1]}) and whose steps do not depend on films"
        ) from error
    graph_module = program.module()
    assert isinstance(graph_module, fx.GraphModule)
    image, output, steps = _steps(graph_module.graph)
    found = (
        named_feature_map(steps, named, input_hw)
        if named
        else last_feature_map(steps, image, output, input_hw)
    )
    ending = _ending(graph_module.graph, output)
    if ending is not None:
        output = ending.all_input_nodes[0].name
    tapped = _Tapped(_with_map(graph_module, output, found))
    model = traced(tapped, example, INPUT, [OUTPUTS, CONV5], any_batch=True)
    left_out = "" if ending is None else _kind(ending).partition(".")[0]
    return Traced(tidy(model), _reference(network, tapped, ending), found, left_out)


class _Tapped(nn.Module):
    """A traced network that also gives its feature map."""

    def __init__(self, graph_module: fx.GraphModule) -> None:
        super().__init__()
        self.network = graph_module

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(B, c, H, W) -> outputs (B, K), conv5 (B, C, h, w)."""
        outputs, cells = self.network(image)
        return outputs, cells


def _ending(graph: fx.Graph, output: str) -> fx.Node | None:
    """The step that makes the output, if it only makes shares of logits."""
    made = next(node for node in graph.nodes if node.name == output)
    return made if _kind(made).startswith(SHARES) else None


def _reference(network: nn.Module, tapped: _Tapped, ending: fx.Node | None) -> Reference:
    """The untraced network's outputs, and the feature map of the traced one once both say the same.

    Of a network that ends in shares, its logits are those that make the same shares.
    """

    def run(image: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        batch = torch.from_numpy(np.ascontiguousarray(image))
        with torch.no_grad():
            said, (outputs, cells) = network(batch), tapped(batch)
            first = said if isinstance(said, Tensor) else next(iter(said))
            if ending is None:
                return first.flatten(1).numpy(), cells.numpy()
            assert callable(ending.target)
            shares = ending.target(outputs, *ending.args[1:], **ending.kwargs)
        if not torch.allclose(shares, first.flatten(1), rtol=0, atol=SAME_SHARES):
            raise ModelError("what this network ends in cannot be left out; give one that ends in logits")
        return outputs.numpy(), cells.numpy()

    return run


def _steps(graph: fx.Graph) -> tuple[str, str, list[Step]]:
    """The image's name, the first result's name, and the steps between."""
    inputs = [node for node in graph.nodes if node.op == "placeholder"]
    results = next(node for node in graph.nodes if node.op == "output").args[0]
    first = results if isinstance(results, fx.Node) else next(iter(results))
    steps = [
        Step(
            node.name,
            tuple(taken.name for taken in node.all_input_nodes),
            _shape(node),
            pools=node.target is getitem or any(part in _kind(node) for part in POOLING),
            attends=any(part in _kind(node) for part in ATTENDING) and not is_row(_shape(node)),
        )
        for node in graph.nodes
        if node.op == "call_function" and isinstance(node.meta.get("val"), Tensor | list | tuple)
    ]  # sizes are not on the way from the image to the output
    return inputs[0].name, first.name, steps


def _kind(node: fx.Node) -> str:
    """The name of the operation, e.g. `adaptive_avg_pool2d.default`."""
    return str(getattr(node.target, "__name__", node.target))


def _shape(node: fx.Node) -> tuple[int, ...] | None:
    value = node.meta.get("val")
    if not isinstance(value, Tensor):
        return None
    return (0, *(int(side) for side in value.shape[1:])) if value.ndim else ()


def _with_map(graph_module: fx.GraphModule, output: str, found: FeatureMap) -> fx.GraphModule:
    """The same network with two results: its outputs, as (B, K), and the feature map, channels first."""
    graph = graph_module.graph
    nodes = {node.name: node for node in graph.nodes}
    end = next(node for node in graph.nodes if node.op == "output")
    cells = nodes[found.name]
    if found.channels_last:  # turned, and turned back for the rest of the network
        with graph.inserting_after(cells):
            turned = graph.call_function(torch.ops.aten.permute.default, (cells, [0, 3, 1, 2]))
        with graph.inserting_after(turned):
            back = graph.call_function(torch.ops.aten.permute.default, (turned, [0, 2, 3, 1]))
        cells.replace_all_uses_with(back, delete_user_cb=lambda user: user is not turned)
        cells = turned
    with graph.inserting_before(end):
        outputs = graph.call_function(torch.ops.aten.flatten.using_ints, (nodes[output], 1))
    end.args = ((outputs, cells),)
    graph.set_codegen(fx.graph.CodeGen())
    return fx.GraphModule(graph_module, graph)
