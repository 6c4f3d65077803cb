"""An ONNX Runtime session that says where it really runs."""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar

import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from cxr_runtime.backends import onnxruntime_cuda
from cxr_runtime.backends.choose import open_engine
from cxr_runtime.backends.engine import OutOfDeviceMemoryError
from cxr_runtime.backends.nvidia.driver import Gpu
from cxr_runtime.backends.onnxruntime_cpu import OnnxRuntimeCpu, OnnxSession, session_options
from cxr_runtime.backends.onnxruntime_cuda import CUDA, TENSORRT, OnnxRuntimeGpu
from cxr_runtime.errors import BackendError
from cxr_runtime.model.folder import Model


class FakeSession:
    """What onnxruntime-gpu's session says and does; computes on the CPU."""

    used: tuple[str, ...] = (CUDA, "CPUExecutionProvider")
    asked: ClassVar[list[tuple[str, dict[str, str]]]] = []
    error = ""
    keeps_off_cpu = ""

    def __init__(self, onnx: bytes, options: Any, providers: list[tuple[str, dict[str, str]]]) -> None:
        type(self).asked = providers
        with suppress(RuntimeError):  # an entry that was not made
            type(self).keeps_off_cpu = options.get_session_config_entry(NO_CPU)
        self._session = _REAL(onnx, providers=["CPUExecutionProvider"])

    def get_providers(self) -> list[str]:
        return list(self.used)

    def run(self, names: list[str], feeds: dict[str, NDArray[np.float32]]) -> object:
        if self.error:
            raise RuntimeError(self.error)
        return self._session.run(names, feeds)


_REAL = ort.InferenceSession
NO_CPU = "session.disable_cpu_ep_fallback"


def test_onnxruntime_knows_the_option_that_keeps_operators_off_the_processor(
    draw_network: Callable[[], bytes],
) -> None:
    options = session_options(None)
    options.add_session_config_entry(NO_CPU, "1")
    with pytest.raises(BackendError, match="fallback"):
        OnnxSession(draw_network(), ["CPUExecutionProvider"], options)


@pytest.fixture
def gpu_session(monkeypatch: pytest.MonkeyPatch) -> type[FakeSession]:
    """onnxruntime-gpu on a machine with a GPU."""
    fake = type("Fake", (FakeSession,), {})
    monkeypatch.setattr("cxr_runtime.backends.onnxruntime_cpu.ort.InferenceSession", fake)
    return fake


def test_a_provider_that_silently_fell_back_to_the_processor_is_found_out(
    draw_network: Callable[[], bytes], gpu_session: type[FakeSession]
) -> None:
    gpu_session.used = ("CPUExecutionProvider",)
    providers: list[tuple[str, dict[str, str]]] = [(CUDA, {})]
    with pytest.raises(BackendError, match=f"was asked for {CUDA} and silently took CPUExecutionProvider"):
        OnnxSession(draw_network(), providers, session_options(None))


def test_a_gpu_model_runs_in_full_batches_and_names_its_provider(
    model: Model, gpu_session: type[FakeSession], batch: NDArray[np.float32]
) -> None:
    engine = onnxruntime_cuda.engine_of(model, 8, None)
    whole, few = engine.run(batch), engine.run(batch[:3])
    assert engine.backend == "onnxruntime-cuda"
    np.testing.assert_array_equal(few.logits, whole.logits[:3])
    assert few.conv5.shape == (3, 12, 12, 12)
    ((provider, options),) = gpu_session.asked
    assert (provider, options["use_tf32"]) == (CUDA, "0")
    assert gpu_session.keeps_off_cpu == "1"


def test_the_tensorrt_provider_gets_one_profile_for_its_one_batch_and_no_tf32(
    model: Model, gpu_session: type[FakeSession], tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXR_TRIAGE_CACHE", str(tmp_path))
    gpu_session.used = (TENSORRT, CUDA)
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "1")
    assert onnxruntime_cuda.open_tensorrt(model, 8, None).backend == "onnxruntime-tensorrt"
    assert os.environ["NVIDIA_TF32_OVERRIDE"] == "0"
    ((provider, options),) = gpu_session.asked
    shapes = {options[f"trt_profile_{which}_shapes"] for which in ("min", "opt", "max")}
    assert (provider, shapes) == (TENSORRT, {"image:8x3x24x24"})


