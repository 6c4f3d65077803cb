"""A GPU's memory by cuda-python (package cuda-bindings)."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cuda.bindings.runtime as cudart
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.backends.engine import failure

_DEFAULT_PINNING = 0  # cudaHostAllocDefault
_NON_BLOCKING = 1  # cudaStreamNonBlocking
_NO_TIMING = 2  # cudaEventDisableTiming


class CudaPythonMemory:
    """One GPU's primary context, which TensorRT shares."""

    library = "cuda-python"

    def __init__(self, device: int) -> None:
        self._device = device
        self._allocations: list[int] = []
        self._pinned: list[int] = []
        with self.current():
            _call("cudaFree", 0)  # makes the context now, where its error can still be told

    @contextmanager
    def current(self) -> Iterator[None]:
        """Within the block, the calling thread works with this GPU."""
        _call("cudaSetDevice", self._device)
        yield

    def pinned(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """A float32 array in page-locked host memory."""
        count = int(np.prod(shape))
        address = int(_call("cudaHostAlloc", count * 4, _DEFAULT_PINNING))
        self._pinned.append(address)
        return np.ctypeslib.as_array((ctypes.c_float * count).from_address(address)).reshape(shape)

    def allocate(self, size: int) -> int:
        """Address of new bytes on the device."""
        self._allocations.append(int(_call("cudaMalloc", size)))
        return self._allocations[-1]

    def stream(self) -> Any:
        """A new stream."""
        return _call("cudaStreamCreateWithFlags", _NON_BLOCKING)

    def stream_handle(self, stream: Any) -> int:
        """CUDA's number for the stream."""
        return int(stream)

    def event(self) -> Any:
        """A new event."""
        return _call("cudaEventCreateWithFlags", _NO_TIMING)

    def record(self, event: Any, stream: Any) -> None:
        """Let the event happen once the stream has come this far."""
        _call("cudaEventRecord", event, stream)

    def wait(self, stream: Any, event: Any) -> None:
        """Let the stream go on only after the event."""
        _call("cudaStreamWaitEvent", stream, event, 0)

    def copy_in(self, address: int, source: NDArray[np.float32], stream: Any) -> None:
        """Copy pinned memory to the device."""
        kind = cudart.cudaMemcpyKind.cudaMemcpyHostToDevice
        _call("cudaMemcpyAsync", address, source.ctypes.data, source.nbytes, kind, stream)

    def copy_out(self, target: NDArray[np.float32], address: int, stream: Any) -> None:
        """Copy from the device to pinned memory."""
        kind = cudart.cudaMemcpyKind.cudaMemcpyDeviceToHost
        _call("cudaMemcpyAsync", target.ctypes.data, address, target.nbytes, kind, stream)

    def synchronise(self, stream: Any) -> None:
        """Wait until the stream has done everything."""
        _call("cudaStreamSynchronize", stream)

    def close(self) -> None:
        """Give everything back; arrays from `pinned` must not be used any more."""
        with self.current():
            for address in self._allocations:
                _call("cudaFree", address)
            for address in self._pinned:
                _call("cudaFreeHost", address)
        self._allocations.clear()
        self._pinned.clear()


def _call(function: str, *arguments: Any) -> Any:
    """Call the CUDA runtime: its one result, or our error for its status."""
    status, *results = getattr(cudart, function)(*arguments)
    if int(status) != 0:
        _, text = cudart.cudaGetErrorString(status)
        raise failure(f"{function}: {text.decode()} (CUDA error {int(status)})")
    return results[0] if results else None
