"""An engine that goes on when the GPU cannot."""

import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_runtime.backends.engine import DeviceLostError, OutOfDeviceMemoryError, Outputs, failure
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
            raise DeviceLostError("the device is lost")
        self.sizes.append(len(batch))
        first = batch[:, 0, 0, 0]
        return Outputs(np.stack([first, 2 * first], axis=1), batch[:, :1] * 2)

    def close(self) -> None:
        self.closed = True


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
    with pytest.raises(DeviceLostError):
        engine.run(films)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("CUDA failure 2: out of memory ; GPU=0", OutOfDeviceMemoryError),
        ("BFCArena: Failed to allocate memory for requested buffer of size 4096", OutOfDeviceMemoryError),
        ("cuGraphLaunch: an illegal memory access was encountered (CUDA error 700)", DeviceLostError),
        ("CUDA failure 719: unspecified launch failure", DeviceLostError),
        ("Invalid Feed Input Name:x", BackendError),
    ],
)
def test_what_libraries_say_is_understood(text: str, kind: type[BackendError]) -> None:
    assert type(failure(text)) is kind
