"""A backend proves itself before the first film: drawn films through it and the reference, both outputs."""

import json
import platform
import time
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.atomic import write_bytes
from cxr_runtime.backends.engine import Engine, Outputs
from cxr_runtime.backends.nvidia.driver import find_gpus
from cxr_runtime.backends.onnxruntime_cpu import OnnxRuntimeCpu
from cxr_runtime.errors import BackendError
from cxr_runtime.film import View
from cxr_runtime.folders import cache_folder
from cxr_runtime.model.folder import Model
from cxr_runtime.model.preprocessing import Preprocessing, normalise, place, prepare
from cxr_runtime.processor import processor

PHANTOMS = 8
DRAWN_HW = (256, 256)


def phantom_batch(how: Preprocessing, count: int = PHANTOMS) -> NDArray[np.float32]:
    """Draw films, every second one with an opacity, and prepare them whole.

    Args:
        how: the model's preprocessing.
        count: number of films.

    Returns:
        (count, 3, H, W) float32, normalised, C-contiguous; the same for the same arguments.
    """
    return normalise(phantom_inputs(how, count), how)


def phantom_inputs(how: Preprocessing, count: int = PHANTOMS) -> NDArray[np.uint8]:
    """The same films before normalisation, (count, H, W) uint8."""
    placement = place(DRAWN_HW, None, how)
    return np.stack([prepare(_draw(seed), placement, how) for seed in range(count)])


@cache
def _draw(seed: int) -> NDArray[np.uint8]:
    from cxr_runtime.phantom import OpacitySpot, draw_phantom  # a kept result needs no films

    spot = OpacitySpot(0.3 + 0.05 * (seed % 3), 0.35 + 0.06 * (seed % 4)) if seed % 2 else None
    view = View.AP if seed % 4 > 1 else View.PA
    return draw_phantom(seed, hw=DRAWN_HW, opacity=spot, view=view, male=seed % 3 > 0)


TIMED_RUNS = 3
# Largest difference from the reference, as a share of the reference's largest magnitude, by the precision
# that the backend computes in; float32 in another order of summing stays below 1e-5, float16 below 5e-3.
TOLERANCES = {"fp32": 1e-3, "fp16": 2e-2, "int8": 5e-2}
PROBABILITY_TOLERANCE = 0.01  # of the calibrated probability
_PACKAGES = (
    "cxr-triage", "numpy", "onnxruntime", "onnxruntime-gpu", "openvino", "tensorrt", "pycuda",
    "cuda-bindings",
)  # fmt: skip


@dataclass(frozen=True)
class SelfTestResult:
    """What a backend's self-test found."""

    backend: str  # the provider really in use, "" where it could not be opened
    agrees: bool
    reason: str = ""  # why it is not used, one line
    logits_difference: float | None = None  # share of the largest magnitude
    conv5_difference: float | None = None  # share of the largest magnitude
    milliseconds: float | None = None  # wall time a film, in batches of the asked size


def self_test(engine: Engine, model: Model, batch_size: int, threads: int | None) -> SelfTestResult:
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
        return SelfTestResult(engine.backend, agrees=False, reason=str(error))
    finally:
        reference.close()
    return _compare(engine.backend, model, expected, found, milliseconds)


def tolerance(backend: str, precision: str) -> float:
    """The tolerance for a backend that runs a model of this precision; `-fp16` in its name says more."""
    named = [name for name in TOLERANCES if backend.endswith(name)]
    return TOLERANCES[named[0] if named else precision]


def _compare(
    backend: str, model: Model, expected: Outputs, found: Outputs, milliseconds: float
) -> SelfTestResult:
    logits = _difference(expected.logits, found.logits)
    conv5 = _difference(expected.conv5, found.conv5)
    if not np.isfinite([logits, conv5]).all():
        reason = "it gave numbers that are not finite"
        return SelfTestResult(backend, agrees=False, reason=reason, milliseconds=milliseconds)
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
    return SelfTestResult(backend, not wrong, "; ".join(wrong), logits, conv5, milliseconds)


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


class SelfTestCache:
    """Results for one model on this machine; silently without a memory where there is no cache."""

    def __init__(self, model: Model, batch_size: int, threads: int | None) -> None:
        self._key = [model.manifest.model_sha256, asdict(model.calibration), batch_size, threads, _machine()]
        try:
            self._folder: Path | None = cache_folder("self-tests")
        except BackendError:
            self._folder = None

    def find(self, name: str) -> SelfTestResult | None:
        """The kept result of a backend, by its name on the command line."""
        if self._folder is None:
            return None
        try:
            return SelfTestResult(**json.loads(self._path(name).read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def keep(self, name: str, result: SelfTestResult) -> None:
        """Remember a result that rests on numbers; what broke down may work the next time."""
        if self._folder is None or result.milliseconds is None:
            return
        try:
            write_bytes(self._path(name), json.dumps(asdict(result)).encode())
        except OSError:
            self._folder = None

    def _path(self, name: str) -> Path:
        assert self._folder is not None
        digest = sha256(json.dumps([name, *self._key], sort_keys=True).encode()).hexdigest()
        return self._folder / f"{digest[:32]}.json"


def _machine() -> list[str]:
    """Everything about this machine that a result rests on."""
    # Not platform.platform() and processor(): on Linux they start a program that says nothing of use.
    system = [platform.node(), platform.system(), platform.release(), platform.version(), platform.machine()]
    return [*system, processor(), *map(_version, _PACKAGES), *_gpus()]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _gpus() -> list[str]:
    try:
        return [f"{gpu.name} {gpu.driver} {gpu.cuda}" for gpu in find_gpus()]
    except BackendError:
        return []
