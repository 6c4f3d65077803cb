import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cxr_runtime.appliance.health import (
    FILMS_WAIT_AFTER,
    LEAST_STALE,
    ApplianceHealth,
    State,
    amiss,
    is_stale,
    read_health,
    write_health,
)
from cxr_runtime.appliance.restarting import PartHealth, PartState
from cxr_runtime.errors import CxrTriageError
from cxr_runtime.sending.status import Queue

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
PARTS = (
    PartHealth("scoring", PartState.RUNS, 1, "storeerror", 0.0),
    PartHealth("watch-1", PartState.WAITS, 2, "oserror", 1.5),
)
HEALTH = ApplianceHealth(
    State.AMISS, ("disk-full",), NOON, NOON, 42, 10.0, 7, 3, 1, NOON, 5 << 30, 6 << 30, Queue(5, 2), PARTS
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_health(tmp_path / "health.json", HEALTH)
    assert read_health(tmp_path / "health.json") == HEALTH
    if sys.platform != "win32":
        assert stat.S_IMODE((tmp_path / "health.json").stat().st_mode) == 0o644


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"state": "well"}', b"\xff"])
def test_a_file_that_is_not_there_or_something_else_is_one_line(
    content: bytes | None, tmp_path: Path
) -> None:
    path = tmp_path / "health.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CxrTriageError, match="health file"):
        read_health(path)


def test_an_old_file_is_no_news() -> None:
    assert not is_stale(HEALTH, NOON + timedelta(seconds=LEAST_STALE))
    assert is_stale(HEALTH, NOON + timedelta(seconds=LEAST_STALE + 1))


def test_what_is_amiss_is_named() -> None:
    assert amiss(PARTS, 0.0, is_disk_full=False) == ("watch-1-waits",)
    assert amiss(PARTS[:1], FILMS_WAIT_AFTER + 1, is_disk_full=True) == ("disk-full", "films-wait")
    assert amiss(PARTS[:1], FILMS_WAIT_AFTER, is_disk_full=False) == ()
    queue = Queue(5, 2, is_away=True, failing=1)
    words = ("watch-2-away", "archive-away", "sending-failed", "retention-failed")
    assert amiss([], 0.0, is_disk_full=False, away=["watch-2"], queue=queue, unkept=1) == words
    begins = PartHealth("watch-1", PartState.WAITS, 0, "", 0.0)
    assert amiss([begins], 0.0, is_disk_full=False) == ()
