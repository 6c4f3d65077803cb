"""Timing by repetition: medians, since other programs run too."""

import time
from collections.abc import Callable
from statistics import median


def median_seconds(work: Callable[[], object], seconds: float, least: int = 3) -> float:
    """Median wall time of a piece of work, once it has run warm.

    Args:
        work: what is timed.
        seconds: go on repeating for so long.
        least: repetitions, however long they take.
    """
    work()
    taken: list[float] = []
    until = time.perf_counter() + seconds
    while len(taken) < least or time.perf_counter() < until:
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return median(taken)
