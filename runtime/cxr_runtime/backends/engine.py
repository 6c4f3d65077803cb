"""What every inference backend does: batches in, logits and conv5 out."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Outputs:
    """What the network says of one batch."""

    logits: NDArray[np.float32]  # (B, 2) = [normal, abnormal]
    conv5: NDArray[np.float32]  # (B, C, h, w), after ReLU, before any pooling


class Engine(Protocol):
    """A network loaded on one device."""

    @property
    def backend(self) -> str:
        """The provider really in use, e.g. `onnxruntime-cpu`; it stands in every report."""
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
