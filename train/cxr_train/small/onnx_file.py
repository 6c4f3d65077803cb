"""A trained small network as the ONNX file that the runtime ships."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from cxr_runtime.errors import CxrTriageError
from cxr_runtime.files import write_bytes
from cxr_runtime.small_network import SmallNetwork
from cxr_train.tracing import traced

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
    write_bytes(path, traced(network, example, "film", [output]).SerializeToString())
    worst = float(np.abs(SmallNetwork(path).run(example.numpy()) - expected).max())
    if not worst < WORST_DIFFERENCE:
        path.unlink()
        raise CxrTriageError(f"{path.name}: ONNX Runtime and PyTorch differ by {worst:.2g}; it was not kept")