def test_a_full_gpu_is_told_apart_from_other_failures(
    draw_network: Callable[[], bytes], gpu_session: type[FakeSession], batch: NDArray[np.float32]
) -> None:
    engine = OnnxRuntimeGpu(draw_network(), CUDA, {}, 8)
    gpu_session.error = "CUDA failure 2: out of memory ; GPU=0"
    with pytest.raises(OutOfDeviceMemoryError, match="out of memory"):
        engine.run(batch)


def test_a_network_that_a_full_gpu_cannot_load_may_fit_in_smaller_batches(
    draw_network: Callable[[], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> object:
        raise RuntimeError("Error Code 2: OutOfMemory (Requested size was 4096 bytes.)")

    monkeypatch.setattr("cxr_runtime.backends.onnxruntime_cpu.ort.InferenceSession", full)
    with pytest.raises(OutOfDeviceMemoryError, match="OutOfMemory"):
        OnnxRuntimeGpu(draw_network(), CUDA, {}, 8)


@pytest.mark.parametrize(
    ("providers", "gpus", "told"),
    [
        (["CPUExecutionProvider"], 1, "install onnxruntime-gpu in its place"),
        ([CUDA], 0, "no NVIDIA GPU is visible"),
        ([CUDA], 1, None),
    ],
)
def test_what_cuda_lacks_is_told(
    monkeypatch: pytest.MonkeyPatch, providers: list[str], gpus: int, told: str | None
) -> None:
    gpu = Gpu(0, "NVIDIA T4", "7.5", 16 * 2**30, "580.82", "13.0")
    monkeypatch.setattr(ort, "get_available_providers", lambda: providers)
    monkeypatch.setattr("cxr_runtime.backends.nvidia.presence.find_gpus", lambda: [gpu] * gpus)
    found = onnxruntime_cuda.missing(CUDA)
    assert found == told or (told is not None and found is not None and told in found)


def test_it_names_its_provider_and_gives_both_outputs(model: Model, batch: NDArray[np.float32]) -> None:
    engine = open_engine(model, "onnxruntime", batch_size=8, threads=1)
    outputs = engine.run(batch)
    assert engine.backend == "onnxruntime-cpu"
    assert outputs.logits.shape == (8, 2)
    assert outputs.conv5.shape == (8, 12, 12, 12)
    assert outputs.logits.dtype == outputs.conv5.dtype == np.float32
    assert outputs.conv5.min() == 0
    engine.close()


def test_a_film_gets_the_same_bits_at_any_place_and_in_any_company(
    draw_network: Callable[[], bytes], batch: NDArray[np.float32]
) -> None:
    engine = OnnxRuntimeCpu(draw_network(), threads=1)
    film, expected = batch[0], engine.run(batch)
    for place in range(8):
        company = np.random.default_rng(place).normal(size=batch.shape, scale=5).astype(np.float32)
        company[place] = film
        outputs = engine.run(company)
        np.testing.assert_array_equal(outputs.logits[place], expected.logits[0])
        np.testing.assert_array_equal(outputs.conv5[place], expected.conv5[0])


@pytest.mark.parametrize("films", [4, 5, 8])
def test_a_batch_in_steps_gives_the_bits_of_the_whole(
    draw_network: Callable[[], bytes],
    batch: NDArray[np.float32],
    films: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = OnnxRuntimeCpu(draw_network(), threads=1)
    in_steps = engine.run(batch[:films])
    monkeypatch.setattr(engine, "batch_step", None)
    whole = engine.run(batch[:films])
    np.testing.assert_array_equal(in_steps.logits, whole.logits)
    np.testing.assert_array_equal(in_steps.conv5, whole.conv5)


def test_a_film_gets_the_same_bits_from_any_number_of_threads(
    draw_network: Callable[[], bytes], batch: NDArray[np.float32]
) -> None:
    one, two = (OnnxRuntimeCpu(draw_network(), threads=threads).run(batch) for threads in (1, 2))
    np.testing.assert_array_equal(one.logits, two.logits)
    np.testing.assert_array_equal(one.conv5, two.conv5)


def test_an_input_of_the_wrong_size_is_a_backend_error(draw_network: Callable[[], bytes]) -> None:
    engine = OnnxRuntimeCpu(draw_network(), threads=1)
    with pytest.raises(BackendError, match="inference failed"):
        engine.run(np.zeros((1, 3, 5, 5), np.float32))


def test_a_damaged_network_is_a_backend_error_in_one_line(draw_network: Callable[[], bytes]) -> None:
    with pytest.raises(BackendError, match="cannot load the network") as caught:
        OnnxRuntimeCpu(draw_network()[:200])
    assert "\n" not in str(caught.value)
