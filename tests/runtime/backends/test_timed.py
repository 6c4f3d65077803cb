"""An engine with a deadline."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_runtime.backends.engine import Outputs
from cxr_runtime.backends.timed import TimedEngine
from cxr_runtime.errors import BackendError

BATCH = np.zeros((2, 3, 4, 4), np.float32)
LIMIT = 30.0  # seconds that a test waits for anything


class Drawn:
    """An engine that waits for a sign."""

    backend = "drawn"
    batch_step = None

    def __init__(self, end: Exception | None = None) -> None:
        self.end, self.go, self.is_closed = end, threading.Event(), False
        self.begun = threading.Event()

    def run(self, batch: NDArray[np.float32]) -> Outputs:
        self.begun.set()
        self.go.wait()
        if self.end is not None:
            raise self.end
        return Outputs(batch[:, 0, 0, :2], batch)

    def close(self) -> None:
        self.is_closed = True


def test_outputs_and_errors_are_the_engines_own() -> None:
    for end in (None, BackendError("the device failed")):
        engine = Drawn(end)
        engine.go.set()
        timed = TimedEngine(engine)
        if end is None:
            assert timed.run(BATCH).conv5 is BATCH
        else:
            with pytest.raises(BackendError, match="the device failed"):
                timed.run(BATCH)
        timed.close()
        assert engine.is_closed


def test_a_batch_without_end_is_given_up() -> None:
    engine = Drawn()
    timed = TimedEngine(engine, seconds=0.01, seconds_a_film=0.01)
    with pytest.raises(BackendError, match="gave nothing for a batch of 2 films within"):
        timed.run(BATCH)
    with pytest.raises(BackendError, match="is closed"):  # it might be given what came of the first
        timed.run(BATCH)
    timed.close()
    assert not engine.is_closed  # it is still at work
    engine.go.set()


def test_whoever_waits_for_a_batch_waits_no_longer_once_the_engine_is_closed() -> None:
    engine = Drawn()
    timed = TimedEngine(engine)
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(timed.run, BATCH)
        assert engine.begun.wait(timeout=LIMIT)
        timed.close()
        with pytest.raises(BackendError, match="the backend drawn is closed"):
            waiting.result(timeout=LIMIT)
    assert not engine.is_closed
    engine.go.set()


def test_a_closed_engine_refuses_batches() -> None:
    engine = Drawn()
    timed = TimedEngine(engine)
    timed.close()
    with pytest.raises(BackendError, match="is closed"):
        timed.run(BATCH)
    assert engine.is_closed
    assert not engine.begun.is_set()
