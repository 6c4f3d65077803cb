"""The libraries that serve a GPU's memory, on stand-ins for them."""

import sys
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cxr_runtime.backends.engine import OutOfDeviceMemoryError
from cxr_runtime.backends.nvidia import memory, presence
from cxr_runtime.errors import BackendError
from fake_tensorrt import FakeMemory

PYCUDA = "cxr_runtime.backends.nvidia.pycuda_memory"
CUDA_PYTHON = "cxr_runtime.backends.nvidia.cuda_python_memory"


class FakeError(Exception):
    """pycuda.driver.Error."""


@pytest.fixture
def calls() -> list[tuple[object, ...]]:
    return []


@pytest.fixture
def fake_pycuda(
    monkeypatch: pytest.MonkeyPatch, calls: list[tuple[object, ...]]
) -> Iterator[SimpleNamespace]:
    """A stand-in for pycuda.driver, with the names and arguments of pycuda 2026.1."""

    def note(name: str, result: Any = None) -> Any:
        def call(*arguments: Any) -> Any:
            calls.append((name, *arguments))
            return result

        return call

    class Allocation:
        def __int__(self) -> int:
            return 4096

        free = note("free")

    context = SimpleNamespace(push=note("push"), detach=note("detach"))
    stream = SimpleNamespace(
        handle=77, synchronize=note("synchronize"), wait_for_event=note("wait_for_event")
    )
    driver = SimpleNamespace(
        Error=FakeError,
        init=note("init"),
        Device=lambda _: SimpleNamespace(retain_primary_context=lambda: context),
        Context=SimpleNamespace(pop=note("pop")),
        pagelocked_empty=np.empty,
        mem_alloc=note("mem_alloc", Allocation()),
        Stream=note("Stream", stream),
        Event=note("Event", SimpleNamespace(record=note("record"))),
        event_flags=SimpleNamespace(DEFAULT=0, DISABLE_TIMING=2),
        memcpy_htod_async=note("memcpy_htod_async"),
        memcpy_dtoh_async=note("memcpy_dtoh_async"),
    )
    package, module = ModuleType("pycuda"), ModuleType("pycuda.driver")
    module.__dict__.update(vars(driver))
    package.__dict__["driver"] = module
    monkeypatch.setitem(sys.modules, "pycuda", package)
    monkeypatch.setitem(sys.modules, "pycuda.driver", module)
    monkeypatch.delitem(sys.modules, PYCUDA, raising=False)
    yield driver
    sys.modules.pop(PYCUDA, None)


def test_pycuda_copies_in_stream_order_within_the_gpus_context(
    fake_pycuda: SimpleNamespace, calls: list[tuple[object, ...]]
) -> None:
    served: memory.DeviceMemory = memory.LIBRARIES["pycuda"](0)
    with served.current():
        pinned, stream, event = served.pinned((2, 3)), served.stream(), served.event()
        address = served.allocate(pinned.nbytes)
        served.copy_in(address, pinned, stream)
        served.record(event, stream)
        served.wait(stream, event)
        served.copy_out(pinned, address, stream)
        served.synchronise(stream)
    assert served.library == "pycuda"
    assert served.stream_handle(stream) == 77
    assert [call[0] for call in calls] == [
        "init", "push", "Stream", "Event", "mem_alloc", "memcpy_htod_async", "record", "wait_for_event",
        "memcpy_dtoh_async", "synchronize", "pop",
    ]  # fmt: skip
    served.close()
    assert [call[0] for call in calls[-4:]] == ["push", "free", "pop", "detach"]


def test_what_pycuda_says_becomes_one_of_our_errors(fake_pycuda: SimpleNamespace) -> None:
    served: memory.DeviceMemory = memory.LIBRARIES["pycuda"](0)

    def fail() -> None:
        raise FakeError("cuMemAlloc failed:\n out of memory")

    with pytest.raises(OutOfDeviceMemoryError, match="cuMemAlloc failed: out"), served.current():
        fail()


class FakeStatus(int):
    """cudaError_t."""


