"""Which backend runs the network."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_runtime.backends import choose
from cxr_runtime.backends.choose import open_engine, self_test_of, why_missing
from cxr_runtime.backends.engine import Outputs
from cxr_runtime.backends.onnxruntime_cpu import OnnxRuntimeCpu
from cxr_runtime.backends.registry import BACKENDS, REFERENCE, Backend
from cxr_runtime.backends.self_test import SelfTestResult
from cxr_runtime.errors import BackendError, UsageError
from cxr_runtime.model.folder import Model

pytestmark = pytest.mark.usefixtures("own_cache")


class FakeGpu:
    """A GPU's engine that runs on the CPU; `error` is added to its answers, `seconds` to its time."""

    backend = "fake-gpu"
    batch_step = None
    opened = 0

    def __init__(self, model: Model, error: float) -> None:
        type(self).opened += 1
        self._engine, self._error = OnnxRuntimeCpu(model.onnx, threads=1), np.float32(error)

    def run(self, batch: NDArray[np.float32]) -> Outputs:
        outputs = self._engine.run(batch)
        return Outputs(outputs.logits + self._error, outputs.conv5)

    def close(self) -> None:
        self._engine.close()


def _install(monkeypatch: pytest.MonkeyPatch, error: float = 0.0, missing: str | None = None) -> None:
    """Make FakeGpu the one GPU backend."""
    monkeypatch.setattr(FakeGpu, "opened", 0)
    fake = Backend(lambda: missing, lambda model, *_: FakeGpu(model, error))
    monkeypatch.setattr(choose, "BACKENDS", {"fake": fake, REFERENCE: BACKENDS[REFERENCE]})


def test_an_unknown_backend_is_wrong_usage(model: Model) -> None:
    with pytest.raises(UsageError, match="backend 'cpu' is not known; choose auto or one of: tensorrt"):
        open_engine(model, "cpu", batch_size=8)


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_a_required_gpu_does_not_fit_a_processor_backend(model: Model, backend: str) -> None:
    with pytest.raises(UsageError, match="--require-gpu does not fit"):
        open_engine(model, backend, batch_size=8, require_gpu=True)


