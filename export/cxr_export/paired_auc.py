"""The area under the curve of two precisions on the same films, and their paired difference.

DeLong, DeLong and Clarke-Pearson, Biometrics 1988, for two correlated curves.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

NORMAL_95 = 1.959964  # half width of a two-sided 95 % interval, in standard errors


@dataclass(frozen=True)
class PairedAuc:
    """What a precision does to the AUC."""

    auc: float  # of the precision
    change: float  # precision minus float32
    low: float  # 95 % interval of the change
    high: float


def paired_auc(lower: NDArray[np.float64], whole: NDArray[np.float64], labels: NDArray[np.intp]) -> PairedAuc:
    """Compare two precisions.

    Args:
        lower: (N,) scores of the precision, higher is more suspicious.
        whole: (N,) scores of float32, the same films in the same order.
        labels: (N,) 0 normal, 1 abnormal; at least two of each.
    """
    abnormal, normal = _placements(lower, labels)
    abnormal_whole, normal_whole = _placements(whole, labels)
    gains, losses = abnormal - abnormal_whole, normal - normal_whole
    change = float(gains.mean())
    error = sqrt(gains.var(ddof=1) / len(gains) + losses.var(ddof=1) / len(losses))
    auc = float(abnormal.mean())
    return PairedAuc(auc, change, change - NORMAL_95 * error, change + NORMAL_95 * error)


def _placements(
    scores: NDArray[np.float64], labels: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share of normal films below each abnormal one, and of abnormal films above each normal one."""
    abnormal, normal = scores[labels == 1], scores[labels == 0]
    above = (abnormal[:, None] > normal[None]) + 0.5 * (abnormal[:, None] == normal[None])
    return above.mean(axis=1), above.mean(axis=0)
