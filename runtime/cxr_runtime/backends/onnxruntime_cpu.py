"""ONNX Runtime on the CPU: the reference that every other backend is held against."""

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.backends.engine import Engine, Outputs
from cxr_runtime.backends.onnx_session import CPU_PROVIDER, OnnxSession, session_options
from cxr_runtime.errors import BackendError
from cxr_runtime.model.folder import Model

NAME = "onnxruntime-cpu"


class OnnxRuntimeCpu:
    """ONNX Runtime on the CPU; a film's result depends on neither its place in a batch nor its company."""

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
        self._session = OnnxSession(loaded, [CPU_PROVIDER], options)

    @property
    def backend(self) -> str:
        """The provider really in use."""
        return NAME

    def run(self, batch: NDArray[np.float32]) -> Outputs:
        """Infer one batch of any size: (B, 3, H, W) float32."""
        return self._session.run(batch)

    def close(self) -> None:
        """Give back the session's memory."""
        self._session.close()


def _without_lrn(onnx: bytes) -> bytes:
    if b"LRN" not in onnx:  # most networks: protobuf, which takes 20 ms to import, is not needed
        return onnx
    from cxr_runtime.backends.graph.lrn import rewrite_lrn

    return rewrite_lrn(onnx)


def missing() -> str | None:
    """Why this backend cannot be used here: it always can."""
    return None


def open_model(model: Model, batch_size: int, threads: int | None) -> Engine:
    """Open a model folder's network; any batch size runs."""
    del batch_size
    return OnnxRuntimeCpu(model.onnx, threads=threads)
