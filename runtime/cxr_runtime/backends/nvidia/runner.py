"""Running a TensorRT engine: fixed batches, pinned buffers, copies that overlap with computing, a CUDA graph.

Needs nothing but tensorrt, numpy and pycuda (or cuda-python), and runs on Python 3.10.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.backends.engine import failure
from cxr_runtime.backends.nvidia.driver import CudaGraph
from cxr_runtime.backends.nvidia.memory import DeviceMemory
from cxr_runtime.backends.nvidia.plan import load_plan, set_batch
from cxr_runtime.errors import BackendError

SLOTS = 2  # one is copied while the other is computed

Arrays = dict[str, NDArray[np.float32]]


@dataclass
class _Slot:
    """Buffers of one batch, allocated once."""

    pinned: Arrays  # by tensor name
    addresses: dict[str, int]  # on the device, by tensor name
    copied: Any  # event: the input has arrived
    computed: Any  # event: the outputs are there
    launch: Callable[[], None]  # puts the computing on its stream


class TensorRtRunner:
    """One engine on one GPU, for batches of up to any size, computed `batch` films at a time."""

    def __init__(self, plan: bytes, memory: DeviceMemory, batch: int) -> None:
        """Load an engine and record its work.

        Args:
            plan: a serialized engine of this machine.
            memory: of the GPU it was built for.
            batch: films that are computed at once; within the engine's profile.

        Raises:
            BackendError: the engine cannot be loaded, or the device has no room for it.
        """
        self._memory, self._batch = memory, batch
        with memory.current():
            self._plan = load_plan(plan)
            self._shapes, self._inputs = set_batch(self._plan, batch)
            self._copying, self._computing = memory.stream(), memory.stream()
            self._graphs: list[CudaGraph] = []
            self._slots = [self._new_slot() for _ in range(SLOTS)]

    @property
    def is_recorded(self) -> bool:
        """Whether a CUDA graph is launched, rather than every kernel by itself."""
        return len(self._graphs) == SLOTS

    def run(self, films: NDArray[np.float32]) -> Arrays:
        """Infer films.

        Args:
            films: (B, 3, H, W) float32, any B.

        Returns:
            The engine's outputs by name, each (B, ...) float32.

        Raises:
            BackendError: the device failed.
        """
        outputs = {
            name: np.empty((len(films), *shape[1:]), np.float32)
            for name, shape in self._shapes.items()
            if name not in self._inputs
        }
        with self._memory.current():
            starts = range(0, len(films), self._batch)
            for number, start in enumerate(starts):
                self._send(self._slots[number % SLOTS], films[start : start + self._batch])
                if number:
                    self._receive(self._slots[(number - 1) % SLOTS], outputs, starts[number - 1])
            self._receive(self._slots[(len(starts) - 1) % SLOTS], outputs, starts[-1])
        return outputs

    def close(self) -> None:
        """Give back the device's memory."""
        with self._memory.current():
            for graph in self._graphs:
                graph.close()
            self._slots.clear()
            del self._plan
        self._memory.close()

    def _new_slot(self) -> _Slot:
        memory = self._memory
        pinned = {name: memory.pinned(shape) for name, shape in self._shapes.items()}
        for array in pinned.values():
            array[:] = 0
        addresses = {name: memory.allocate(array.nbytes) for name, array in pinned.items()}
        slot = _Slot(pinned, addresses, memory.event(), memory.event(), lambda: self._enqueue(addresses))
        self._enqueue(addresses)  # once as it is: TensorRT sets itself up then, which cannot be recorded
        memory.synchronise(self._computing)
        self._record(slot)
        return slot

    def _record(self, slot: _Slot) -> None:
        """Replace the launching of many kernels by one graph, where the engine can be recorded."""
        try:
            graph = CudaGraph(self._memory.stream_handle(self._computing), slot.launch)
        except BackendError:
            return
        self._graphs.append(graph)
        slot.launch = graph.launch

    def _enqueue(self, addresses: dict[str, int]) -> None:
        for name, address in addresses.items():
            self._plan.context.set_tensor_address(name, address)
        if not self._plan.context.execute_async_v3(self._memory.stream_handle(self._computing)):
            raise failure(self._plan.log.reason(), "TensorRT could not run the engine")

    def _send(self, slot: _Slot, films: NDArray[np.float32]) -> None:
        """Copy films in and start computing them; what the batch has too much of is black."""
        memory, name = self._memory, self._inputs[0]
        slot.pinned[name][: len(films)] = films
        slot.pinned[name][len(films) :] = 0
        memory.copy_in(slot.addresses[name], slot.pinned[name], self._copying)
        memory.record(slot.copied, self._copying)
        memory.wait(self._computing, slot.copied)
        slot.launch()
        memory.record(slot.computed, self._computing)

    def _receive(self, slot: _Slot, outputs: Arrays, start: int) -> None:
        """Copy a computed batch out, while the other slot is computed."""
        memory = self._memory
        memory.wait(self._copying, slot.computed)
        for name in outputs:
            memory.copy_out(slot.pinned[name], slot.addresses[name], self._copying)
        memory.synchronise(self._copying)
        for name, target in outputs.items():
            count = min(self._batch, len(target) - start)
            target[start : start + count] = slot.pinned[name][:count]
