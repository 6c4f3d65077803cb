"""Timing by repetition: medians, since other programs run too."""

import time
from collections.abc import Callable
from statistics import median


def median_seconds(
    work: Callable[[], object],
    seconds: float,
    least: int = 3,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Median time of a piece of work, once it has run warm.

    Args:
        work: what is timed.
        seconds: go on repeating for so long, by the wall clock.
        least: repetitions, however long they take.
        clock: wall time, or `time.process_time` where other programs share the processors.
    """
    work()
    taken: list[float] = []
    until = time.perf_counter() + seconds
    while len(taken) < least or time.perf_counter() < until:
        started = clock()
        work()
        taken.append(clock() - started)
    return median(taken)
