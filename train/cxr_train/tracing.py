"""From a PyTorch module to an ONNX model: the one place that asks torch's exporter."""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import onnx
import torch
from torch import Tensor, nn

OPSET = 18  # the lowest that the exporter writes by itself


def traced(
    module: nn.Module, example: Tensor, name: str, outputs: Sequence[str], any_batch: bool = False
) -> onnx.ModelProto:
    """Trace a module of one input; nothing in the model says where on this machine its code lies.

    Args:
        module: in evaluation mode.
        example: an input, (B, ...).
        name: of the input.
        outputs: names of the outputs.
        any_batch: whether B may be any number; else it is that of the example.
    """
    shapes = ({0: torch.export.Dim("B")},) if any_batch else None
    with torch.no_grad(), _quiet():
        program = torch.onnx.export(
            module, (example,), dynamo=True, opset_version=OPSET, dynamic_shapes=shapes,
            input_names=[name], output_names=list(outputs), external_data=False, verbose=False,
        )  # fmt: skip
    assert program is not None
    model = program.model_proto
    _forget_sources(model)
    return model


def _forget_sources(model: onnx.ModelProto) -> None:
    """The exporter writes stack traces, with the paths of the machine it ran on."""
    graph = model.graph
    described = (*graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer)
    for part in (model, graph, *described):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter remarks on its own innards, which says nothing to our users; errors are still raised."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
