"""From a film's margin to its probability and triage, as calibration and operating point of today say."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

import numpy as np

from cxr_runtime.model.calibration import Calibration, OperatingPoint
from cxr_runtime.outcome import Outcome, Triage
from cxr_runtime.store.rows import Judged

JUDGED_AT_ONCE = 1000  # films in memory
_JUDGEMENT = Judged._fields.index("probability")


def with_triage(row: Outcome, margin: float, calibration: Calibration, point: OperatingPoint) -> Outcome:
    """The row with the probability and triage that a calibration and operating point give a margin."""
    probability = float(calibration.probability(np.array([margin]))[0])
    return replace(
        row,
        probability=probability,
        triage=point.triage(probability),
        threshold=point.threshold,
        operating_point=point.name,
    )


def judged_anew(films: Iterable[Judged], calibration: Calibration, point: OperatingPoint) -> Iterator[Judged]:
    """Films, of earlier runs mostly, that today's calibration and operating point judge otherwise."""
    waiting = iter(films)
    while block := list(islice(waiting, JUDGED_AT_ONCE)):
        together = calibration.probability(np.array([film.margin for film in block], np.float64))
        for film, probability in zip(block, together.tolist(), strict=True):
            if _judgement(probability, point) != film[_JUDGEMENT:]:
                alone = float(calibration.probability(np.array([film.margin]))[0])  # as it was judged before
                now = film[:_JUDGEMENT] + _judgement(alone, point)
                if now != film:
                    yield Judged._make(now)


def _judgement(probability: float, point: OperatingPoint) -> tuple[float, Triage, float, str]:
    """The columns of `Judged` that calibration and operating point decide."""
    return probability, point.triage(probability), point.threshold, point.name
