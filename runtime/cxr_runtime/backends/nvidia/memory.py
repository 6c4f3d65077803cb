"""The memory of a GPU behind one small interface, so that pycuda or cuda-python may serve it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.backends.nvidia.presence import is_installed, missing_library
from cxr_runtime.errors import BackendError


class DeviceMemory(Protocol):
    """One GPU's memory and streams; streams and events are opaque to whoever uses it."""

    @property
    def library(self) -> str:
        """Who serves it: pycuda or cuda-python."""
        ...

    def current(self) -> AbstractContextManager[None]:
        """Within the block, the calling thread works with this GPU."""
        ...

    def pinned(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """A float32 array in page-locked host memory, which the GPU copies from without the processor."""
        ...

    def allocate(self, size: int) -> int:
        """Address of `size` new bytes on the device; they are given back by `close`."""
        ...

    def stream(self) -> Any:
        """A new stream that does not wait for the default one."""
        ...

    def stream_handle(self, stream: Any) -> int:
        """The stream as CUDA's own number for it."""
        ...

    def event(self) -> Any:
        """A new event without a clock."""
        ...

    def record(self, event: Any, stream: Any) -> None:
        """Let the event happen once the stream has come this far."""
        ...

    def wait(self, stream: Any, event: Any) -> None:
        """Let the stream go on only after the event; the caller does not wait."""
        ...

    def copy_in(self, address: int, source: NDArray[np.float32], stream: Any) -> None:
        """Copy pinned memory to the device, in the stream's order."""
        ...

    def copy_out(self, target: NDArray[np.float32], address: int, stream: Any) -> None:
        """Copy from the device to pinned memory, in the stream's order."""
        ...

    def synchronise(self, stream: Any) -> None:
        """Wait until the stream has done everything."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


def _open_pycuda(device: int) -> DeviceMemory:
    from cxr_runtime.backends.nvidia.pycuda_memory import PycudaMemory

    return PycudaMemory(device)


def _open_cuda_python(device: int) -> DeviceMemory:
    from cxr_runtime.backends.nvidia.cuda_python_memory import CudaPythonMemory

    return CudaPythonMemory(device)


# By the package of presence.MEMORY_LIBRARIES that each needs.
LIBRARIES: dict[str, Callable[[int], DeviceMemory]] = {
    "pycuda": _open_pycuda,
    "cuda.bindings": _open_cuda_python,
}


def open_memory(device: int = 0) -> DeviceMemory:
    """The memory of one GPU, by the first library of LIBRARIES that is installed.

    Args:
        device: number of the GPU among those that this process may use.

    Raises:
        BackendError: none is installed, or the GPU cannot be used.
    """
    for name, open_library in LIBRARIES.items():
        if is_installed(name):
            return open_library(device)
    raise BackendError(
        f"{missing_library()}; install one of them: pycuda is in the extra `tensorrt`, "
        "cuda-python in `tensorrt-wheels`"
    )
