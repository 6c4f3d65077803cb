"""An engine that goes on when the GPU cannot: smaller batches for want of memory, the CPU when it fails."""

import logging
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.backends.engine import Engine, OutOfDeviceMemoryError, Outputs
from cxr_runtime.errors import BackendError

_LOG = logging.getLogger(__name__)

OpenEngine = Callable[[int], Engine]  # films a batch -> an engine


class ResilientEngine:
    """A GPU's engine that keeps its promise of a result."""

    batch_step = None  # also of the processor that may take over

    def __init__(self, open_gpu: OpenEngine, batch_size: int, open_cpu: OpenEngine | None) -> None:
        """Open the GPU's engine, with the largest batch that fits.

        Args:
            open_gpu: opens the GPU's engine for a batch size.
            batch_size: the most films in a batch.
            open_cpu: opens what takes over when the GPU fails; None where a GPU is required.

        Raises:
            BackendError: not even one film fits, or the GPU's engine cannot be opened.
        """
        self._open, self._open_cpu = open_gpu, open_cpu  # the processor's moves up when it takes over
        self._asked = self._batch_size = batch_size
        self._engine, self._is_open = self._open_fitting(), True

    @property
    def backend(self) -> str:
        """The provider in use now."""
        return self._engine.backend

    def run(self, batch: NDArray[np.float32]) -> Outputs:
        """Infer one batch, in parts where it does not fit.

        Raises:
            BackendError: the device failed and nothing may take over.
        """
        try:
            return self._run_fitting(batch)
        except BackendError as error:
            if self._open_cpu is None:
                raise
            _LOG.warning("%s: the rest is scored on the processor", error)
            self._open, self._open_cpu, self._batch_size = self._open_cpu, None, self._asked
            self._engine, self._is_open = self._open_fitting(), True
            return self._run_fitting(batch)

    def close(self) -> None:
        """Give back the device's memory."""
        if self._is_open:  # an engine that could not be opened anew is closed already
            self._is_open = False
            self._engine.close()

    def _run_fitting(self, batch: NDArray[np.float32]) -> Outputs:
        while True:
            try:
                return self._run_in_parts(batch)
            except OutOfDeviceMemoryError as error:
                self._halve(error)
                self.close()
                self._engine, self._is_open = self._open_fitting(), True

    def _run_in_parts(self, batch: NDArray[np.float32]) -> Outputs:
        if len(batch) <= self._batch_size:
            return self._engine.run(batch)
        size = self._batch_size
        parts = [
            self._engine.run(np.ascontiguousarray(batch[start : start + size]))
            for start in range(0, len(batch), size)
        ]
        logits, conv5 = [part.logits for part in parts], [part.conv5 for part in parts]
        return Outputs(np.concatenate(logits), np.concatenate(conv5))

    def _open_fitting(self) -> Engine:
        while True:
            try:
                return self._open(self._batch_size)
            except OutOfDeviceMemoryError as error:
                self._halve(error)

    def _halve(self, error: OutOfDeviceMemoryError) -> None:
        if self._batch_size == 1:
            raise error
        self._batch_size //= 2
        _LOG.warning("%s: going on with batches of %d", error, self._batch_size)
