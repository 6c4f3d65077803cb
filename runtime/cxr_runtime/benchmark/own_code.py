"""What we wrote although a library does it, timed beside that library: a line here says why it is ours."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import cv2
import numpy as np
from numpy.typing import NDArray

from cxr_runtime.benchmark.engines import median_seconds
from cxr_runtime.heat.overlay import overlay
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pictures import encode_png
from cxr_runtime.workers.pool import WorkerPool
from cxr_runtime.workers.tasks import Plain

HEAT_THRESHOLD = 0.5
TASKS = 64  # answers in one measurement of a pool
TASK = Plain("math:sqrt")  # costs nothing: what is timed is the way there and back


@dataclass(frozen=True)
class OwnCode:
    """One piece of our own beside a library's."""

    work: str
    ours: float  # milliseconds
    library: str  # what would do it
    theirs: float  # milliseconds
    why: str  # what else speaks for ours; "" where speed alone does


def measure_own_code(side: int, seconds: float) -> list[OwnCode]:
    """Time our PNG writer and worker pool beside what they stand in for.

    Args:
        side: rows and columns of the picture.
        seconds: wall time of each measurement.
    """
    return [_png(side, seconds), _pool(seconds)]


def _png(side: int, seconds: float) -> OwnCode:
    picture = overlay(draw_phantom(1, hw=(side, side)), _warm_spot(), HEAT_THRESHOLD)
    by_opencv = [cv2.IMWRITE_PNG_COMPRESSION, 1]

    def theirs() -> NDArray[np.uint8]:
        return np.asarray(cv2.imencode(".png", picture, by_opencv)[1], np.uint8)

    share = len(encode_png(picture)) / len(theirs())
    return OwnCode(
        f"overlay of {side} x {side} as PNG",
        1000 * median_seconds(lambda: encode_png(picture), seconds),
        "OpenCV, level 1",
        1000 * median_seconds(theirs, seconds),
        f"{share:.2f} of its bytes",
    )


def _pool(seconds: float) -> OwnCode:
    tasks = [float(number) for number in range(TASKS)]
    with WorkerPool[float, float](TASK, 1) as pool:
        ours = _milliseconds_a_task(lambda: list(pool.results(tasks)), seconds)
    with ProcessPoolExecutor(1, get_context("spawn")) as executor:
        theirs = _milliseconds_a_task(lambda: list(executor.map(abs, tasks)), seconds)
    why = "a task that hangs, dies or eats memory ends alone; with theirs the whole pool is broken"
    return OwnCode("a task to a worker process and back", ours, "concurrent.futures", theirs, why)


def _milliseconds_a_task(work: Callable[[], object], seconds: float) -> float:
    return 1000 * median_seconds(work, seconds) / TASKS


def _warm_spot() -> NDArray[np.float32]:
    """(64, 64) heat over a film, 1 in one place and 0 far from it."""
    along = np.exp(-(((np.arange(64) - 24) / 12) ** 2))
    return np.outer(along, along).astype(np.float32)
