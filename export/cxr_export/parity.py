"""An export is finished only when it agrees with the network it came from, at several batch sizes."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from cxr_export.trace import LogitsAndConv5
from cxr_runtime.backends.engine import Outputs
from cxr_runtime.backends.onnxruntime_cpu import OnnxRuntimeCpu
from cxr_runtime.errors import ModelError
from cxr_train.networks import Network

BATCH_SIZES = (1, 3, 8)
TOLERANCE = 1e-4  # of an output's largest magnitude; float32 in another order of summing stays far below


@dataclass(frozen=True)
class Parity:
    """Worst differences of an export from its source, over all batches."""

    logits: float  # largest absolute difference
    conv5: float  # largest absolute difference
    logits_relative: float  # the same as a share of the largest magnitude in the source's output
    conv5_relative: float

    def as_numbers(self) -> dict[str, float]:
        """For the manifest."""
        return asdict(self)


def measure_parity(network: Network, onnx: bytes, films: NDArray[np.float32]) -> Parity:
    """Run the source and the export side by side, on films and on noise.

    Args:
        network: the source, in evaluation mode.
        onnx: the exported file.
        films: (8, 3, H, W) float32, normalised films.

    Raises:
        ModelError: they differ by more than TOLERANCE, or one gave a number that is not finite.
    """
    wrapped = LogitsAndConv5(network).eval()
    return agreement(lambda batch: _run(wrapped, batch), onnx, films)


def agreement(
    source: Callable[[NDArray[np.float32]], Outputs], onnx: bytes, films: NDArray[np.float32]
) -> Parity:
    """As `measure_parity`, for a source of any kind: (B, 3, H, W) float32 -> what it says of these films."""
    noise = np.random.default_rng(0).normal(films.mean(), films.std(), films.shape).astype(np.float32)
    engine = OnnxRuntimeCpu(onnx, is_reference=True)
    pairs = []
    for size in BATCH_SIZES:
        for batch in (films[:size], noise[:size]):
            said = source(batch)
            _refuse_not_finite(said)
            pairs.append((said, engine.run(np.ascontiguousarray(batch))))
    engine.close()
    logits, logits_relative = _worst([(source.logits, export.logits) for source, export in pairs])
    conv5, conv5_relative = _worst([(source.conv5, export.conv5) for source, export in pairs])
    return _accepted(Parity(logits, conv5, logits_relative, conv5_relative))


def _run(wrapped: LogitsAndConv5, batch: NDArray[np.float32]) -> Outputs:
    with torch.no_grad():
        logits, conv5 = wrapped(torch.from_numpy(np.ascontiguousarray(batch)))
    return Outputs(logits.numpy(), conv5.numpy())


def _refuse_not_finite(said: Outputs) -> None:
    for output, values in (("logits", said.logits), ("conv5", said.conv5)):
        if not np.isfinite(values).all():
            raise ModelError(
                f"the network itself, before any export, gives {output} that are not finite numbers; "
                "its weights may be damaged: get them anew, or train again; nothing was written"
            )


def _worst(pairs: list[tuple[NDArray[np.float32], NDArray[np.float32]]]) -> tuple[float, float]:
    """Largest absolute difference, and that as a share of the source's largest magnitude."""
    difference = max(float(np.abs(source - export).max()) for source, export in pairs)
    magnitude = max(float(np.abs(source).max()) for source, _ in pairs)
    return difference, difference / magnitude if magnitude > 0 else difference


def _accepted(parity: Parity) -> Parity:
    for output, share in (("logits", parity.logits_relative), ("conv5", parity.conv5_relative)):
        if not share <= TOLERANCE:
            raise ModelError(
                f"the export does not agree with its network: {output} differs by {share:.1e} of its largest "
                f"magnitude, at most {TOLERANCE:.0e} is accepted; nothing was written"
            )
    return parity
