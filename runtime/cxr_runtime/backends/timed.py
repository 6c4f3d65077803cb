"""Engines that nobody waits for without end: loaded in a thread, and with a deadline for each batch."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.backends.engine import Engine, Outputs
from cxr_runtime.errors import BackendError

SECONDS = 60.0  # for a batch of whatever size
SECONDS_A_FILM = 30.0  # more; the slowest processor takes about one
PATIENCE = 10.0  # seconds that an engine which is still being loaded is waited for at the end


class TimedEngine:
    """Runs another engine's batches in a thread of their own, which nobody has to wait for."""

    def __init__(
        self, engine: Engine, seconds: float = SECONDS, seconds_a_film: float = SECONDS_A_FILM
    ) -> None:
        """Take over an engine."""
        self._engine, self._seconds, self._seconds_a_film = engine, seconds, seconds_a_film
        self.batch_step = engine.batch_step
        self._batches: queue.SimpleQueue[NDArray[np.float32] | None] = queue.SimpleQueue()
        self._ends: queue.SimpleQueue[Outputs | Exception] = queue.SimpleQueue()
        self._lock, self._is_busy, self._is_closed = threading.Lock(), False, False
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def backend(self) -> str:
        """The provider really in use."""
        return self._engine.backend

    def run(self, batch: NDArray[np.float32]) -> Outputs:
        """Infer one batch.

        Raises:
            BackendError: the device failed, the batch took longer than its limit, or the engine was closed.
        """
        seconds = self._seconds + self._seconds_a_film * len(batch)
        with self._lock:
            if self._is_closed:
                raise self._closed()
            self._is_busy = True
        self._batches.put(batch)
        try:
            end = self._ends.get(timeout=seconds)
        except queue.Empty:
            self._is_closed = True  # what it gives after all is not that of another batch
            raise BackendError(
                f"the backend {self._engine.backend} gave nothing for a batch of {len(batch)} films within "
                f"{seconds:g} s; check where the model comes from, or scan with another --backend"
            ) from None
        self._is_busy = False
        if isinstance(end, Exception):
            raise end
        return end

    def close(self) -> None:
        """Give back the device's memory; whoever waits for a batch, in any thread, waits no longer.

        That of a batch that is still at work is given back once it ends, at the latest with the process.
        """
        with self._lock:
            self._is_closed = True
            self._batches.put(None)
            if self._is_busy:
                self._ends.put(self._closed())
            else:
                self._engine.close()

    def _closed(self) -> BackendError:
        return BackendError(f"the backend {self._engine.backend} is closed, and scores no film any more")

    def _serve(self) -> None:
        while (batch := self._batches.get()) is not None:
            try:
                self._ends.put(self._engine.run(batch))
            except Exception as error:  # noqa: BLE001  # raised again where it is waited for
                self._ends.put(error)


class LateEngine:
    """An engine that is loaded in a thread.

    Loading tests the network, which may never come to an end: so nobody has to wait for the thread.
    """

    def __init__(self, load: Callable[[], Engine]) -> None:
        self._load = load
        self._loading: Future[Engine] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        loading, self._loading = self._loading, None
        if loading is None:
            return
        with suppress(Exception):  # it was raised where the engine was waited for, or nobody wants to know
            loading.result(timeout=PATIENCE).close()

    def loading(self) -> Future[Engine]:
        """Begin to load it, the first time; its result is the engine."""
        if self._loading is None:
            self._loading = Future()
            threading.Thread(target=self._begin, args=(self._loading,), daemon=True).start()
        return self._loading

    def _begin(self, loading: Future[Engine]) -> None:
        try:
            loading.set_result(self._load())
        except BaseException as error:  # noqa: BLE001  # raised again where it is waited for
            loading.set_exception(error)
