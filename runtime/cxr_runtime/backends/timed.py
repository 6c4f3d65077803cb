"""An engine with a deadline: a network that never comes to an end is given up, and Ctrl-C is always heard."""

import queue
import threading

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.backends.engine import Engine, Outputs
from cxr_runtime.errors import BackendError

SECONDS = 60.0  # for a batch of whatever size
SECONDS_A_FILM = 30.0  # more; the slowest processor takes about one


class TimedEngine:
    """Runs another engine's batches in a thread of their own, which nobody has to wait for."""

    def __init__(
        self, engine: Engine, seconds: float = SECONDS, seconds_a_film: float = SECONDS_A_FILM
    ) -> None:
        """Take over an engine."""
        self._engine, self._seconds, self._seconds_a_film = engine, seconds, seconds_a_film
        self._batches: queue.SimpleQueue[NDArray[np.float32] | None] = queue.SimpleQueue()
        self._ends: queue.SimpleQueue[Outputs | Exception] = queue.SimpleQueue()
        self._is_busy = False
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def backend(self) -> str:
        """The provider really in use."""
        return self._engine.backend

    def run(self, batch: NDArray[np.float32]) -> Outputs:
        """Infer one batch.

        Raises:
            BackendError: the device failed, or the batch took longer than its limit.
        """
        seconds = self._seconds + self._seconds_a_film * len(batch)
        self._is_busy = True
        self._batches.put(batch)
        try:
            end = self._ends.get(timeout=seconds)
        except queue.Empty:
            raise BackendError(
                f"the backend {self._engine.backend} gave nothing for a batch of {len(batch)} films within "
                f"{seconds:g} s; check where the model comes from, or scan with another --backend"
            ) from None
        self._is_busy = False
        if isinstance(end, Exception):
            raise end
        return end

    def close(self) -> None:
        """Give back the device's memory; that of a batch without end is left to the end of the process."""
        self._batches.put(None)
        if not self._is_busy:
            self._engine.close()

    def _serve(self) -> None:
        while (batch := self._batches.get()) is not None:
            try:
                self._ends.put(self._engine.run(batch))
            except Exception as error:  # noqa: BLE001  # raised again where it is waited for
                self._ends.put(error)
