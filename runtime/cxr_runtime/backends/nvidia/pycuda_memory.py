"""A GPU's memory by pycuda."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pycuda.driver as cuda
from numpy.typing import NDArray

from cxr_runtime.backends.engine import failure


class PycudaMemory:
    """One GPU's primary context, which TensorRT shares."""

    library = "pycuda"

    def __init__(self, device: int) -> None:
        with _said():
            cuda.init()
            self._context = cuda.Device(device).retain_primary_context()
        self._allocations: list[Any] = []

    @contextmanager
    def current(self) -> Iterator[None]:
        """Within the block, the calling thread works with this GPU."""
        with _said():
            self._context.push()
            try:
                yield
            finally:
                cuda.Context.pop()

    def pinned(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """A float32 array in page-locked host memory."""
        array: NDArray[np.float32] = cuda.pagelocked_empty(shape, np.float32)
        return array

    def allocate(self, size: int) -> int:
        """Address of new bytes on the device."""
        self._allocations.append(cuda.mem_alloc(size))
        return int(self._allocations[-1])

    def stream(self) -> Any:
        """A new stream."""
        return cuda.Stream(cuda.event_flags.DEFAULT | 1)  # CU_STREAM_NON_BLOCKING

    def stream_handle(self, stream: Any) -> int:
        """CUDA's number for the stream."""
        return int(stream.handle)

    def event(self) -> Any:
        """A new event."""
        return cuda.Event(cuda.event_flags.DISABLE_TIMING)

    def record(self, event: Any, stream: Any) -> None:
        """Let the event happen once the stream has come this far."""
        event.record(stream)

    def wait(self, stream: Any, event: Any) -> None:
        """Let the stream go on only after the event."""
        stream.wait_for_event(event)

    def copy_in(self, address: int, source: NDArray[np.float32], stream: Any) -> None:
        """Copy pinned memory to the device."""
        cuda.memcpy_htod_async(address, source, stream)

    def copy_out(self, target: NDArray[np.float32], address: int, stream: Any) -> None:
        """Copy from the device to pinned memory."""
        cuda.memcpy_dtoh_async(target, address, stream)

    def synchronise(self, stream: Any) -> None:
        """Wait until the stream has done everything."""
        stream.synchronize()

    def close(self) -> None:
        """Give everything back."""
        with self.current():
            for allocation in self._allocations:
                allocation.free()
        self._allocations.clear()
        self._context.detach()


@contextmanager
def _said() -> Iterator[None]:
    """Turn pycuda's errors into ours."""
    try:
        yield
    except cuda.Error as error:
        raise failure(f"pycuda: {' '.join(str(error).split())}") from error
