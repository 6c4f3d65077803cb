"""NVIDIA's driver, asked directly: which GPUs are there, and CUDA graphs, which pycuda does not offer.

Source: CUDA Driver API, device management and graph management.
"""

import ctypes
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxr_runtime.backends.engine import failure
from cxr_runtime.errors import BackendError

_LIBRARY = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
_CAPABILITY_MAJOR, _CAPABILITY_MINOR = 75, 76  # CUdevice_attribute
_NO_DEVICE = 100  # CUresult: the driver works, and sees no GPU
_CAPTURE_THREAD_LOCAL = 1  # CUstreamCaptureMode: other threads may go on as they like


@dataclass(frozen=True)
class Gpu:
    """One NVIDIA GPU."""

    index: int
    name: str
    compute_capability: str  # e.g. 9.0
    memory_bytes: int
    driver: str  # NVIDIA's driver, e.g. 580.82; "" where it is not told
    cuda: str  # newest CUDA version that the driver serves, e.g. 13.0


def find_gpus() -> list[Gpu]:
    """Every GPU that this process may use, CUDA_VISIBLE_DEVICES heeded.

    Raises:
        BackendError: there is no NVIDIA driver, or it does not work; the reason in one line.
    """
    driver = _library()
    if driver.cuInit(0) == _NO_DEVICE:
        return []
    _check(driver, "cuInit", 0)
    count, version = ctypes.c_int(), ctypes.c_int()
    _check(driver, "cuDeviceGetCount", ctypes.byref(count))
    _check(driver, "cuDriverGetVersion", ctypes.byref(version))
    cuda = f"{version.value // 1000}.{version.value % 1000 // 10}"
    return [_describe(driver, index, cuda) for index in range(count.value)]


class CudaGraph:
    """Work on a stream, recorded once and then launched as one."""

    def __init__(self, stream: int, work: Callable[[], None]) -> None:
        """Record what `work` puts on a stream; nothing is run.

        Args:
            stream: handle of a stream other than the default one.
            work: enqueues the work; must not wait for it.

        Raises:
            BackendError: the work cannot be recorded.
        """
        self._driver, self._stream = _library(), ctypes.c_void_p(stream)
        graph = ctypes.c_void_p()
        self._executable = ctypes.c_void_p()
        _check(self._driver, "cuStreamBeginCapture_v2", self._stream, _CAPTURE_THREAD_LOCAL)
        try:
            work()
        finally:
            _check(self._driver, "cuStreamEndCapture", self._stream, ctypes.byref(graph))
        instantiate = (ctypes.byref(self._executable), graph, ctypes.c_ulonglong(0))
        _check(self._driver, "cuGraphInstantiateWithFlags", *instantiate)
        _check(self._driver, "cuGraphDestroy", graph)

    def launch(self) -> None:
        """Put the recorded work on its stream once more."""
        _check(self._driver, "cuGraphLaunch", self._executable, self._stream)

    def close(self) -> None:
        """Forget the recorded work."""
        _check(self._driver, "cuGraphExecDestroy", self._executable)


def _library() -> Any:
    try:
        return ctypes.CDLL(_LIBRARY)
    except OSError as error:
        raise BackendError(f"no NVIDIA driver on this machine ({_LIBRARY} is not there)") from error


def _check(driver: Any, function: str, *arguments: Any) -> None:
    status = int(getattr(driver, function)(*arguments))
    if status != 0:
        text = ctypes.c_char_p()
        driver.cuGetErrorString(status, ctypes.byref(text))
        raise failure(f"{function}: {(text.value or b'unknown error').decode()} (CUDA error {status})")


def _describe(driver: Any, index: int, cuda: str) -> Gpu:
    device, memory = ctypes.c_int(), ctypes.c_size_t()
    name = ctypes.create_string_buffer(256)
    _check(driver, "cuDeviceGet", ctypes.byref(device), index)
    _check(driver, "cuDeviceGetName", name, len(name), device)
    _check(driver, "cuDeviceTotalMem_v2", ctypes.byref(memory), device)
    capability = []
    for attribute in (_CAPABILITY_MAJOR, _CAPABILITY_MINOR):
        value = ctypes.c_int()
        _check(driver, "cuDeviceGetAttribute", ctypes.byref(value), attribute, device)
        capability.append(str(value.value))
    return Gpu(index, name.value.decode(), ".".join(capability), memory.value, _driver_version(), cuda)


def _driver_version() -> str:
    """Version of the kernel's driver, which on Linux it writes where everybody can read it."""
    try:
        first_line = Path("/proc/driver/nvidia/version").read_text(encoding="utf-8").splitlines()[0]
    except (OSError, IndexError):
        return ""
    words = first_line.split("Kernel Module")[-1].split()
    return next((word for word in words if word[0].isdigit()), "")
