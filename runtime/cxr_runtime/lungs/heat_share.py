"""How much of a heat map lies on the lungs: heat elsewhere means that the wrong thing was looked at."""

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.lungs.mask import LungMask


def heat_share(heat: NDArray[np.float32], lungs: LungMask, threshold: float) -> float | None:
    """Share of the heat that lies in the lung field, slightly widened.

    Args:
        heat: (h, w) float32 in 0..1 over the whole film.
        lungs: the film's lung field.
        threshold: only what is above it counts; where nothing is above it, all heat counts.

    Returns:
        0..1, or None where the film has no heat at all.
    """
    weight = np.maximum(heat.astype(np.float64) - threshold, 0)
    if weight.sum() <= 0:
        weight = heat.astype(np.float64)
    total = float(weight.sum())
    if total <= 0:
        return None
    return float(weight[lungs.widened((heat.shape[0], heat.shape[1]))].sum() / total)
