"""An ONNX Runtime session that says what failed, and where it really runs."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.backends.engine import Outputs
from cxr_runtime.backends.failure import failure
from cxr_runtime.backends.tensor_names import CONV5, INPUT, LOGITS
from cxr_runtime.errors import BackendError
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
        """Infer one batch.

        Raises:
            BackendError: the device failed.
        """
        try:
            logits, conv5 = self._session.run([LOGITS, CONV5], {INPUT: batch})
        except Exception as error:
            raise failure(_line(error)) from error
        return Outputs(logits, conv5)

    def close(self) -> None:
        """Give back the session's memory."""
        del self._session


def new_session(onnx: bytes, providers: Providers, options: Any) -> Any:
    """An onnxruntime.InferenceSession.

    Raises:
        BackendError: ONNX Runtime refused the network.
    """
    try:
        return ort.InferenceSession(onnx, options, providers=providers)
    except Exception as error:
        reason = f"ONNX Runtime cannot load the network on {_asked(providers)}: {_line(error)}"
        raise BackendError(reason) from error


def _asked(providers: Providers) -> str:
    first = providers[0]
    return first if isinstance(first, str) else first[0]


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
