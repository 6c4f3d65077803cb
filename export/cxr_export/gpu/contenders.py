"""Everything that can run a network on a GPU, from films in memory to both outputs in memory."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from cxr_export.trace import LogitsAndConv5
from cxr_runtime.backends.choose import why_missing
from cxr_runtime.backends.engine import Engine, Outputs
from cxr_runtime.backends.graph.half import half_graph, largest_magnitudes
from cxr_runtime.backends.self_test import phantom_batch
from cxr_runtime.errors import BackendError
from cxr_runtime.model.folder import Model
from cxr_train.networks import Network
from cxr_train.networks.custom import LocalResponseNorm

EAGER, COMPILED = "PyTorch eager FP32", "torch.compile FP16"
ONNXRUNTIME, TENSORRT = "ONNX Runtime CUDA FP16", "TensorRT FP16"
LARGEST_TENSORRT_BATCH, USUAL_TENSORRT_BATCH = 128, 64  # half of a batch is computed at once


@dataclass(frozen=True)
class Entrant:
    """A network in the two forms that contenders take."""

    network: Network
    model: Model  # exported from it, float32


class TorchEngine:
    """A network as PyTorch runs it."""

    batch_step = None

    def __init__(self, network: Network, device: str, *, is_half: bool, is_compiled: bool) -> None:
        """Put a copy of a network on a device, with PyTorch's own settings.

        Args:
            network: in evaluation mode.
            device: as PyTorch names it.
            is_half: compute in float16.
            is_compiled: by torch.compile, with CUDA graphs where there is a GPU.
        """
        self.backend = COMPILED if is_compiled else EAGER
        self._device, self._dtype = device, torch.float16 if is_half else torch.float32
        wrapped = LogitsAndConv5(deepcopy(network)).eval().to(device, self._dtype)
        for module in wrapped.modules():
            if isinstance(module, LocalResponseNorm):  # it answers in float32, whatever it is given
                module.register_forward_hook(lambda _, given, found: found.to(given[0].dtype))
        self._run: Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]] = (
            torch.compile(wrapped, mode="reduce-overhead", dynamic=False) if is_compiled else wrapped
        )

    def run(self, batch: NDArray[np.float32]) -> Outputs:
        """Infer one batch: (B, 3, H, W) float32."""
        with torch.inference_mode():
            logits, conv5 = self._run(torch.from_numpy(batch).to(self._device, self._dtype))
            return Outputs(logits.float().cpu().numpy(), conv5.float().cpu().numpy())

    def close(self) -> None:
        """Give back the device's memory, and forget what was compiled for this batch."""
        del self._run
        torch.compiler.reset()


Open = Callable[[Entrant, int], Engine]  # a network and the films of a batch -> an engine


def contenders(device: str) -> dict[str, Open]:
    """Openers by name, PyTorch eager first.

    Args:
        device: of PyTorch's contenders; the others take the first GPU.
    """
    return {
        EAGER: lambda entrant, _: TorchEngine(entrant.network, device, is_half=False, is_compiled=False),
        COMPILED: lambda entrant, _: TorchEngine(entrant.network, device, is_half=True, is_compiled=True),
        ONNXRUNTIME: _open_onnxruntime,
        TENSORRT: _open_tensorrt,
    }


def _open_onnxruntime(entrant: Entrant, batch: int) -> Engine:
    _refuse_missing("cuda")
    from cxr_runtime.backends.onnxruntime_cuda import CUDA, OnnxRuntimeGpu

    films = phantom_batch(entrant.model.manifest.preprocessing)
    half = half_graph(entrant.model.onnx, largest_magnitudes(entrant.model.onnx, films))
    return OnnxRuntimeGpu(half, CUDA, {"cudnn_conv_algo_search": "EXHAUSTIVE"}, batch)


def _open_tensorrt(entrant: Entrant, batch: int) -> Engine:
    _refuse_missing("tensorrt")
    from cxr_runtime.backends.nvidia.builder import BuildOptions
    from cxr_runtime.backends.nvidia.tensorrt_engine import TensorRtEngine, compile_model

    options = BuildOptions(
        entrant.model.manifest.preprocessing.input_hw,
        usual_batch=USUAL_TENSORRT_BATCH,
        largest_batch=LARGEST_TENSORRT_BATCH,
    )
    return TensorRtEngine(compile_model(entrant.model, options=options), batch)


def _refuse_missing(backend: str) -> None:
    reason = why_missing(backend)
    if reason is not None:
        raise BackendError(reason)
