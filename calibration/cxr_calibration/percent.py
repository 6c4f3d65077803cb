"""Shares in words: 87.5 %, and with their intervals."""

from math import isnan

from cxr_calibration.intervals import Estimate


def percent(share: float) -> str:
    """A share as a percentage with the digits that matter; `-` where it cannot be known."""
    if isnan(share):
        return "-"
    from_end = min(share, 1 - share)
    digits = 0 if from_end >= 0.0995 or from_end <= 0 else 1 if from_end >= 0.00995 else 2
    return f"{100 * share:.{digits}f} %"


def percent_interval(estimate: Estimate) -> str:
    """`87 % (80-92)`; the interval is left out where it cannot be known."""
    if isnan(estimate.low) or isnan(estimate.high):
        return percent(estimate.value)
    low, high = (percent(end).removesuffix(" %") for end in (estimate.low, estimate.high))
    return f"{percent(estimate.value)} ({low}-{high})"
