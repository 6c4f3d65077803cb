"""Results of an export, as its tests need them."""

from cxr_calibration.statistics.intervals import Estimate
from cxr_calibration.statistics.roc import PairedComparison


def paired(change: float, low: float, high: float) -> PairedComparison:
    """Two precisions whose AUCs differ by that much; the AUC of the second is 0.8."""
    first, second = (Estimate(auc, auc - 0.05, auc + 0.05) for auc in (0.8 + change, 0.8))
    return PairedComparison(first, second, Estimate(change, low, high), p_value=0.5)
