"""Which backend runs the network: the one asked for, or the fastest that agrees with the reference."""

from functools import partial
from typing import TYPE_CHECKING

from cxr_runtime.backends.engine import Engine
from cxr_runtime.backends.registry import BACKENDS, REFERENCE
from cxr_runtime.backends.resilient import ResilientEngine
from cxr_runtime.errors import BackendError, UsageError
from cxr_runtime.model.folder import Model

if TYPE_CHECKING:
    from cxr_runtime.backends.self_test import SelfTestResult

AUTO = "auto"
CLEARLY_FASTER = 0.75  # of the time of one further up: chance alone must not change the backend


def open_engine(
    model: Model,
    backend: str = AUTO,
    *,
    batch_size: int,
    threads: int | None = None,
    require_gpu: bool = False,
) -> Engine:
    """Load a model on this machine, on a backend that has proved itself here.

    Args:
        model: an opened model folder.
        backend: `auto`, or a key of BACKENDS.
        batch_size: the most films in one batch.
        threads: processor threads of one run; None leaves the number to the backend.
        require_gpu: fail rather than run on the processor.

    Raises:
        UsageError: there is no backend of that name, or it can never use a GPU that is required.
        BackendError: the backend is missing, with the reason, or does not agree with the reference.
    """
    if backend not in (AUTO, *BACKENDS):
        raise UsageError(f"backend {backend!r} is not known; choose {AUTO} or one of: {', '.join(BACKENDS)}")
    if backend == AUTO:
        return _open_fastest(model, batch_size, threads, require_gpu=require_gpu)
    if require_gpu and not BACKENDS[backend].needs_gpu:
        raise UsageError(f"--require-gpu does not fit --backend {backend}; choose {AUTO}, tensorrt or cuda")
    if _needs_no_test(backend, model):
        return _open(backend, model, batch_size, threads, require_gpu=False)
    result = self_test_of(backend, model, batch_size, threads)
    if not result.agrees:
        raise BackendError(f"backend {backend} is not used: {result.reason}; choose another one, or {AUTO}")
    return _open(backend, model, batch_size, threads, require_gpu=require_gpu)


def why_missing(name: str) -> str | None:
    """Why a backend cannot be used on this machine, or None."""
    try:
        return BACKENDS[name].missing()
    except ImportError as error:
        return f"not installed ({error})"


def self_test_of(name: str, model: Model, batch_size: int, threads: int | None) -> "SelfTestResult":
    """A backend's self-test on this machine: the kept result, or a new one."""
    # The reference, alone on most machines, needs no test, nor what draws films for one.
    from cxr_runtime.backends.self_test import SelfTestCache, SelfTestResult, self_test

    reason = why_missing(name)
    if reason is not None:
        return SelfTestResult("", agrees=False, reason=reason)
    cache = SelfTestCache(model, batch_size, threads)
    kept = cache.find(name)
    if kept is not None:
        return kept
    try:
        engine = _open(name, model, batch_size, threads, require_gpu=BACKENDS[name].needs_gpu)
    except BackendError as error:
        return SelfTestResult("", agrees=False, reason=str(error))
    result = self_test(engine, model, batch_size, threads)
    engine.close()
    cache.keep(name, result)
    return result


def _open_fastest(model: Model, batch_size: int, threads: int | None, *, require_gpu: bool) -> Engine:
    candidates = [name for name in BACKENDS if BACKENDS[name].needs_gpu or not require_gpu]
    reasons = {name: why_missing(name) for name in candidates}
    here = [name for name in candidates if reasons[name] is None]
    if not all(_needs_no_test(name, model) for name in here):
        here = _ranked(here, reasons, model, batch_size, threads)
    for name in here:
        try:
            return _open(name, model, batch_size, threads, require_gpu=require_gpu)
        except BackendError as error:  # it passed its self-test, maybe long ago
            reasons[name] = str(error)
    told = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
    raise BackendError(f"no backend can be used ({told}); `cxr-triage doctor` tells more")


def _needs_no_test(name: str, model: Model) -> bool:
    """The reference is right by definition; but in INT8 some processors' kernels overflow without a word."""
    return name == REFERENCE and model.manifest.precision != "int8"


def _ranked(
    names: list[str], reasons: dict[str, str | None], model: Model, batch_size: int, threads: int | None
) -> list[str]:
    """Those that agree with the reference, the fastest first; the others' reasons are written down."""
    chosen: list[str] = []
    best = float("inf")
    for name in names:
        result = self_test_of(name, model, batch_size, threads)
        if not result.agrees or result.milliseconds is None:
            reasons[name] = result.reason
        elif result.milliseconds < CLEARLY_FASTER * best:
            chosen, best = [name, *chosen], result.milliseconds
        else:
            chosen.append(name)
    return chosen


def _open(name: str, model: Model, batch_size: int, threads: int | None, *, require_gpu: bool) -> Engine:
    if not BACKENDS[name].needs_gpu:
        return BACKENDS[name].open(model, batch_size, threads)
    on_cpu = None if require_gpu else partial(_open_one, REFERENCE, model, threads)
    return ResilientEngine(partial(_open_one, name, model, threads), batch_size, on_cpu)


def _open_one(name: str, model: Model, threads: int | None, batch_size: int) -> Engine:
    return BACKENDS[name].open(model, batch_size, threads)
