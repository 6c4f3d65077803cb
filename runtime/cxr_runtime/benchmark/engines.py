"""Latency and throughput of every backend, precision and batch."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from cxr_runtime.backends.choose import open_engine, self_test_of
from cxr_runtime.backends.registry import BACKENDS, REFERENCE
from cxr_runtime.backends.self_test import phantom_batch
from cxr_runtime.errors import BackendError
from cxr_runtime.model.folder import Model


def median_seconds(
    work: Callable[[], object],
    seconds: float,
    least: int = 3,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Median time of a piece of work, once it has run warm.

    Args:
        work: what is timed.
        seconds: go on repeating for so long, by the wall clock.
        least: repetitions, however long they take.
        clock: wall time, or `time.process_time` where other programs share the processors.
    """
    work()
    taken: list[float] = []
    until = time.perf_counter() + seconds
    while len(taken) < least or time.perf_counter() < until:
        started = clock()
        work()
        taken.append(clock() - started)
    return median(taken)


@dataclass(frozen=True)
class EngineTime:
    """One backend with one model and batch."""

    model: str
    precision: str  # of the model folder; the provider's name tells where another one is computed in
    backend: str  # name on the command line
    provider: str  # really in use; "" where it could not be
    batch_size: int
    milliseconds: float | None = None  # a batch, from float32 films in memory to both outputs; median
    films_per_second: float | None = None
    conv5_difference: float | None = None  # from the reference, as a share of its largest magnitude
    reason: str = ""  # why it was not measured


def measure_engines(
    model: Model, backends: Sequence[str], batch_sizes: Sequence[int], seconds: float, threads: int | None
) -> Iterator[EngineTime]:
    """Measure backends, each only after it has proved itself.

    Args:
        model: an opened model folder.
        backends: keys of BACKENDS.
        batch_sizes: films a batch.
        seconds: wall time of each measurement.
        threads: processor threads; None leaves the number to the backend.
    """
    for backend in backends:
        for batch_size in batch_sizes:
            yield _measure(model, backend, batch_size, seconds, threads)


def known_backends() -> tuple[str, ...]:
    """Every backend, the reference first."""
    return REFERENCE, *(name for name in BACKENDS if name != REFERENCE)


def _measure(model: Model, backend: str, batch_size: int, seconds: float, threads: int | None) -> EngineTime:
    manifest = model.manifest
    facts = (manifest.name, manifest.precision, backend)
    result = self_test_of(backend, model, batch_size, threads)
    if not result.agrees:
        return EngineTime(*facts, result.backend, batch_size, reason=result.reason)
    films = phantom_batch(manifest.preprocessing)
    batch = np.ascontiguousarray(np.resize(films, (batch_size, *films.shape[1:])))
    try:
        engine = open_engine(model, backend, batch_size=batch_size, threads=threads)
        taken = median_seconds(lambda: engine.run(batch), seconds)
        provider = engine.backend
        engine.close()
    except BackendError as error:
        return EngineTime(*facts, result.backend, batch_size, reason=str(error))
    return EngineTime(*facts, provider, batch_size, 1000 * taken, batch_size / taken, result.conv5_difference)
