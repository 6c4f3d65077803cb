"""Small networks as others make them, as classes of PyTorch and as ONNX files; weights are drawn."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional

SIDE = 64  # pixels of their inputs
CHANNELS = 12  # of their feature maps
STRIDE, ORIGIN = 8, 0.5  # of the cells of all of them


class Small(nn.Module):
    """As DenseNet ends: normalisation in the features, ReLU and average as functions, one linear layer."""

    def __init__(self, outputs: int = 2, channels: int = 3) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(channels, 6, 3, 2, 1), nn.ReLU(), nn.Conv2d(6, 8, 3, 2, 1), nn.ReLU(),
            nn.Conv2d(8, CHANNELS, 3, 2, 1, bias=False), nn.BatchNorm2d(CHANNELS),
        )  # fmt: skip
        self.classifier = nn.Linear(CHANNELS, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, H, W) -> (B, outputs)."""
        maps = functional.relu(self.features(x), inplace=True)
        pooled = functional.adaptive_avg_pool2d(maps, 1).flatten(1)
        said: Tensor = self.classifier(pooled)
        return said


class Sharing(Small):
    """As many end: in shares instead of logits."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 2) that sum to 1."""
        return torch.softmax(super().forward(x), dim=1)


class SharingLogarithms(Small):
    """As those end that were trained with the negative log likelihood."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 2), logarithms of shares."""
        return torch.log_softmax(super().forward(x), dim=1)


class Attending(nn.Module):
    """As a vision transformer ends: every cell looks at every other one."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 8, 8)
        self.head = nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 2)."""
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        seen = functional.scaled_dot_product_attention(tokens, tokens, tokens)
        said: Tensor = self.head(seen.mean(dim=1))
        return said


def write_weights(path: Path, outputs: int = 2, channels: int = 3) -> Path:
    """A state dict of `Small`, as .pth."""
    torch.manual_seed(3)
    torch.save(Small(outputs, channels).state_dict(), path)
    return path


def write_onnx(
    path: Path,
    *,
    outputs: int = 2,
    batch: int | str = 1,
    opset: int = 13,
    last_channels: bool = False,
    ending: str = "",
) -> Path:
    """Three convolutions, normalisation, ReLU, average, Gemm: for one film, in an old opset, as files are."""
    rng = np.random.default_rng(0)

    def weights(*shape: int) -> NDArray[np.float32]:
        return np.asarray(rng.normal(size=shape) / np.sqrt(np.prod(shape[1:])), np.float32)

    tensors = {"w1": weights(6, 3, 3, 3), "w2": weights(8, 6, 3, 3), "w3": weights(CHANNELS, 8, 3, 3)}
    tensors |= {name: np.ones(CHANNELS, np.float32) for name in ("scale", "variance")}
    tensors |= {name: np.zeros(CHANNELS, np.float32) for name in ("shift", "mean")}
    tensors |= {
        "fc": weights(outputs, CHANNELS),
        "row": np.array([batch if isinstance(batch, int) else 1, CHANNELS], np.int64),
    }
    halves: dict[str, Any] = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["c1"], "first", **halves),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("Conv", ["r1", "w2"], ["c2"], "second", **halves),
        helper.make_node("Relu", ["c2"], ["r2"]),
        helper.make_node("Conv", ["r2", "w3"], ["c3"], "last", **halves),
        helper.make_node("BatchNormalization", ["c3", "scale", "shift", "mean", "variance"], ["n3"]),
        helper.make_node("Relu", ["n3"], ["r3"]),
    ]
    if last_channels:
        nodes.append(helper.make_node("Transpose", ["r3"], ["turned"], perm=[0, 2, 3, 1]))
        nodes.append(helper.make_node("Abs", ["turned"], ["same"]))
        nodes.append(helper.make_node("ReduceMean", ["same"], ["average"], axes=[1, 2], keepdims=1))
    else:
        nodes.append(helper.make_node("GlobalAveragePool", ["r3"], ["average"]))
    nodes.append(helper.make_node("Reshape", ["average", "row"], ["pooled"]))
    nodes.append(helper.make_node("Gemm", ["pooled", "fc"], ["z" if ending else "y"], transB=1))
    if ending:
        nodes.append(helper.make_node(ending, ["z"], ["y"]))
    graph = helper.make_graph(
        nodes,
        "foreign",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [batch, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [batch, outputs])],
        [numpy_helper.from_array(values, name) for name, values in tensors.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path