@pytest.fixture
def fake_cuda_python(
    monkeypatch: pytest.MonkeyPatch, calls: list[tuple[object, ...]]
) -> Iterator[ModuleType]:
    """A stand-in for cuda.bindings.runtime 12, whose functions return a status and their result."""
    results: dict[str, Any] = {
        "cudaHostAlloc": None, "cudaMalloc": 4096, "cudaStreamCreateWithFlags": 77,
        "cudaEventCreateWithFlags": 88, "cudaGetErrorString": b"out of memory",
    }  # fmt: skip
    parameters = {  # of each function of cuda.bindings.runtime 13
        "cudaFree": 1, "cudaSetDevice": 1, "cudaHostAlloc": 2, "cudaMalloc": 1,
        "cudaStreamCreateWithFlags": 1, "cudaEventCreateWithFlags": 1, "cudaEventRecord": 2,
        "cudaStreamWaitEvent": 3, "cudaMemcpyAsync": 5, "cudaStreamSynchronize": 1, "cudaFreeHost": 1,
        "cudaGetErrorString": 1,
    }  # fmt: skip
    runtime = ModuleType("cuda.bindings.runtime")
    buffers: list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]] = []

    def function(name: str) -> Any:
        def call(*arguments: Any) -> tuple[Any, ...]:
            assert len(arguments) == parameters[name]
            calls.append((name, *arguments))
            if name == "cudaHostAlloc":
                buffers.append(np.zeros(arguments[0], np.uint8))
                return FakeStatus(0), buffers[-1].ctypes.data
            status = FakeStatus(2 if name == "cudaMalloc" and arguments[0] > 10**9 else 0)
            return (status, results[name]) if name in results else (status,)

        return call

    for name in parameters:
        runtime.__dict__[name] = function(name)
    runtime.__dict__["cudaMemcpyKind"] = SimpleNamespace(cudaMemcpyHostToDevice=1, cudaMemcpyDeviceToHost=2)
    cuda, bindings = ModuleType("cuda"), ModuleType("cuda.bindings")
    cuda.__dict__["bindings"], bindings.__dict__["runtime"] = bindings, runtime
    for module in (cuda, bindings, runtime):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.delitem(sys.modules, CUDA_PYTHON, raising=False)
    yield runtime
    sys.modules.pop(CUDA_PYTHON, None)


def test_cuda_python_copies_in_stream_order_on_its_device(
    fake_cuda_python: ModuleType, calls: list[tuple[object, ...]]
) -> None:
    served: memory.DeviceMemory = memory.LIBRARIES["cuda.bindings"](3)
    calls.clear()
    with served.current():
        pinned, stream, event = served.pinned((2, 3)), served.stream(), served.event()
        address = served.allocate(pinned.nbytes)
        served.copy_in(address, pinned, stream)
        served.record(event, stream)
        served.wait(stream, event)
        served.copy_out(pinned, address, stream)
        served.synchronise(stream)
    pinned[:] = 5
    assert pinned.shape == (2, 3)
    assert pinned.dtype == np.float32
    place = pinned.ctypes.data
    assert calls == [
        ("cudaSetDevice", 3), ("cudaHostAlloc", 24, 0), ("cudaStreamCreateWithFlags", 1),
        ("cudaEventCreateWithFlags", 2), ("cudaMalloc", 24),
        ("cudaMemcpyAsync", 4096, place, 24, 1, 77), ("cudaEventRecord", 88, 77),
        ("cudaStreamWaitEvent", 77, 88, 0), ("cudaMemcpyAsync", place, 4096, 24, 2, 77),
        ("cudaStreamSynchronize", 77),
    ]  # fmt: skip
    calls.clear()
    served.close()
    assert calls == [("cudaSetDevice", 3), ("cudaFree", 4096), ("cudaFreeHost", place)]


def test_a_status_of_cuda_python_becomes_one_of_our_errors(fake_cuda_python: ModuleType) -> None:
    served: memory.DeviceMemory = memory.LIBRARIES["cuda.bindings"](0)
    with pytest.raises(OutOfDeviceMemoryError, match=r"cudaMalloc: out of memory \(CUDA error 2\)"):
        served.allocate(10**10)


def _install(monkeypatch: pytest.MonkeyPatch, *names: str) -> list[tuple[str, int]]:
    """Make packages of LIBRARIES be there; which of them opens which device is noted."""
    opened: list[tuple[str, int]] = []

    def opener(library: str) -> Callable[[int], memory.DeviceMemory]:
        def note(device: int) -> memory.DeviceMemory:
            opened.append((library, device))
            return FakeMemory()

        return note

    monkeypatch.setattr(presence, "find_spec", lambda name: name if name in names else None)
    monkeypatch.setattr(memory, "LIBRARIES", {library: opener(library) for library in memory.LIBRARIES})
    return opened


def test_every_library_that_is_looked_for_can_be_opened() -> None:
    assert tuple(memory.LIBRARIES) == presence.MEMORY_LIBRARIES


def test_pycuda_is_taken_where_both_are_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = _install(monkeypatch, "pycuda", "cuda.bindings")
    memory.open_memory(2)
    assert opened == [("pycuda", 2)]


def test_cuda_python_is_taken_where_pycuda_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = _install(monkeypatch, "cuda.bindings")
    memory.open_memory()
    assert opened == [("cuda.bindings", 0)]


def test_neither_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch)
    assert presence.missing_library() == "neither pycuda nor cuda-python is installed"
    with pytest.raises(BackendError, match="install one of them: pycuda is in the extra `tensorrt`"):
        memory.open_memory()
