"""Shares in words: 87 %, and with their intervals."""

from math import isnan

from cxr_calibration.intervals import Estimate


def percent(share: float) -> str:
    """A share as a percentage with the digits that matter; `-` where it cannot be known."""
    return "-" if isnan(share) else f"{100 * share:.{_digits(share)}f} %"


def percent_interval(estimate: Estimate) -> str:
    """`87 % (80-92)`; the interval is left out where it cannot be known."""
    if isnan(estimate.value + estimate.low + estimate.high):
        return percent(estimate.value)
    low, high = (f"{100 * end:.{_digits(estimate.value)}f}" for end in (estimate.low, estimate.high))
    return f"{percent(estimate.value)} ({low}-{high})"


def _digits(share: float) -> int:
    """After the point; the more, the closer to 0 or 1."""
    from_end = min(share, 1 - share)
    if from_end >= 0.0995 or from_end <= 0:
        return 0
    return 1 if from_end >= 0.00995 else 2
