"""Whether TensorRT can be used, without importing it."""

import pytest

from cxr_runtime.backends.nvidia import presence
from cxr_runtime.backends.nvidia.driver import Gpu
from cxr_runtime.errors import BackendError


def _no_driver() -> list[Gpu]:
    raise BackendError("no NVIDIA driver on this machine (libcuda.so.1 is not there)")


@pytest.mark.parametrize(
    ("installed", "told"),
    [
        ((), "tensorrt is not installed"),
        (("pycuda",), "tensorrt is not installed"),
        (("tensorrt",), "neither pycuda nor cuda-python is installed"),
        (("tensorrt", "cuda.bindings"), "no NVIDIA driver on this machine (libcuda.so.1 is not there)"),
    ],
)
def test_what_is_missing_is_told_package_before_library_before_driver(
    monkeypatch: pytest.MonkeyPatch, installed: tuple[str, ...], told: str
) -> None:
    monkeypatch.setattr(presence, "find_spec", lambda name: name if name in installed else None)
    monkeypatch.setattr(presence, "find_gpus", _no_driver)
    assert presence.missing() == told


def test_a_driver_that_shows_no_gpu_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "find_gpus", list)
    assert presence.missing_gpu() == "no NVIDIA GPU is visible"


def test_a_module_within_a_package_that_is_not_there_is_not_installed() -> None:
    assert not presence.is_installed("a_package_that_is_not_there.within")
