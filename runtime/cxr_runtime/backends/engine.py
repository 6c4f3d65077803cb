"""What every inference backend does: batches in, logits and conv5 out; and what can go wrong on a device.

BackendError                an inference backend is missing, wrong or broken: only another device can go on
  OutOfDeviceMemoryError    the batch was too large for the device: a smaller one may fit
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.errors import BackendError

INPUT = "image"  # float32 (B, 3, H, W), normalised
LOGITS = "logits"  # float32 (B, 2) = [normal, abnormal]
CONV5 = "conv5"  # float32 (B, C, h, w), before any pooling; after ReLU where the network has one there


# What drivers and libraries say, in lower case.
_MEMORY_SIGNS = (
    "out of memory",
    "out_of_memory",
    "outofmemory",
    "failed to allocate memory",
    "alloc_failed",
    "bad_alloc",
)


class OutOfDeviceMemoryError(BackendError):
    """The batch did not fit into the device's memory."""


def failure(text: str, failed: str = "inference failed") -> BackendError:
    """The error for what a device's library said.

    Args:
        text: the library's message, one line.
        failed: what could not be done, where it was not for want of memory.
    """
    told = text.lower()
    if any(sign in told for sign in _MEMORY_SIGNS):
        return OutOfDeviceMemoryError(f"the device is out of memory: {text}")
    return BackendError(f"{failed}: {text}")


@dataclass(frozen=True)
class Outputs:
    """What the network says of one batch."""

    logits: NDArray[np.float32]  # (B, 2) = [normal, abnormal]
    conv5: NDArray[np.float32]  # (B, C, h, w), as CONV5


class Engine(Protocol):
    """A network loaded on one device."""

    @property
    def backend(self) -> str:
        """The provider really in use, e.g. `onnxruntime-cpu`; it stands in every report."""
        ...

    @property
    def batch_step(self) -> int | None:
        """A film gets the same bits in a batch of any multiple of so many films; None: in full ones alone."""
        ...

    def run(self, batch: NDArray[np.float32]) -> Outputs:
        """Infer one batch.

        Args:
            batch: (B, 3, H, W) float32, C-contiguous, normalised.

        Raises:
            BackendError: the device failed.
        """
        ...

    def close(self) -> None:
        """Give back the device's memory."""
        ...
