"""Do two samples differ beyond chance? Tests that are right for small samples too."""

from math import exp, lgamma, log, sqrt

import numpy as np
from numpy.typing import NDArray

MOST_CELLS = 20_000_000  # of the exact table; for larger samples the limiting distribution is as good
LEAST_P_VALUE = 1e-12  # smaller ones are lost in rounding


def fisher_exact(first: int, of_first: int, second: int, of_second: int, *, one_sided: bool = False) -> float:
    """Chance that two shares differ so much if they are the same (Fisher's exact test).

    Args:
        first: films of the first sample that have the property.
        of_first: films of the first sample.
        second: films of the second sample that have the property.
        of_second: films of the second sample.
        one_sided: only a smaller first share counts as a difference.

    Returns:
        A p-value; 1 where a sample is empty.
    """
    if of_first == 0 or of_second == 0:
        return 1.0
    total, having = of_first + of_second, first + second
    least, most = max(0, having - of_second), min(of_first, having)
    possible = np.arange(least, most + 1)
    chance = np.exp(
        _log_choose(of_first, possible)
        + _log_choose(of_second, having - possible)
        - _log_choose(total, np.array([having]))
    )
    as_far = possible <= first if one_sided else chance <= chance[first - least] * (1 + 1e-7)
    return float(min(1.0, chance[as_far].sum()))


def kolmogorov_smirnov(distance: float, of_first: int, of_second: int) -> float:
    """Chance that the distributions of two samples of one kind lie so far apart.

    Exact by counting lattice paths (Hodges 1958), or the limit (Stephens 1970) for large samples.

    Args:
        distance: largest difference of the two cumulative shares, 0..1.
        of_first: films of the first sample, above 0.
        of_second: films of the second sample, above 0.

    Returns:
        A p-value, at least LEAST_P_VALUE.
    """
    if of_first * of_second > MOST_CELLS:
        return _limiting(distance, of_first, of_second)
    few, many = sorted((of_first, of_second))
    reach = int(np.ceil(distance * few * many - 1e-6))
    if reach <= 0:
        return 1.0
    inside = np.abs(few * np.arange(many + 1)) < reach
    paths, log_scale = np.where(np.cumsum(~inside) == 0, 1.0, 0.0), 0.0
    for step in range(1, few + 1):
        inside = np.abs(step * many - few * np.arange(many + 1)) < reach
        paths = np.where(inside, np.cumsum(np.where(inside, paths, 0.0)), 0.0)
        top = paths.max()
        if top == 0:
            return 1.0
        paths, log_scale = paths / top, log_scale + log(top)
    log_ways = lgamma(few + many + 1) - lgamma(few + 1) - lgamma(many + 1)
    stayed = exp(min(0.0, log(paths[-1]) + log_scale - log_ways)) if paths[-1] > 0 else 0.0
    return min(1.0, max(LEAST_P_VALUE, 1 - stayed))


def _limiting(distance: float, of_first: int, of_second: int) -> float:
    root = sqrt(of_first * of_second / (of_first + of_second))
    scaled = (root + 0.12 + 0.11 / root) * distance
    terms = np.arange(1, 101)
    series = 2 * np.sum((-1.0) ** (terms - 1) * np.exp(-2 * (terms * scaled) ** 2))
    return float(min(1.0, max(LEAST_P_VALUE, series))) if scaled > 0.2 else 1.0


def _log_choose(films: int, chosen: NDArray[np.intp]) -> NDArray[np.float64]:
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, films + 1)))])
    return np.asarray(
        log_factorial[films] - log_factorial[chosen] - log_factorial[films - chosen], np.float64
    )
