"""A scan whose process group is killed at any moment goes on, and comes to what an undisturbed one does."""

import os
import time
from pathlib import Path
from random import Random

import pytest

from fault_scans import SOME_FAILED, Night, Scans, result

KILLS = int(os.environ.get("CXR_TRIAGE_KILLS", "30"))  # CONTRIBUTING.md
GROUPS = 3  # of kills, each a test
KILLED = -9
LATEST = 0.75  # moment of a kill, as a share of a scan from nothing: one that goes on is shorter


@pytest.mark.parametrize("group", range(GROUPS))
def test_a_scan_that_is_killed_again_and_again_ends_as_an_undisturbed_one(
    group: int, night: Night, undisturbed: object, tmp_path: Path
) -> None:
    random, kills, scans_ended = Random(group), 0, 0
    out = tmp_path / "0"
    with Scans.start(night) as scans:
        started = time.monotonic()
        scans.run(night.arguments(tmp_path / "first"))
        whole = time.monotonic() - started  # seconds; the moments are shares of it
        while kills < KILLS // GROUPS:
            status, log = scans.run(night.arguments(out), kill_after=random.uniform(0.0, LATEST * whole))
            assert status in (KILLED, SOME_FAILED), log
            kills += status == KILLED
            if status == SOME_FAILED:  # it was done before the moment came
                assert result(out) == undisturbed
                scans_ended += 1
                out = tmp_path / f"{scans_ended}"
        status, log = scans.run(night.arguments(out))
    assert status == SOME_FAILED, log
    assert result(out) == undisturbed
