"""A stand-in for TensorRT, and one for a GPU's memory."""

import sys
from typing import Protocol

import pytest

from fake_tensorrt import FakeGraph, FakeMemory, FakeTensorRt


class UseTensorRt(Protocol):
    """Puts a stand-in for one version of TensorRT in place."""

    def __call__(self, version: str) -> FakeTensorRt: ...


@pytest.fixture
def use_tensorrt(monkeypatch: pytest.MonkeyPatch) -> UseTensorRt:
    """Puts a stand-in for one version of TensorRT in place."""

    def use(version: str) -> FakeTensorRt:
        fake = FakeTensorRt(version)
        monkeypatch.setitem(sys.modules, "tensorrt", fake)
        return fake

    return use


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> FakeMemory:
    """A stand-in for a GPU's memory, and for CUDA graphs on it."""
    monkeypatch.setattr(FakeMemory, "opened", [])
    monkeypatch.setattr(FakeGraph, "launches", 0)
    monkeypatch.setattr("cxr_runtime.backends.nvidia.runner.CudaGraph", FakeGraph)
    return FakeMemory()