def test_a_missing_backend_is_named_with_the_reason_in_one_line(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(
        BackendError, match="backend tensorrt is not used: tensorrt is not installed"
    ) as caught:
        open_engine(model, "tensorrt", batch_size=8)
    assert "\n" not in str(caught.value)


def test_a_required_gpu_that_is_not_there_names_what_every_gpu_backend_lacks(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(monkeypatch, missing="no NVIDIA GPU is visible")
    with pytest.raises(BackendError, match=r"no backend can be used \(fake: no NVIDIA GPU is visible\)"):
        open_engine(model, batch_size=8, require_gpu=True)


def test_auto_passes_over_what_is_missing(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, missing="no NVIDIA GPU is visible")
    assert open_engine(model, batch_size=8, threads=1).backend == "onnxruntime-cpu"


def test_auto_never_takes_a_backend_that_disagrees(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, error=5.0)
    assert open_engine(model, batch_size=8, threads=1).backend == "onnxruntime-cpu"
    with pytest.raises(BackendError, match=r"no backend can be used .*logits differs by"):
        open_engine(model, batch_size=8, threads=1, require_gpu=True)


def test_a_backend_that_disagrees_is_not_used_even_when_asked_for(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(monkeypatch, error=5.0)
    with pytest.raises(BackendError, match="backend fake is not used: logits differs by"):
        open_engine(model, "fake", batch_size=8, threads=1)


def test_auto_goes_on_to_the_next_backend_where_the_fastest_cannot_be_opened_any_more(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(monkeypatch)
    monkeypatch.setattr(choose, "CLEARLY_FASTER", 0.0)  # the first one that agrees stays in front
    assert open_engine(model, batch_size=8, threads=1).backend == "fake-gpu"

    def broken(*_: object) -> FakeGpu:
        raise BackendError("the GPU is taken by another program")

    fake = Backend(lambda: None, broken)
    monkeypatch.setattr(choose, "BACKENDS", {"fake": fake, REFERENCE: BACKENDS[REFERENCE]})
    assert open_engine(model, batch_size=8, threads=1).backend == "onnxruntime-cpu"
    with pytest.raises(BackendError, match="fake: the GPU is taken by another program"):
        open_engine(model, batch_size=8, threads=1, require_gpu=True)


def test_an_int8_model_is_tested_even_on_the_reference_backend(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    overflows = SelfTestResult("onnxruntime-cpu", agrees=False, reason="conv5 differs by 0.3")
    monkeypatch.setattr(choose, "self_test_of", lambda *_: overflows)
    assert open_engine(model, "onnxruntime", batch_size=8, threads=1).backend == "onnxruntime-cpu"
    int8 = replace(model, manifest=replace(model.manifest, precision="int8"))
    with pytest.raises(BackendError, match=r"conv5 differs by 0\.3"):
        open_engine(int8, "onnxruntime", batch_size=8, threads=1)
    with pytest.raises(BackendError, match=r"conv5 differs by 0\.3"):
        open_engine(int8, batch_size=8, threads=1)


def test_auto_takes_the_fastest_that_agrees(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch)
    slow = SelfTestResult("fake-gpu", agrees=True, milliseconds=9.0)
    fast = SelfTestResult("onnxruntime-cpu", agrees=True, milliseconds=1.0)
    monkeypatch.setattr(choose, "self_test_of", lambda name, *_: {"fake": slow, "onnxruntime": fast}[name])
    assert open_engine(model, batch_size=8, threads=1).backend == "onnxruntime-cpu"
    slow, fast = fast, slow
    assert open_engine(model, batch_size=8, threads=1).backend == "fake-gpu"


def test_a_self_test_is_kept_and_the_backend_is_not_tested_twice(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(monkeypatch)
    first = self_test_of("fake", model, 8, 1)
    assert first.agrees
    assert self_test_of("fake", model, 8, 1) == first
    assert FakeGpu.opened == 1
    self_test_of("fake", model, 4, 1)
    assert FakeGpu.opened == 2


def test_a_self_test_is_not_kept_where_the_backend_could_not_be_opened(
    model: Model, monkeypatch: pytest.MonkeyPatch, own_cache: Path
) -> None:
    _install(monkeypatch, missing="the cable is out")
    assert self_test_of("fake", model, 8, 1).reason == "the cable is out"
    assert not list(own_cache.rglob("*.json"))


def test_a_self_test_of_a_backend_that_broke_down_is_not_kept(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> Outputs:
        raise BackendError("the GPU is taken by another program")

    _install(monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(FakeGpu, "run", busy)
        assert self_test_of("fake", model, 8, 1).reason == "the GPU is taken by another program"
    assert self_test_of("fake", model, 8, 1).agrees


def test_a_self_test_of_numbers_that_are_not_finite_is_kept(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(monkeypatch, error=float("nan"))
    assert not self_test_of("fake", model, 8, 1).agrees
    assert not self_test_of("fake", model, 8, 1).agrees
    assert FakeGpu.opened == 1


def test_a_damaged_self_test_is_made_anew(
    model: Model, monkeypatch: pytest.MonkeyPatch, own_cache: Path
) -> None:
    _install(monkeypatch)
    first = self_test_of("fake", model, 8, 1)
    next(own_cache.rglob("*.json")).write_text("{")
    assert self_test_of("fake", model, 8, 1).conv5_difference == first.conv5_difference
    assert FakeGpu.opened == 2


def test_a_cache_that_cannot_be_written_stops_nothing(
    model: Model, monkeypatch: pytest.MonkeyPatch, own_cache: Path
) -> None:
    _install(monkeypatch)
    own_cache.write_text("a file where a folder should be")
    assert self_test_of("fake", model, 8, 1).agrees


def test_every_listed_backend_can_be_asked_what_it_lacks() -> None:
    assert {name: type(why_missing(name)) in (str, type(None)) for name in BACKENDS} == dict.fromkeys(
        BACKENDS, True
    )
    assert why_missing("onnxruntime") is None


def test_saying_that_there_is_no_tensorrt_imports_none_of_its_modules() -> None:
    program = (
        "import sys; sys.modules['tensorrt'] = None\n"
        "from cxr_runtime.backends import open_engine\n"
        "from cxr_runtime.model.folder import DEFAULT_MODEL, open_model\n"
        "print(open_engine(open_model(DEFAULT_MODEL), batch_size=8, threads=1).backend)\n"
        "print(*(name for name in sys.modules if name.startswith('cxr_runtime.backends.nvidia.')))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    backend, imported = run.stdout.splitlines()
    assert backend in ("onnxruntime-cpu", "openvino-cpu")
    assert {name.rpartition(".")[2] for name in imported.split()} == {"driver", "presence"}
