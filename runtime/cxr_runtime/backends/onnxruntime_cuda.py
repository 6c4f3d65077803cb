"""ONNX Runtime on an NVIDIA GPU, through CUDA or through its TensorRT provider."""

import os

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.backends.engine import INPUT, Engine, Outputs
from cxr_runtime.backends.nvidia.presence import missing_gpu
from cxr_runtime.backends.onnxruntime_cpu import OnnxSession, session_options
from cxr_runtime.folders import cache_folder
from cxr_runtime.model.folder import Model
from cxr_runtime.offline import load

CUDA, TENSORRT = "CUDAExecutionProvider", "TensorrtExecutionProvider"
_NAMES = {CUDA: "onnxruntime-cuda", TENSORRT: "onnxruntime-tensorrt"}


class OnnxRuntimeGpu:
    """ONNX Runtime on the first visible GPU, in fixed batches."""

    batch_step = None

    def __init__(self, onnx: bytes, provider: str, options: dict[str, str], batch_size: int) -> None:
        """Load a network.

        Args:
            onnx: a model.onnx.
            provider: CUDA or TENSORRT.
            options: of the provider, as ONNX Runtime names them.
            batch_size: films of every batch; smaller ones are padded, so that nothing is compiled twice.

        Raises:
            BackendError: ONNX Runtime cannot load the network there, or took another provider.
        """
        self.backend, self._batch_size = _NAMES[provider], batch_size
        session = session_options(None)
        session.add_session_config_entry("session.disable_cpu_ep_fallback", "1")  # not even for one operator
        self._session = OnnxSession(onnx, [(provider, options)], session)

    def run(self, batch: NDArray[np.float32]) -> Outputs:
        """Infer one batch of at most batch_size films: (B, 3, H, W) float32."""
        padded = np.zeros((self._batch_size, *batch.shape[1:]), np.float32)
        padded[: len(batch)] = batch
        outputs = self._session.run(padded)
        return Outputs(outputs.logits[: len(batch)], outputs.conv5[: len(batch)])

    def close(self) -> None:
        """Give back the device's memory."""
        self._session.close()


def missing(provider: str) -> str | None:
    """Why a provider, CUDA or TENSORRT, cannot be used here, or None."""
    if provider not in load("onnxruntime").get_available_providers():
        return f"this build of onnxruntime has no {provider}; install onnxruntime-gpu in its place"
    return missing_gpu()


def engine_of(model: Model, batch_size: int, threads: int | None) -> Engine:
    """Open a model on CUDA; float32 stays float32 (no TF32), and kernels are chosen by rule, not by clock."""
    del threads
    options = {"device_id": "0", "use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}
    return OnnxRuntimeGpu(model.onnx, CUDA, options, batch_size)


def open_tensorrt(model: Model, batch_size: int, threads: int | None) -> Engine:
    """Open a model through the TensorRT provider, in the types of its file, no TF32; its engines are kept."""
    del threads
    os.environ["NVIDIA_TF32_OVERRIDE"] = "0"  # the provider itself has no option for it
    shape = "x".join(str(size) for size in (batch_size, 3, *model.manifest.preprocessing.input_hw))
    folder = str(cache_folder("onnxruntime-tensorrt-no-tf32") / model.manifest.model_sha256[:32])
    options = {
        "device_id": "0",
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": folder,
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": folder,
        "trt_profile_min_shapes": f"{INPUT}:{shape}",
        "trt_profile_opt_shapes": f"{INPUT}:{shape}",
        "trt_profile_max_shapes": f"{INPUT}:{shape}",
    }
    return OnnxRuntimeGpu(model.onnx, TENSORRT, options, batch_size)
