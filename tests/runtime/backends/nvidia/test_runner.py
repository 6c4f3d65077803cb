"""Running an engine: the order of copying, computing and waiting, on a stand-in for a GPU."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_runtime.backends.engine import OutOfDeviceMemoryError
from cxr_runtime.backends.nvidia.runner import TensorRtRunner
from cxr_runtime.errors import BackendError
from fake_tensorrt import FakeContext, FakeGraph, FakeMemory, FakeTensorRt, fake_plan


@pytest.fixture(autouse=True)
def tensorrt(use_tensorrt: Callable[[str], FakeTensorRt]) -> FakeTensorRt:
    return use_tensorrt("10.16.1")


def _films(count: int) -> NDArray[np.float32]:
    return np.random.default_rng(count).normal(size=(count, 3, 2, 2)).astype(np.float32)


@pytest.mark.parametrize("count", [1, 3, 4, 5, 8, 11, 17])
def test_every_film_gets_its_own_result_whatever_the_number_of_batches(
    memory: FakeMemory, count: int
) -> None:
    films = _films(count)
    outputs = TensorRtRunner(fake_plan(), memory, 4).run(films)
    np.testing.assert_array_equal(outputs["logits"], films[:, :2].sum(axis=(2, 3)))
    np.testing.assert_array_equal(outputs["conv5"], films[:, 2:])


def test_the_next_batch_is_on_its_way_before_the_last_one_is_waited_for(memory: FakeMemory) -> None:
    runner = TensorRtRunner(fake_plan(), memory, 4)
    memory.done.clear()
    runner.run(_films(8))
    copied = [name for name in memory.done if name.startswith("copy")]
    assert copied == ["copy in", "copy in", "copy out", "copy out", "copy out", "copy out"]


def test_nothing_is_allocated_after_loading(memory: FakeMemory) -> None:
    runner = TensorRtRunner(fake_plan(), memory, 4)
    before, queues = memory.allocations, len(memory.queues)
    runner.run(_films(9))
    assert (memory.allocations, len(memory.queues)) == (before, queues)
    assert queues == 2


def test_the_recorded_graph_is_launched_once_a_batch(memory: FakeMemory) -> None:
    runner = TensorRtRunner(fake_plan(), memory, 4)
    assert runner.is_recorded
    memory.done.clear()
    runner.run(_films(9))
    assert FakeGraph.launches == 3
    assert "compute" not in memory.done


def test_an_engine_that_cannot_be_recorded_is_run_kernel_by_kernel(
    memory: FakeMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(stream: int, work: object) -> None:
        raise BackendError("operation not permitted when stream is capturing")

    monkeypatch.setattr("cxr_runtime.backends.nvidia.runner.CudaGraph", refuse)
    runner = TensorRtRunner(fake_plan(), memory, 4)
    assert not runner.is_recorded
    films = _films(6)
    np.testing.assert_array_equal(runner.run(films)["conv5"], films[:, 2:])


def test_films_of_an_earlier_batch_do_not_shine_through_a_batch_that_is_not_full(memory: FakeMemory) -> None:
    runner = TensorRtRunner(fake_plan(), memory, 4)
    runner.run(_films(8))
    runner.run(_films(1))
    first_slot = min(memory.device)
    assert not memory.device[first_slot][12:].any()


def test_a_batch_beyond_the_engines_profile_is_refused(memory: FakeMemory) -> None:
    with pytest.raises(BackendError, match=r"does not take image of shape \(64, 3, 2, 2\)"):
        TensorRtRunner(fake_plan(batch=32), memory, 64)


def test_an_engine_that_cannot_be_loaded_is_refused(memory: FakeMemory) -> None:
    with pytest.raises(
        BackendError, match=r"cannot load the engine; build it anew .*: magic tag does not match"
    ):
        TensorRtRunner(b"garbage", memory, 4)


def test_an_engine_that_a_full_gpu_cannot_load_is_not_taken_for_a_damaged_one(
    memory: FakeMemory, use_tensorrt: Callable[[str], FakeTensorRt]
) -> None:
    use_tensorrt("10.16.1").refusal = "Error Code 2: OutOfMemory (Requested size was 4096 bytes.)"
    with pytest.raises(OutOfDeviceMemoryError, match="OutOfMemory"):
        TensorRtRunner(b"garbage", memory, 4)


def test_an_engine_that_does_not_run_says_why(memory: FakeMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = TensorRtRunner(fake_plan(), memory, 4)
    runner._plan.log.log(runner._plan.log.ERROR, "Cask convolution execution")
    monkeypatch.setattr(FakeContext, "execute_async_v3", lambda *_: False)
    with pytest.raises(BackendError, match="could not run the engine: Cask convolution execution"):
        runner._enqueue({})


def test_a_version_compatible_engine_may_bring_its_code(memory: FakeMemory) -> None:
    runner = TensorRtRunner(fake_plan(brings_code=True), memory, 4)
    assert runner.run(_films(4))["conv5"].shape == (4, 1, 2, 2)


def test_closing_gives_the_memory_back(memory: FakeMemory) -> None:
    TensorRtRunner(fake_plan(), memory, 4).close()
    assert memory.is_closed
