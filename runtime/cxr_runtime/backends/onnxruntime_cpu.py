"""ONNX Runtime on the CPU, the reference of every other backend; sessions that say where they really run."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.backends.engine import CONV5, INPUT, LOGITS, Engine, Outputs, failure
from cxr_runtime.errors import BackendError
from cxr_runtime.model.folder import Model
from cxr_runtime.offline import load

ort = load("onnxruntime")

CPU_PROVIDER = "CPUExecutionProvider"
_ERRORS_ONLY = 3  # log severity of ONNX Runtime

Providers = list[str] | list[tuple[str, dict[str, str]]]


def session_options(threads: int | None, *, is_optimised: bool = True) -> Any:
    """Session options: threads that sleep while they wait, so that two sessions do not hinder each other."""
    options = ort.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not is_optimised:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    if threads is not None:
        options.intra_op_num_threads = threads
    return options


class OnnxSession:
    """One network in one ONNX Runtime session."""

    batch_step: int | None = None  # films that are computed at once; None: the whole batch

    def __init__(self, onnx: bytes, providers: Providers, options: Any) -> None:
        """Load a network.

        Raises:
            BackendError: ONNX Runtime refused it, or took another provider than the first one asked for.
        """
        asked = _asked(providers)
        self._session = new_session(onnx, providers, options)
        used = self._session.get_providers()
        if asked not in used[:1]:
            raise BackendError(
                f"ONNX Runtime was asked for {asked} and silently took {used[0] if used else 'nothing'}; "
                "`cxr-triage doctor` shows what that provider lacks"
            )

    def run(self, batch: NDArray[np.float32]) -> Outputs:
        """Infer one batch, (B, 3, H, W) float32.

        Raises:
            BackendError: the device failed.
        """
        step = self.batch_step or len(batch)
        parts = [batch] if len(batch) % step else np.split(batch, len(batch) // step)
        try:
            found = [self._session.run([LOGITS, CONV5], {INPUT: part}) for part in parts]
        except Exception as error:
            raise failure(_line(error)) from error
        logits, conv5 = (np.concatenate(of) for of in zip(*found, strict=True))
        return Outputs(logits, conv5)

    def close(self) -> None:
        """Give back the session's memory."""
        del self._session


def new_session(onnx: bytes, providers: Providers, options: Any) -> Any:
    """An onnxruntime.InferenceSession.

    Raises:
        BackendError: ONNX Runtime refused the network, or the device has no room for it.
    """
    try:
        return ort.InferenceSession(onnx, options, providers=providers)
    except Exception as error:
        failed = f"ONNX Runtime cannot load the network on {_asked(providers)}"
        raise failure(_line(error), failed) from error


def _asked(providers: Providers) -> str:
    first = providers[0]
    return first if isinstance(first, str) else first[0]


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


NAME = "onnxruntime-cpu"


class OnnxRuntimeCpu(OnnxSession):
    """ONNX Runtime on the CPU; a film's result depends on neither its place in a batch nor its company."""

    backend = NAME
    batch_step = 4  # what one layer hands to the next then stays in a core's cache

    def __init__(self, onnx: bytes, *, threads: int | None = None, is_reference: bool = False) -> None:
        """Load a network.

        Args:
            onnx: a model.onnx.
            threads: processor threads of one run; None leaves the number to ONNX Runtime.
            is_reference: run the file as it is, operator by operator in the order and types that it states:
                slower, but no kernel of this processor can be wrong where several are merged.

        Raises:
            BackendError: ONNX Runtime cannot load the network.
        """
        try:
            loaded = onnx if is_reference else _without_lrn(onnx)
        except ValueError as error:
            raise BackendError(
                f"cannot load the network: {error}; put the model folder back whole"
            ) from error
        options = session_options(threads, is_optimised=not is_reference)
        super().__init__(loaded, [CPU_PROVIDER], options)


def _without_lrn(onnx: bytes) -> bytes:
    if b"LRN" not in onnx:  # most networks: protobuf, which takes 20 ms to import, is not needed
        return onnx
    from cxr_runtime.backends.graph.lrn import rewrite_lrn

    return rewrite_lrn(onnx)


def engine_of(model: Model, batch_size: int, threads: int | None) -> Engine:
    """Open a model folder's network; any batch size runs."""
    del batch_size
    return OnnxRuntimeCpu(model.onnx, threads=threads)
