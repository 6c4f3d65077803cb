"""A model's engine, from the cache or built."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from cxr_runtime.backends.engine import OutOfDeviceMemoryError
from cxr_runtime.backends.nvidia import tensorrt_engine
from cxr_runtime.backends.nvidia.builder import BuildOptions
from cxr_runtime.backends.nvidia.driver import Gpu
from cxr_runtime.backends.nvidia.tensorrt_engine import (
    Compiled,
    TensorRtEngine,
    compile_model,
)
from cxr_runtime.errors import BackendError
from cxr_runtime.model.folder import Model
from fake_tensorrt import FakeMemory, FakeTensorRt, fake_plan

UseTensorRt = Callable[[str], FakeTensorRt]


@pytest.fixture(autouse=True)
def own_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with a cache of its own and one drawn GPU."""
    monkeypatch.setenv("CXR_TRIAGE_CACHE", str(tmp_path / "cache"))
    _plug_in(monkeypatch, "NVIDIA T4")


def _plug_in(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    gpu = Gpu(0, name, "7.5", 16 * 2**30, "580.82", "13.0")
    monkeypatch.setattr(tensorrt_engine, "find_gpus", lambda: [gpu])


def _silent(line: str) -> None:
    assert "\n" not in line


def test_a_float32_model_is_compiled_in_explicit_fp16_once(model: Model, use_tensorrt: UseTensorRt) -> None:
    trt = use_tensorrt("11.4.0")
    first = compile_model(model, say=_silent)
    again = compile_model(model, say=_silent)
    assert (first.precision, first.was_built, again.was_built) == ("fp16", True, False)
    assert again.plan == first.plan
    ((parsed,),) = trt.called("parse")
    assert isinstance(parsed, bytes)
    types = {tensor.data_type for tensor in onnx.load_from_string(parsed).graph.initializer}
    assert onnx.TensorProto.FLOAT16 in types


def test_a_scan_finds_the_engine_that_was_built_for_larger_batches(
    model: Model, use_tensorrt: UseTensorRt
) -> None:
    use_tensorrt("10.16.1")
    options = BuildOptions((24, 24), usual_batch=16, largest_batch=16)
    assert compile_model(model, options=options, say=_silent).was_built
    found = compile_model(model, say=_silent)
    assert (found.was_built, found.largest_batch) == (False, 16)
    assert compile_model(model, options=BuildOptions((24, 24)), say=_silent).was_built


def test_another_gpu_tensorrt_or_precision_gets_its_own_engine(
    model: Model, use_tensorrt: UseTensorRt, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_tensorrt("10.16.1")
    compile_model(model, say=_silent)
    _plug_in(monkeypatch, "NVIDIA H100")
    assert compile_model(model, say=_silent).was_built
    use_tensorrt("11.4.0")
    assert compile_model(model, say=_silent).was_built
    use_tensorrt("11.4.0").plan = fake_plan("Float", "Row major linear FP32")
    assert compile_model(model, precision="fp32", say=_silent).was_built


def test_an_engine_that_came_out_in_float32_is_refused_and_not_kept(
    model: Model, use_tensorrt: UseTensorRt, tmp_path: Path
) -> None:
    use_tensorrt("10.16.1").plan = fake_plan("Float", "Row major linear FP32")
    with pytest.raises(BackendError, match="the engine was to be fp16"):
        compile_model(model, say=_silent)
    assert not list(tmp_path.rglob("*.engine"))


def test_a_model_that_is_fp16_already_stays_as_it_is(model: Model, use_tensorrt: UseTensorRt) -> None:
    trt = use_tensorrt("10.16.1")
    half = replace(model, manifest=replace(model.manifest, precision="fp16"))
    assert compile_model(half, precision="fp32", say=_silent).precision == "fp16"
    assert trt.called("parse") == [(model.onnx,)]


def test_force_builds_again_with_the_timings_of_the_first_time(
    model: Model, use_tensorrt: UseTensorRt
) -> None:
    trt = use_tensorrt("10.16.1")
    compile_model(model, say=_silent)
    assert compile_model(model, force=True, say=_silent).was_built
    assert [call[0] for call in trt.called("set_timing_cache")] == [b"", b"timings"]


def test_an_engine_computes_half_a_batch_while_the_other_half_is_copied(
    use_tensorrt: UseTensorRt, memory: FakeMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_tensorrt("10.16.1")
    monkeypatch.setattr(tensorrt_engine, "open_memory", lambda _: memory)
    engine = TensorRtEngine(Compiled(fake_plan(), "fp16", 32, was_built=False), 8)
    films = np.random.default_rng(0).normal(size=(8, 3, 2, 2)).astype(np.float32)
    memory.done.clear()
    outputs = engine.run(films)
    np.testing.assert_array_equal(outputs.conv5, films[:, 2:])
    np.testing.assert_array_equal(outputs.logits, films[:, :2].sum(axis=(2, 3)))
    assert engine.backend == "tensorrt-fp16"
    assert memory.done.count("graph compute") == 2


def test_an_engine_for_larger_batches_alone_serves_smaller_ones_too(
    model: Model, use_tensorrt: UseTensorRt, memory: FakeMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_tensorrt("10.16.1")
    options = BuildOptions((24, 24), smallest_batch=16, usual_batch=16, largest_batch=16)
    built = compile_model(model, options=options, say=_silent)
    found = compile_model(model, say=_silent)
    assert (built.smallest_batch, found.smallest_batch, found.was_built) == (16, 16, False)
    monkeypatch.setattr(tensorrt_engine, "open_memory", lambda _: memory)
    engine = TensorRtEngine(found, 8)
    memory.done.clear()
    assert engine.run(np.ones((8, 3, 2, 2), np.float32)).logits.tolist() == [[4, 4]] * 8
    assert {len(array) for array in memory.device.values()} == {16 * 12, 16 * 2, 16 * 4}


def test_an_engine_that_does_not_fit_leaves_no_memory_behind(
    use_tensorrt: UseTensorRt, memory: FakeMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(size: int) -> int:
        raise OutOfDeviceMemoryError(f"no room for {size} bytes")

    use_tensorrt("10.16.1")
    monkeypatch.setattr(tensorrt_engine, "open_memory", lambda _: memory)
    monkeypatch.setattr(memory, "allocate", full)
    with pytest.raises(OutOfDeviceMemoryError):
        TensorRtEngine(Compiled(fake_plan(), "fp16", 32, was_built=False), 8)
    assert memory.is_closed
