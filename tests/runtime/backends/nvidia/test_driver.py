"""NVIDIA's driver, on a stand-in for its library."""

import ctypes
from typing import Any

import pytest

from cxr_runtime.backends.engine import OutOfDeviceMemoryError
from cxr_runtime.backends.nvidia.driver import CudaGraph, find_gpus
from cxr_runtime.errors import BackendError

ARGUMENTS = {  # of each function of the CUDA driver API
    "cuInit": 1,
    "cuDeviceGetCount": 1,
    "cuDriverGetVersion": 1,
    "cuDeviceGet": 2,
    "cuDeviceGetName": 3,
    "cuDeviceTotalMem_v2": 2,
    "cuDeviceGetAttribute": 3,
    "cuStreamBeginCapture_v2": 2,
    "cuStreamEndCapture": 2,
    "cuGraphInstantiateWithFlags": 3,
    "cuGraphDestroy": 1,
    "cuGraphLaunch": 2,
    "cuGraphExecDestroy": 1,
}


class FakeDriver:
    """libcuda: notes what is called; `fails` gives a function's status and what the driver says of it."""

    def __init__(self, gpus: int = 1) -> None:
        self.gpus, self.calls = gpus, list[str]()
        self.fails: dict[str, tuple[int, bytes]] = {}

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> int:
            assert len(arguments) == ARGUMENTS[name]
            self.calls.append(name)
            if name in self.fails:
                return self.fails[name][0]
            getattr(self, f"_{name}", lambda *_: None)(*arguments)
            return 0

        if name.startswith("_"):
            raise AttributeError(name)
        return call

    def cuGetErrorString(self, status: int, text: Any) -> int:  # noqa: N802  # the driver's own name
        told = dict(self.fails.values())
        text._obj.value = told[status]
        return 0

    def _cuDeviceGetCount(self, count: Any) -> None:  # noqa: N802
        count._obj.value = self.gpus

    def _cuDriverGetVersion(self, version: Any) -> None:  # noqa: N802
        version._obj.value = 13010

    def _cuDeviceGetName(self, name: Any, _size: int, device: Any) -> None:  # noqa: N802
        name.value = f"NVIDIA H{device.value}00".encode()

    def _cuDeviceGet(self, device: Any, index: int) -> None:  # noqa: N802
        device._obj.value = index

    def _cuDeviceTotalMem_v2(self, memory: Any, _device: Any) -> None:  # noqa: N802
        memory._obj.value = 80 * 10**9

    def _cuDeviceGetAttribute(self, value: Any, attribute: int, _device: Any) -> None:  # noqa: N802
        value._obj.value = {75: 9, 76: 0}[attribute]


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> FakeDriver:
    fake = FakeDriver(gpus=2)
    monkeypatch.setattr(ctypes, "CDLL", lambda _: fake)
    return fake


def test_every_gpu_is_described(library: FakeDriver) -> None:
    first, second = find_gpus()
    assert (first.name, second.name, second.index) == ("NVIDIA H000", "NVIDIA H100", 1)
    assert (first.compute_capability, first.cuda, first.memory_bytes) == ("9.0", "13.1", 80 * 10**9)
    assert library.calls[0] == "cuInit"


def test_a_machine_without_a_driver_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> ctypes.CDLL:
        raise OSError

    monkeypatch.setattr(ctypes, "CDLL", missing)
    with pytest.raises(BackendError, match="no NVIDIA driver on this machine"):
        find_gpus()


def test_a_driver_that_does_not_work_says_why(library: FakeDriver) -> None:
    library.fails = {"cuInit": (999, b"unknown error, GPU is lost")}
    with pytest.raises(BackendError, match=r"cuInit: unknown error, GPU is lost \(CUDA error 999\)"):
        find_gpus()


def test_a_driver_without_a_gpu_is_no_failure(library: FakeDriver) -> None:
    library.fails = {"cuInit": (100, b"no CUDA-capable device is detected")}
    assert find_gpus() == []


def test_work_is_recorded_once_launched_often_and_forgotten(library: FakeDriver) -> None:
    graph = CudaGraph(7, lambda: library.calls.append("work"))
    graph.launch()
    graph.launch()
    graph.close()
    assert library.calls == [
        "cuStreamBeginCapture_v2", "work", "cuStreamEndCapture", "cuGraphInstantiateWithFlags",
        "cuGraphDestroy", "cuGraphLaunch", "cuGraphLaunch", "cuGraphExecDestroy",
    ]  # fmt: skip


def test_recording_is_ended_even_where_the_work_fails(library: FakeDriver) -> None:
    def work() -> None:
        raise BackendError("cannot be recorded")

    with pytest.raises(BackendError, match="cannot be recorded"):
        CudaGraph(7, work)
    assert library.calls[-1] == "cuStreamEndCapture"


def test_a_launch_without_memory_can_be_told_from_other_failures(library: FakeDriver) -> None:
    graph = CudaGraph(7, lambda: None)
    library.fails = {"cuGraphLaunch": (2, b"out of memory")}
    with pytest.raises(OutOfDeviceMemoryError, match="cuGraphLaunch: out of memory"):
        graph.launch()
