"""What became of the results of a folder, archive by archive."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cxr_runtime.sending.destination import KINDS
from cxr_runtime.store.deliveries import Deliveries, State
from cxr_runtime.store.sqlite import store_errors
from cxr_runtime.store.store import Store

MOST_SHOWN = 20  # results that are named


@dataclass(frozen=True)
class Queue:
    """How a queue stands, for health."""

    waiting: int = 0  # results that are not sent, and not refused
    refused: int = 0  # for good, since the sender began
    is_away: bool = False  # the archive could not be reached when it was last tried
    failing: int = 0  # folders whose store could not be used


@dataclass
class ArchiveStatus:
    """How an archive stands with the results of one folder."""

    target: str
    sent: int = 0
    waiting: int = 0
    refused: int = 0
    due: datetime | None = None  # UTC: when the next try is
    trouble: str = ""  # why the archive could not be reached at the last try
    reasons: Counter[tuple[State, str, str]] = field(default_factory=Counter)  # state, kind, what it said
    films: list[tuple[str, str]] = field(default_factory=list)  # sha256 and kind of some that are refused


def status_of(folder: Path) -> list[ArchiveStatus]:
    """Every archive that results of a folder were sent to, or should have been.

    Raises:
        StoreError: the folder holds no store, or it is damaged.
    """
    with Store.open(folder) as store, store_errors(store.name):
        deliveries = Deliveries(store)
        return [_status(deliveries, target) for target in deliveries.targets()]


def _status(deliveries: Deliveries, target: str) -> ArchiveStatus:
    found, away = ArchiveStatus(target), deliveries.of_archive(target)
    for state in State:
        for delivery, kind, sha256 in deliveries.of(target, state):
            found.sent += state is State.SENT
            found.refused += state is State.REFUSED
            if delivery.said:
                found.reasons[state, kind, delivery.said] += 1
            if state is State.REFUSED and len(found.films) < MOST_SHOWN:
                found.films.append((sha256, kind))
    found.waiting, found.trouble = deliveries.outstanding(target, KINDS), away.said
    moments = (deliveries.next_due(target, KINDS), away.next_try)
    found.due = max((moment for moment in moments if moment is not None), default=None)
    return found
