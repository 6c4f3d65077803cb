"""An engine that goes on when the GPU cannot."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_runtime.backends.engine import OutOfDeviceMemoryError, Outputs, failure
from cxr_runtime.backends.resilient import ResilientEngine
from cxr_runtime.errors import BackendError


class Doubler:
    """Says twice the first pixel of each film; fails as told."""

    batch_step = None

    def __init__(self, backend: str, batch_size: int, fits: int = 99, lost_after: int = 99) -> None:
        if batch_size > fits:
            raise OutOfDeviceMemoryError("the device is out of memory")
        self.backend, self.sizes, self.closed = backend, list[int](), False
        self._lost_after = lost_after

    def run(self, batch: NDArray[np.float32]) -> Outputs:
        if len(self.sizes) >= self._lost_after:
            raise failure("CUDA failure 719: unspecified launch failure")
        self.sizes.append(len(batch))
        first = batch[:, 0, 0, 0]
        return Outputs(np.stack([first, 2 * first], axis=1), batch[:, :1] * 2)

    def close(self) -> None:
        assert not self.closed
        self.closed = True


class Failing(Doubler):
    """Fails in every run, or in closing, as told."""

    def __init__(self, error: BackendError, closing: BackendError | None = None) -> None:
        super().__init__("gpu", 8)
        self._error, self._closing = error, closing

    def run(self, batch: NDArray[np.float32]) -> Outputs:
        del batch
        raise self._error

    def close(self) -> None:
        super().close()
        if self._closing is not None:
            raise self._closing


@pytest.fixture
def films() -> NDArray[np.float32]:
    return np.arange(8 * 3 * 2 * 2, dtype=np.float32).reshape(8, 3, 2, 2)


def _expected(films: NDArray[np.float32]) -> Outputs:
    return Doubler("expected", 8).run(films)


def test_what_does_not_fit_is_halved_until_it_does(films: NDArray[np.float32]) -> None:
    opened: list[Doubler] = []

    def open_gpu(batch_size: int) -> Doubler:
        opened.append(Doubler("gpu", batch_size, fits=3))
        return opened[-1]

    engine = ResilientEngine(open_gpu, 8, None)
    outputs = engine.run(films)
    assert opened[-1].sizes == [2, 2, 2, 2]
    np.testing.assert_array_equal(outputs.logits, _expected(films).logits)
    np.testing.assert_array_equal(outputs.conv5, _expected(films).conv5)


def test_memory_that_runs_out_during_a_run_halves_the_batch_and_loses_no_film(
    films: NDArray[np.float32],
) -> None:
    class Shrinking(Doubler):
        def run(self, batch: NDArray[np.float32]) -> Outputs:
            if len(batch) > 4:
                raise OutOfDeviceMemoryError("the device is out of memory")
            return super().run(batch)

    engines: list[Shrinking] = []

    def open_gpu(batch_size: int) -> Shrinking:
        engines.append(Shrinking("gpu", batch_size))
        return engines[-1]

    engine = ResilientEngine(open_gpu, 8, None)
    np.testing.assert_array_equal(engine.run(films).logits, _expected(films).logits)
    assert [one.closed for one in engines] == [True, False]
    assert engines[-1].sizes == [4, 4]


def test_not_even_one_film_that_fits_is_an_error() -> None:
    with pytest.raises(OutOfDeviceMemoryError):
        ResilientEngine(lambda size: Doubler("gpu", size, fits=0), 8, None)


def test_a_lost_gpu_is_replaced_by_the_processor_and_reported(
    films: NDArray[np.float32], caplog: pytest.LogCaptureFixture
) -> None:
    engine = ResilientEngine(
        lambda size: Doubler("gpu", size, lost_after=1), 8, lambda size: Doubler("cpu", size)
    )
    engine.run(films)
    assert engine.backend == "gpu"
    np.testing.assert_array_equal(engine.run(films).conv5, _expected(films).conv5)
    assert engine.backend == "cpu"
    assert "the rest is scored on the processor" in caplog.text


def test_a_lost_gpu_that_is_required_ends_the_run(films: NDArray[np.float32]) -> None:
    engine = ResilientEngine(lambda size: Doubler("gpu", size, lost_after=0), 8, None)
    with pytest.raises(BackendError, match="CUDA failure 719"):
        engine.run(films)
    engine.close()


@pytest.mark.parametrize(
    "error",
    [
        failure("cuGraphLaunch: unknown error (CUDA error 999)"),
        failure("cuGraphLaunch: the launch timed out and was terminated (CUDA error 702)"),
        failure("cuGraphLaunch: device-side assert triggered (CUDA error 710)"),
        failure("CUDA failure 46: all CUDA-capable devices are busy or unavailable"),
        failure("CUBLAS failure 13: CUBLAS_STATUS_EXECUTION_FAILED"),
        BackendError("TensorRT could not run the engine; see its messages above"),
        OutOfDeviceMemoryError("the device is out of memory"),
    ],
    ids=str,
)
def test_whatever_a_gpu_fails_with_the_processor_scores_the_rest(
    films: NDArray[np.float32], caplog: pytest.LogCaptureFixture, error: BackendError
) -> None:
    engine = ResilientEngine(lambda _: Failing(error), 8, lambda size: Doubler("cpu", size))
    np.testing.assert_array_equal(engine.run(films).conv5, _expected(films).conv5)
    assert engine.backend == "cpu"
    assert f"{error}: the rest is scored on the processor" in caplog.text


LOST = failure("CUDA failure 700: an illegal memory access was encountered")


@pytest.mark.parametrize("closing", [None, LOST], ids=["reopening", "closing"])
def test_a_gpu_that_fails_while_a_smaller_batch_is_tried_is_replaced_by_the_processor(
    films: NDArray[np.float32], closing: BackendError | None
) -> None:
    first = Failing(OutOfDeviceMemoryError("the device is out of memory"), closing)
    engine = ResilientEngine(_once(first), 8, lambda size: Doubler("cpu", size))
    np.testing.assert_array_equal(engine.run(films).conv5, _expected(films).conv5)
    assert (engine.backend, first.closed) == ("cpu", True)
    engine.close()


def test_a_required_gpu_that_cannot_be_opened_anew_ends_the_run_and_is_closed_once(
    films: NDArray[np.float32],
) -> None:
    first = Failing(OutOfDeviceMemoryError("the device is out of memory"))
    engine = ResilientEngine(_once(first), 8, None)
    with pytest.raises(BackendError, match="CUDA failure 700"):
        engine.run(films)
    engine.close()
    assert first.closed


def test_a_processor_that_took_over_and_fails_ends_the_run(films: NDArray[np.float32]) -> None:
    engine = ResilientEngine(lambda _: Failing(LOST), 8, lambda _: Failing(failure("std::bad_alloc")))
    with pytest.raises(OutOfDeviceMemoryError, match="bad_alloc"):
        engine.run(films)


def _once(first: Doubler) -> Callable[[int], Doubler]:
    """Opens one engine, and then none any more."""
    waiting = [first]

    def open_gpu(batch_size: int) -> Doubler:
        del batch_size
        if not waiting:
            raise LOST
        return waiting.pop()

    return open_gpu


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("CUDA failure 2: out of memory ; GPU=0", OutOfDeviceMemoryError),
        ("BFCArena: Failed to allocate memory for requested buffer of size 4096", OutOfDeviceMemoryError),
        ("CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED", OutOfDeviceMemoryError),
        ("cuGraphLaunch: an illegal memory access was encountered (CUDA error 700)", BackendError),
        ("CUDA failure 719: unspecified launch failure", BackendError),
        ("Invalid Feed Input Name:x", BackendError),
    ],
)
def test_what_libraries_say_is_understood(text: str, kind: type[BackendError]) -> None:
    assert type(failure(text)) is kind
