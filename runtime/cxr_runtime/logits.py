"""From a network's two logits to a margin, and from a margin to a share."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def margins(logits: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """How much more a network is for abnormal than for normal.

    Args:
        logits: (B, 2) any float, [normal, abnormal].

    Returns:
        (B,) float64, the second less the first.
    """
    return np.asarray(logits[:, 1].astype(np.float64) - logits[:, 0], np.float64)


def sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 / (1 + exp(-x)), without overflow at either end.

    Args:
        logits: float64 of any shape; a margin gives the softmax of two logits.

    Returns:
        float64 of that shape, 0..1.
    """
    return np.asarray(np.exp(-np.logaddexp(0.0, -logits)), np.float64)
