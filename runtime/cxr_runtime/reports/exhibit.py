"""What the reports are made from: each film with its pictures, and how many films ended how."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.heat.map import HeatView
from cxr_runtime.heat.zones import Region, heat_regions
from cxr_runtime.outcome import Outcome, Status, Triage
from cxr_runtime.placement import Outline, Placement


@dataclass(frozen=True)
class Picture:
    """What there is to see of one film; every scored film has one, a rejected one may."""

    preview_jpeg: bytes = field(repr=False)  # grey film, longer side at most PREVIEW_LONG_SIDE
    film_hw: tuple[int, int]  # rows and columns of the film itself
    heat_png: bytes | None = field(repr=False)  # as heat.overlay.heat_layer makes it; None on a rejected film
    thumbnail_jpeg: bytes = field(repr=False)  # as heat.overlay.thumbnail_jpeg makes it
    lung_outlines: tuple[Outline, ...] = ()  # one polygon a lung
    spacing_mm: float | None = None  # from row to row of the film itself; None where not known
    heat_cells: NDArray[np.float32] | None = field(default=None, repr=False)  # (h, w) on conv5's cells
    placement: Placement | None = None  # what of the film the network was shown
    view: HeatView | None = None  # how its heat is shown

    @cached_property
    def regions(self) -> tuple[Region, ...]:
        """In which its coloured heat lies, the one with the most first; found once for list and page."""
        if self.heat_cells is None or self.placement is None or self.view is None:
            return ()
        return heat_regions(self.heat_cells, self.placement, self.view, self.lung_outlines)


@dataclass(frozen=True)
class Exhibit:
    """One film as the reports show it."""

    outcome: Outcome
    picture: Picture | None  # None where the film could not be read
    name: str  # stem of its files in heatmaps/: safe stem, `-`, first 12 digits of the sha256
    heading: tuple[str, str] | None = None  # large and small, in place of the file's name and folder
    owner: tuple[str, ...] = ()  # whose film it is, in texts as `wording.owner` has them; () where not kept
    patient: str = ""  # `Identity.person`, by which films are known to be of one patient; "" where not kept
    studied: str = ""  # day of the study; "" where not kept


SCORE_BINS = 20  # equal bins over scores 0..100; one is 5 points wide
LUNG_HEAT_LEAST = 0.5  # a flagged film with less of its heat than this inside the lungs is marked
MAX_LISTED = 1000  # films without a score that reports name one by one; the others are counted


@dataclass(frozen=True)
class Reason:
    """Why films have no score."""

    status: Status  # rejected or failed
    code: str
    films: int


@dataclass(frozen=True)
class Tally:
    """Counts of one run; every film is in exactly one of scored, rejected and failed."""

    scored: int = 0
    flagged: int = 0  # of the scored
    review: int = 0  # of the scored
    not_flagged: int = 0  # of the scored
    rejected: int = 0
    failed: int = 0
    outside_lungs: int = 0  # flagged films whose heat lies outside the lungs
    histogram: tuple[int, ...] = (0,) * SCORE_BINS  # scored films by score
    reasons: tuple[Reason, ...] = ()  # most frequent first
    unscored: tuple[Outcome, ...] = field(default=(), repr=False)  # in the order given, MAX_LISTED at most

    @property
    def films(self) -> int:
        """All films of the run."""
        return self.scored + self.rejected + self.failed


def is_heat_outside_lungs(outcome: Outcome) -> bool:
    """Whether a flagged film's heat lies mostly outside the lungs: the network looked at the wrong thing."""
    share = outcome.lung_heat_share
    return outcome.triage is Triage.FLAGGED and share is not None and share < LUNG_HEAT_LEAST


def tally(outcomes: Iterable[Outcome]) -> Tally:
    """Count a run's outcomes; they are read once, in any order."""
    by_status, by_triage = Counter[Status](), Counter[Triage | None]()
    by_bin, by_reason = Counter[int](), Counter[tuple[Status, str]]()
    unscored: list[Outcome] = []
    outside_lungs = 0
    for outcome in outcomes:
        by_status[outcome.status] += 1
        if outcome.score is not None:
            by_triage[outcome.triage] += 1
            by_bin[min(int(outcome.score * SCORE_BINS / 100), SCORE_BINS - 1)] += 1
            outside_lungs += is_heat_outside_lungs(outcome)
            continue
        by_reason[outcome.status, outcome.code] += 1
        if len(unscored) < MAX_LISTED:
            unscored.append(outcome)
    return Tally(
        scored=by_status[Status.SCORED],
        flagged=by_triage[Triage.FLAGGED],
        review=by_triage[Triage.REVIEW],
        not_flagged=by_triage[Triage.NOT_FLAGGED],
        rejected=by_status[Status.REJECTED],
        failed=by_status[Status.FAILED],
        outside_lungs=outside_lungs,
        histogram=tuple(by_bin[number] for number in range(SCORE_BINS)),
        reasons=tuple(Reason(status, code, films) for (status, code), films in by_reason.most_common()),
        unscored=tuple(unscored),
    )
