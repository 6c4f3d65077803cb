"""How an appliance is, in a file that a monitoring tool reads: numbers, times and words of our own."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from cxr_runtime.appliance.restarting import PartHealth, PartState
from cxr_runtime.atomic import write_bytes
from cxr_runtime.errors import CxrTriageError
from cxr_runtime.names import printable
from cxr_runtime.sending.status import Queue
from cxr_runtime.typed_json import from_json, to_json

STALE_AFTER = 6.0  # times the interval, and at least ...
LEAST_STALE = 60.0  # ... so many seconds: a file that is older was left by an appliance that is gone or hangs
FILMS_WAIT_AFTER = 900.0  # for which films wait and none is done


class State(StrEnum):
    """How the whole is."""

    WELL = "well"
    AMISS = "amiss"  # it works, but somebody should look
    ENDED = "ended"


@dataclass(frozen=True)
class ApplianceHealth:
    """What the health file says."""

    state: State
    amiss: tuple[str, ...]  # words for what is
    time: datetime  # when this was written
    began: datetime
    process: int
    every_seconds: float  # how often it is written
    films: int  # done since it began
    waiting: int  # films that are there, or on their way
    to_be_tried_again: int  # films that the machine has failed
    last_film: datetime | None  # when the latest was done
    free_bytes: int  # of the disk with the output folder
    stops_below_bytes: int  # free bytes below which no film is taken
    queue: Queue | None  # of results for the archive; None: none are sent
    parts: tuple[PartHealth, ...]


def amiss(
    parts: Sequence[PartHealth],
    stuck_seconds: float,
    *,
    is_disk_full: bool,
    away: Sequence[str] = (),
    queue: Queue | None = None,
    unkept: int = 0,
) -> tuple[str, ...]:
    """Words for all that is not as it should be.

    Args:
        parts: of the appliance.
        stuck_seconds: for which films have waited and none was done.
        is_disk_full: films are not taken.
        away: names of parts whose folder is away.
        queue: of results for the archive; None: none are sent.
        unkept: folders of which nothing could be dropped, for their store failed.
    """
    found = {
        "disk-full": is_disk_full,
        **{f"{part.name}-waits": part.state is PartState.WAITS and part.deaths > 0 for part in parts},
        "films-wait": stuck_seconds > FILMS_WAIT_AFTER,
        **{f"{name}-away": True for name in away},
        "archive-away": queue is not None and queue.is_away,
        "sending-failed": queue is not None and queue.failing > 0,
        "retention-failed": unkept > 0,
    }
    return tuple(word for word, is_so in found.items() if is_so)


def write_health(path: Path, health: ApplianceHealth) -> None:
    """Replace the file; it may be read by whoever reaches its folder, for it names nobody.

    Raises:
        OSError: it cannot be written.
    """
    write_bytes(path, to_json(health).encode(), durable=False)
    if os.name != "nt":
        path.chmod(0o644)


def read_health(path: Path) -> ApplianceHealth:
    """Read the file of an appliance.

    Raises:
        CxrTriageError: there is none, or it is something else.
    """
    shown = printable(str(path))
    try:
        return from_json(path.read_bytes(), ApplianceHealth)
    except OSError as error:
        raise CxrTriageError(
            f"the health file {shown} cannot be read ({error.strerror}); the appliance has not been started "
            "with these settings, or writes another file"
        ) from error
    except ValueError as error:
        raise CxrTriageError(f"{shown} is not a health file of this version: {error}") from error


def is_stale(health: ApplianceHealth, now: datetime) -> bool:
    """Whether whoever wrote it is gone, or hangs; one that has ended is not."""
    if health.state is State.ENDED:
        return False
    age = (now - health.time).total_seconds()
    return age > max(STALE_AFTER * health.every_seconds, LEAST_STALE)
