"""Films a second of every contender at every batch, and how far each is from the float32 outputs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxr_export.gpu.contenders import Entrant, Open
from cxr_runtime.backends.engine import Outputs
from cxr_runtime.backends.onnxruntime_cpu import OnnxRuntimeCpu
from cxr_runtime.backends.self_test import phantom_batch
from cxr_runtime.benchmark.engines import median_seconds
from cxr_runtime.errors import BackendError


@dataclass(frozen=True)
class Lap:
    """One contender with one network and batch."""

    network: str
    contender: str
    batch: int
    films_per_second: float | None = None
    logits_difference: float | None = None  # from ONNX Runtime FP32, as a share of its largest magnitude
    conv5_difference: float | None = None
    reason: str = ""  # why it was not measured


def race(
    entrant: Entrant, openers: Mapping[str, Open], batches: Sequence[int], seconds: float
) -> Iterator[Lap]:
    """Measure one network.

    Args:
        entrant: the network.
        openers: contenders by name.
        batches: films a batch.
        seconds: wall time of each measurement.
    """
    films = phantom_batch(entrant.model.manifest.preprocessing)
    reference = OnnxRuntimeCpu(entrant.model.onnx, is_reference=True)
    expected = reference.run(films)
    reference.close()
    for name, opener in openers.items():
        for batch in batches:
            yield _lap(entrant, name, opener, batch, films, expected, seconds)


def _lap(
    entrant: Entrant,
    name: str,
    opener: Open,
    batch: int,
    films: NDArray[np.float32],
    expected: Outputs,
    seconds: float,
) -> Lap:
    network = entrant.model.manifest.architecture
    full = np.ascontiguousarray(np.resize(films, (batch, *films.shape[1:])))
    try:
        engine = opener(entrant, batch)
        found = engine.run(full)
        taken = median_seconds(lambda: engine.run(full), seconds)
        engine.close()
    except (BackendError, RuntimeError) as error:  # torch raises RuntimeErrors of its own
        return Lap(network, name, batch, reason=" ".join(str(error).split())[:200])
    return Lap(
        network,
        name,
        batch,
        batch / taken,
        _difference(expected.logits, found.logits),
        _difference(expected.conv5, found.conv5),
    )


def _difference(expected: NDArray[np.float32], found: NDArray[np.float32]) -> float:
    """Largest difference on the films that both have, as a share of the expected largest magnitude."""
    count = min(len(expected), len(found))
    return float(np.abs(expected[:count] - found[:count]).max() / np.abs(expected[:count]).max())
