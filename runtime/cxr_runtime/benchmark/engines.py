"""Latency and throughput of every backend, precision and batch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cxr_runtime.backends.choose import BACKENDS, REFERENCE, open_engine, verdict_on
from cxr_runtime.backends.phantom_batch import phantom_batch
from cxr_runtime.benchmark.clock import median_seconds
from cxr_runtime.errors import BackendError
from cxr_runtime.model.folder import Model


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
    verdict = verdict_on(backend, model, batch_size, threads)
    if not verdict.agrees:
        return EngineTime(*facts, verdict.backend, batch_size, reason=verdict.reason)
    films = phantom_batch(manifest.preprocessing)
    batch = np.ascontiguousarray(np.resize(films, (batch_size, *films.shape[1:])))
    try:
        engine = open_engine(model, backend, batch_size=batch_size, threads=threads)
        taken = median_seconds(lambda: engine.run(batch), seconds)
        provider = engine.backend
        engine.close()
    except BackendError as error:
        return EngineTime(*facts, verdict.backend, batch_size, reason=str(error))
    return EngineTime(
        *facts, provider, batch_size, 1000 * taken, batch_size / taken, verdict.conv5_difference
    )
