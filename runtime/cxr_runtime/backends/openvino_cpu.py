"""OpenVINO on the CPU, in the precision that is asked for: by itself it would pick bfloat16."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.backends.engine import CONV5, INPUT, LOGITS, Engine, Outputs
from cxr_runtime.errors import BackendError
from cxr_runtime.model.folder import Model
from cxr_runtime.offline import load

NAME = "openvino-cpu"


class OpenVinoCpu:
    """OpenVINO on the CPU, in fixed batches."""

    backend = NAME
    batch_step = None

    def __init__(
        self, onnx: bytes, batch_size: int, threads: int | None = None, *, precision: str = "f32"
    ) -> None:
        """Compile a network.

        Args:
            onnx: a model.onnx.
            batch_size: films of every batch; smaller ones are padded.
            threads: processor threads of one run; None leaves the number to OpenVINO.
            precision: what products are computed in: f32, or bf16 where the processor has it.

        Raises:
            BackendError: OpenVINO cannot load the network.
        """
        self._batch_size = batch_size
        self._request = _compile(onnx, batch_size, threads, precision).create_infer_request()

    def run(self, batch: NDArray[np.float32]) -> Outputs:
        """Infer one batch of at most batch_size films: (B, 3, H, W) float32."""
        padded = np.zeros((self._batch_size, *batch.shape[1:]), np.float32)
        padded[: len(batch)] = batch
        try:
            found = self._request.infer({INPUT: padded}, share_inputs=True)
        except RuntimeError as error:
            raise BackendError(f"OpenVINO failed: {_line(error)}") from error
        logits, conv5 = (np.array(found[name][: len(batch)]) for name in (LOGITS, CONV5))
        return Outputs(logits, conv5)

    def close(self) -> None:
        """Give back the memory."""
        del self._request


def has_bfloat16() -> bool:
    """Whether the processor computes in bfloat16 by itself."""
    return "BF16" in load("openvino").Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def engine_of(model: Model, batch_size: int, threads: int | None) -> Engine:
    """Open a model folder's network."""
    return OpenVinoCpu(model.onnx, batch_size, threads)


def _compile(onnx: bytes, batch_size: int, threads: int | None, precision: str) -> Any:
    settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
    if threads is not None:
        settings["INFERENCE_NUM_THREADS"] = threads
    core = load("openvino").Core()
    try:
        network = core.read_model(onnx)
        network.reshape({INPUT: [batch_size, *list(network.input(INPUT).partial_shape)[1:]]})
        return core.compile_model(network, "CPU", settings)
    except RuntimeError as error:
        raise BackendError(f"OpenVINO cannot load the network: {_line(error)}") from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
