"""How large the numbers in a network get: what float16 can hold is decided by measurement."""

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.backends.graph.onnx_graph import FLOAT32, read_graph, with_outputs, write_graph
from cxr_runtime.backends.onnx_session import CPU_PROVIDER, new_session, session_options
from cxr_runtime.backends.tensor_names import INPUT


def largest_magnitudes(onnx: bytes, batch: NDArray[np.float32]) -> dict[str, float]:
    """Largest absolute value of every tensor, weights included, over one batch.

    Args:
        onnx: a float32 model.
        batch: (B, 3, H, W) float32, normalised films.

    Returns:
        One number for every float32 tensor, by its name; `nan` where one was not finite.
    """
    graph = read_graph(onnx)
    names = [name for node in graph.nodes for name in node.outputs]
    session = new_session(write_graph(with_outputs(graph, names)), [CPU_PROVIDER], session_options(None))
    found = {INPUT: batch, **dict(zip(names, session.run(names, {INPUT: batch}), strict=True))}
    found |= {name: tensor.array() for name, tensor in graph.constants.items() if tensor.data_type == FLOAT32}
    return {name: _largest(values) for name, values in found.items()}


def _largest(values: NDArray[np.float32]) -> float:
    return float(np.abs(values).max()) if values.size else 0.0
