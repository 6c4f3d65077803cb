"""Every backend by its name on the command line; what it needs is imported when it is asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cxr_runtime.backends.engine import Engine
    from cxr_runtime.model.folder import Model

    Open = Callable[[Model, int, int | None], Engine]  # model, films a batch, processor threads

REFERENCE = "onnxruntime"  # what every other backend is held against


@dataclass(frozen=True)
class Backend:
    """How a backend is asked for."""

    missing: Callable[[], str | None]  # why it cannot be used on this machine, or None
    open: "Open"
    needs_gpu: bool = True


def _missing_tensorrt() -> str | None:
    from cxr_runtime.backends.nvidia.presence import missing

    return missing()


def _open_tensorrt(model: "Model", batch_size: int, threads: int | None) -> "Engine":
    from cxr_runtime.backends.nvidia.tensorrt_engine import engine_of

    return engine_of(model, batch_size, threads)


def _open_tensorrt_float32(model: "Model", batch_size: int, threads: int | None) -> "Engine":
    from cxr_runtime.backends.nvidia.tensorrt_engine import open_float32

    return open_float32(model, batch_size, threads)


def _missing_onnxruntime_tensorrt() -> str | None:
    from cxr_runtime.backends.onnxruntime_cuda import TENSORRT, missing

    return missing(TENSORRT)


def _open_onnxruntime_tensorrt(model: "Model", batch_size: int, threads: int | None) -> "Engine":
    from cxr_runtime.backends.onnxruntime_cuda import open_tensorrt

    return open_tensorrt(model, batch_size, threads)


def _missing_cuda() -> str | None:
    from cxr_runtime.backends.onnxruntime_cuda import CUDA, missing

    return missing(CUDA)


def _open_cuda(model: "Model", batch_size: int, threads: int | None) -> "Engine":
    from cxr_runtime.backends.onnxruntime_cuda import engine_of

    return engine_of(model, batch_size, threads)


def _open_reference(model: "Model", batch_size: int, threads: int | None) -> "Engine":
    from cxr_runtime.backends.onnxruntime_cpu import engine_of

    return engine_of(model, batch_size, threads)


def _missing_openvino() -> str | None:
    return None if find_spec("openvino") else "openvino is not installed"


def _open_openvino(model: "Model", batch_size: int, threads: int | None) -> "Engine":
    from cxr_runtime.backends.openvino_cpu import engine_of

    return engine_of(model, batch_size, threads)


BACKENDS: dict[str, Backend] = {  # the likely fastest first
    "tensorrt": Backend(_missing_tensorrt, _open_tensorrt),
    "onnxruntime-tensorrt": Backend(_missing_onnxruntime_tensorrt, _open_onnxruntime_tensorrt),
    "cuda": Backend(_missing_cuda, _open_cuda),
    "tensorrt-fp32": Backend(_missing_tensorrt, _open_tensorrt_float32),
    REFERENCE: Backend(lambda: None, _open_reference, needs_gpu=False),
    "openvino": Backend(_missing_openvino, _open_openvino, needs_gpu=False),
}
