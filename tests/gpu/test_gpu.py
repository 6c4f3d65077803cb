"""What needs an NVIDIA GPU: `python -m pytest -m gpu -n 0 tests/gpu`; the last test writes a page."""

from pathlib import Path

import numpy as np
import pytest

from cxr_runtime.backends.choose import open_engine, self_test_of, why_missing
from cxr_runtime.backends.nvidia.driver import CudaGraph, find_gpus
from cxr_runtime.backends.nvidia.memory import LIBRARIES, DeviceMemory, open_memory
from cxr_runtime.backends.nvidia.presence import is_installed
from cxr_runtime.backends.onnxruntime_cpu import OnnxRuntimeCpu
from cxr_runtime.backends.self_test import phantom_batch
from cxr_runtime.model.folder import DEFAULT_MODEL, Model, open_model

# Libraries that are met here for the first time may warn of what they like.
pytestmark = [pytest.mark.usefixtures("own_cache"), pytest.mark.gpu, pytest.mark.filterwarnings("default")]
GPU_BACKENDS = ("tensorrt", "tensorrt-fp32", "cuda", "onnxruntime-tensorrt")


@pytest.fixture(scope="module")
def model() -> Model:
    return open_model(DEFAULT_MODEL, allow_uncalibrated=True)


@pytest.fixture(params=LIBRARIES)
def memory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> DeviceMemory:
    library: str = request.param
    if not is_installed(library):
        pytest.skip(f"{library} is not installed")
    monkeypatch.setattr("cxr_runtime.backends.nvidia.memory.LIBRARIES", {library: LIBRARIES[library]})
    return open_memory()


def test_a_gpu_is_found() -> None:
    gpu = find_gpus()[0]
    assert gpu.name
    assert float(gpu.compute_capability) >= 5
    assert gpu.memory_bytes > 10**9


def test_what_is_copied_in_comes_out_again(memory: DeviceMemory) -> None:
    with memory.current():
        source, target, stream = memory.pinned((64, 64)), memory.pinned((64, 64)), memory.stream()
        source[:] = np.random.default_rng(0).normal(size=source.shape)
        address = memory.allocate(source.nbytes)
        memory.copy_in(address, source, stream)
        memory.copy_out(target, address, stream)
        memory.synchronise(stream)
        np.testing.assert_array_equal(target, source)
    memory.close()


def test_work_that_was_recorded_runs_at_every_launch(memory: DeviceMemory) -> None:
    with memory.current():
        source, target, stream = memory.pinned((16,)), memory.pinned((16,)), memory.stream()
        address = memory.allocate(source.nbytes)

        def work() -> None:
            memory.copy_in(address, source, stream)
            memory.copy_out(target, address, stream)

        graph = CudaGraph(memory.stream_handle(stream), work)
        for value in (1.0, 2.0):
            source[:] = value
            graph.launch()
            memory.synchronise(stream)
            assert (target == value).all()
        graph.close()
    memory.close()


@pytest.mark.parametrize("backend", GPU_BACKENDS)
def test_a_backend_agrees_with_the_reference_on_both_outputs(model: Model, backend: str) -> None:
    missing = why_missing(backend)
    if missing is not None:
        pytest.skip(missing)
    result = self_test_of(backend, model, 8, None)
    assert result.agrees, result.reason


@pytest.mark.parametrize("backend", GPU_BACKENDS)
def test_a_film_gets_the_same_bits_at_any_place_of_a_full_or_padded_batch(model: Model, backend: str) -> None:
    missing = why_missing(backend)
    if missing is not None:
        pytest.skip(missing)
    engine = open_engine(model, backend, batch_size=8, require_gpu=True)
    batch = phantom_batch(model.manifest.preprocessing)
    expected, backwards, few = engine.run(batch), engine.run(batch[::-1].copy()), engine.run(batch[:3])
    np.testing.assert_array_equal(backwards.logits[::-1], expected.logits)
    np.testing.assert_array_equal(few.conv5, expected.conv5[:3])
    engine.close()


def test_the_fp16_engine_is_built_once_and_rounds(model: Model) -> None:
    missing = why_missing("tensorrt")
    if missing is not None:
        pytest.skip(missing)
    from cxr_runtime.backends.nvidia.tensorrt_engine import compile_model

    assert compile_model(model).was_built
    assert not compile_model(model).was_built
    engine = open_engine(model, "tensorrt", batch_size=8, require_gpu=True)
    batch = phantom_batch(model.manifest.preprocessing)
    found = engine.run(batch)
    expected = OnnxRuntimeCpu(model.onnx).run(batch)
    assert engine.backend == "tensorrt-fp16"
    assert 0 < np.abs(found.conv5 - expected.conv5).max() < 0.02 * expected.conv5.max()
    engine.close()


def test_everything_is_measured_and_written_down() -> None:
    """docs/gpu-results.md; minutes, most of them for building engines and for torch.compile."""
    pytest.importorskip("torch", reason="torch is not installed (extra `train`)")
    from cxr_export.gpu.measuring import measure_gpu

    root = Path(__file__).parents[2]
    films = root.parent / "shared" / "data" / "nih512.csv"
    page = root / "docs" / "gpu-results.md"
    measured = measure_gpu(data=[films] if films.is_file() else [])
    page.write_text(measured, encoding="utf-8")
    assert "| custom | PyTorch eager FP32 | 64 |" in measured
