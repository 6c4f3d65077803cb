"""Which backend runs the network: the one asked for, or the fastest that agrees with the reference."""

from collections.abc import Callable
from importlib import import_module

from cxr_runtime.backends.engine import Engine
from cxr_runtime.errors import BackendError, UsageError
from cxr_runtime.model import Model

AUTO = "auto"
GPU_BACKENDS = ("tensorrt", "cuda")
BACKENDS = {  # name on the command line -> module, imported on use, whose `open_model` opens an engine
    "onnxruntime": "cxr_runtime.backends.onnxruntime_cpu",
}

OpenModel = Callable[[Model, int, int | None], Engine]  # model, films a batch, processor threads


def open_engine(
    model: Model,
    backend: str = AUTO,
    *,
    batch_size: int,
    threads: int | None = None,
    require_gpu: bool = False,
) -> Engine:
    """Load a model on this machine.

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
    if backend != AUTO and backend not in BACKENDS:
        raise UsageError(f"backend {backend!r} is not known; choose {AUTO} or one of: {', '.join(BACKENDS)}")
    if require_gpu and backend not in (AUTO, *GPU_BACKENDS):
        raise UsageError(f"--require-gpu does not fit --backend {backend}; choose {AUTO}, tensorrt or cuda")
    if require_gpu:
        raise BackendError("no backend can use a GPU here; install one of the GPU extras, see the README")
    return _open("onnxruntime" if backend == AUTO else backend, model, batch_size, threads)


def _open(name: str, model: Model, batch_size: int, threads: int | None) -> Engine:
    try:
        open_model: OpenModel = import_module(BACKENDS[name]).open_model
    except ImportError as error:
        raise BackendError(
            f"backend {name} is not installed ({error}); see the README for its extra"
        ) from error
    return open_model(model, batch_size, threads)
