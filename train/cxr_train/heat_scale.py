"""From evidence to the odds of a box: the logistic regression behind a heat map."""

import numpy as np
from numpy.typing import NDArray

NEWTON_STEPS = 30
RIDGE = 1e-3  # keeps the regression finite where boxes and evidence agree perfectly

Cells = NDArray[np.float32]  # (N, h, w), a value for every conv5 cell of N films


def odds_of_boxes(evidence: Cells, inside: Cells) -> tuple[float, float]:
    """Gain and shift of inside = sigmoid(gain * (evidence + shift)), by Newton's method on what is known.

    Args:
        evidence: (N, h, w) of films.
        inside: (N, h, w) how much of each cell lies in a box, 0..1; nan where it is not known.
    """
    known = np.isfinite(inside)
    x, y = evidence[known].astype(np.float64), inside[known].astype(np.float64)
    middle, spread = x.mean(), max(float(x.std()), 1e-9)
    design, slope = np.stack([(x - middle) / spread, np.ones_like(x)]), np.zeros(2)
    for _ in range(NEWTON_STEPS):
        said = np.exp(-np.logaddexp(0.0, -(slope @ design)))
        curvature = (design * (said * (1 - said))) @ design.T / x.size + RIDGE * np.eye(2)
        slope = slope + np.linalg.solve(curvature, design @ (y - said) / x.size - RIDGE * slope)
    gain = slope[0] / spread
    return float(gain), float(slope[1] / gain - middle) if gain else 0.0
