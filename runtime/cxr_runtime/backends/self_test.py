"""A backend proves itself before the first film: drawn films through it and the reference, both outputs."""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.backends.engine import Engine, Outputs
from cxr_runtime.backends.onnxruntime_cpu import OnnxRuntimeCpu
from cxr_runtime.backends.phantom_batch import phantom_batch
from cxr_runtime.errors import BackendError
from cxr_runtime.model.folder import Model

TIMED_RUNS = 3
# Largest difference from the reference, as a share of the reference's largest magnitude, by the precision
# that the backend computes in; float32 in another order of summing stays below 1e-5, float16 below 5e-3.
TOLERANCES = {"fp32": 1e-3, "fp16": 2e-2, "int8": 5e-2}
PROBABILITY_TOLERANCE = 0.01  # of the calibrated probability


@dataclass(frozen=True)
class Verdict:
    """What a backend's self-test found."""

    backend: str  # the provider really in use, "" where it could not be opened
    agrees: bool
    reason: str = ""  # why it is not used, one line
    logits_difference: float | None = None  # share of the largest magnitude
    conv5_difference: float | None = None  # share of the largest magnitude
    probability_difference: float | None = None  # largest absolute difference
    milliseconds: float | None = None  # wall time a film, in batches of the asked size


def judge(engine: Engine, model: Model, batch_size: int, threads: int | None) -> Verdict:
    """Hold a backend against ONNX Runtime on the CPU, the file as it is.

    Args:
        engine: the backend, with the model loaded.
        model: the same model.
        batch_size: films in a batch, as in the scan that follows.
        threads: processor threads of the reference.
    """
    batch = phantom_batch(model.manifest.preprocessing)
    reference = OnnxRuntimeCpu(model.onnx, threads=threads, is_reference=True)
    try:
        expected, found = reference.run(batch), _run_in_batches(engine, batch, batch_size)
        milliseconds = _milliseconds(engine, batch, batch_size)
    except BackendError as error:
        return Verdict(engine.backend, agrees=False, reason=str(error))
    finally:
        reference.close()
    return _compare(engine.backend, model, expected, found, milliseconds)


def tolerance(backend: str, precision: str) -> float:
    """The tolerance for a backend that runs a model of this precision; `-fp16` in its name says more."""
    named = [name for name in TOLERANCES if backend.endswith(name)]
    return TOLERANCES[named[0] if named else precision]


def _compare(backend: str, model: Model, expected: Outputs, found: Outputs, milliseconds: float) -> Verdict:
    logits = _difference(expected.logits, found.logits)
    conv5 = _difference(expected.conv5, found.conv5)
    if not np.isfinite([logits, conv5]).all():
        reason = "it gave numbers that are not finite"
        return Verdict(backend, agrees=False, reason=reason, milliseconds=milliseconds)
    probability = float(np.abs(_probability(model, expected) - _probability(model, found)).max())
    allowed = tolerance(backend, model.manifest.precision)
    wrong = [
        f"{name} differs by {value:.2g}, at most {limit:g} is accepted"
        for name, value, limit in (
            ("logits", logits, allowed),
            ("conv5", conv5, allowed),
            ("probability", probability, PROBABILITY_TOLERANCE),
        )
        if not value <= limit
    ]
    return Verdict(backend, not wrong, "; ".join(wrong), logits, conv5, probability, milliseconds)


def _probability(model: Model, outputs: Outputs) -> NDArray[np.float64]:
    logits = outputs.logits.astype(np.float64)
    return model.calibration.probability(logits[:, 1] - logits[:, 0])


def _difference(expected: NDArray[np.float32], found: NDArray[np.float32]) -> float:
    """Largest absolute difference, as a share of the largest magnitude; infinite where the shapes differ."""
    if expected.shape != found.shape:
        return float("inf")
    magnitude = float(np.abs(expected).max())
    difference = float(np.abs(expected.astype(np.float64) - found).max())
    return difference / magnitude if magnitude > 0 else difference


def _run_in_batches(engine: Engine, films: NDArray[np.float32], batch_size: int) -> Outputs:
    parts = [engine.run(films[start : start + batch_size]) for start in range(0, len(films), batch_size)]
    return Outputs(
        np.concatenate([part.logits for part in parts]), np.concatenate([part.conv5 for part in parts])
    )


def _milliseconds(engine: Engine, films: NDArray[np.float32], batch_size: int) -> float:
    """Wall time a film, in full batches; the fastest of a few runs."""
    full = np.ascontiguousarray(np.resize(films, (batch_size, *films.shape[1:])))
    best = float("inf")
    for _ in range(TIMED_RUNS):
        started = time.perf_counter()
        engine.run(full)
        best = min(best, time.perf_counter() - started)
    return 1000 * best / batch_size
