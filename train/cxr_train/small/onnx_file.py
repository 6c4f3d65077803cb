"""A trained small network as the ONNX file that the runtime ships."""

import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn

from cxr_runtime.errors import CxrTriageError
from cxr_runtime.small_network import SmallNetwork

OPSET = 18
WORST_DIFFERENCE = 1e-3  # of an output, between PyTorch and ONNX Runtime


def write_onnx(network: nn.Module, path: Path, side: int, output: str) -> None:
    """Export a network with one square grey input `film` (1, 1, side, side) and one output.

    Raises:
        CxrTriageError: ONNX Runtime disagrees with the network; no file is left.
    """
    network = network.eval()
    example = torch.randn(1, 1, side, side, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = network(example).numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's remarks on its own innards; errors are still raised
        torch.onnx.export(
            network, (example,), str(path), input_names=["film"], output_names=[output],
            opset_version=OPSET, dynamo=True, external_data=False, verbose=False,
        )  # fmt: skip
    forget_sources(path)
    worst = float(np.abs(SmallNetwork(path).run(example.numpy()) - expected).max())
    if not worst < WORST_DIFFERENCE:
        path.unlink()
        raise CxrTriageError(f"{path.name}: ONNX Runtime and PyTorch differ by {worst:.2g}; it was not kept")


def forget_sources(path: Path) -> None:
    """Take out of an ONNX file where on the exporting machine each node's code lay."""
    model = onnx.load(path)
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.value_info, *graph.input, *graph.output):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    onnx.save(model, path)
