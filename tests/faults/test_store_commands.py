"""Backup and pruning while a scan runs; merges that are killed, or meet a full disk."""

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from cxr_runtime.names import safe_name
from cxr_runtime.store.store import Store, read_scores
from drawn_stores import Drawn, write_store
from fault_scans import (
    FILMS,
    IN_A_ROOM_OF_ITS_OWN,
    START,
    Night,
    Scans,
    can_mount,
    goes_on,
    in_the_middle,
    result,
    stored_rows,
    table,
    told,
)

KILLS = 8
KILLED = -9
SIZES = 5  # of the disk, up to what a merged folder needs


@pytest.fixture(scope="module")
def parts(night: Night, undisturbed: object, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The night in two folders: one of each part, some films in both."""
    folder = tmp_path_factory.mktemp("parts")
    made = [folder / "one", night.folder / "undisturbed"]
    arguments = night.arguments(made[0])
    arguments[1:2] = ["films/00.png", "films/01.png"]
    with Scans.start(night) as scans:
        status, log = scans.run(arguments)
    assert status == 0, log
    return made


def merging(parts: list[Path], out: Path) -> list[str]:
    return ["merge", *(str(part) for part in parts), "--out", str(out), "--format", "csv,png"]


def test_backups_and_pruning_while_a_scan_runs_cost_it_no_row(
    night: Night, undisturbed: object, tmp_path: Path
) -> None:
    out, rounds = tmp_path / "out", 0
    with Scans.start(night) as scans, in_the_middle(night, out) as scan:
        status, log = scans.run(["backup", str(out), str(tmp_path / "begun")])
        assert status == 0, log
        os.killpg(scan.pid, signal.SIGCONT)
        while scan.poll() is None and stored_rows(out) < FILMS:
            before = stored_rows(out)
            status, log = scans.run(["backup", str(out), str(tmp_path / "backup")])
            assert status == 0, log
            with Store.open_file(tmp_path / "backup") as copy:
                kept = list(copy.scores(copy.last_run()))
            assert before <= len(kept) <= stored_rows(out)
            status, log = scans.run(["prune", str(out), "--older-than", "0d"])
            assert status == 0, log
            rounds += 1
        goes_on(scan)
        assert rounds > 0
        assert table(out) == table(night.folder / "undisturbed")
        status, log = scans.run(
            ["restore", str(tmp_path / "begun"), str(tmp_path / "new"), "--format", "csv"]
        )
    assert status == 1  # no scan in it had ended
    assert "no scan into" in told(log)


def test_a_merge_that_is_killed_takes_all_or_nothing_and_the_next_one_ends_well(
    night: Night, parts: list[Path], tmp_path: Path
) -> None:
    random, out = Random(5), tmp_path / "all"
    with Scans.start(night) as scans:
        started = time.monotonic()
        status, log = scans.run(merging(parts, tmp_path / "whole"))
        whole = time.monotonic() - started
        assert status == 0, log
        for _ in range(KILLS):
            status, log = scans.run(merging(parts, out), kill_after=random.uniform(0.0, 0.9 * whole))
            assert status in (KILLED, 0), log
            assert not (out / "triage.sqlite").is_file() or stored_rows(out) in (0, 2, FILMS)
        status, log = scans.run(merging(parts, out))
    assert status == 0, log
    assert result(out) == result(tmp_path / "whole")
    assert len(table(out)) == FILMS - 1  # one film lies there twice


@pytest.mark.skipif(not can_mount(), reason="this user may not mount a file system")
def test_a_merge_onto_a_full_disk_is_one_line_and_onto_a_larger_one_ends_well(
    night: Night, parts: list[Path], tmp_path: Path
) -> None:
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    needed = sum(part.stat().st_size for part in (parts[1] / "triage.sqlite", parts[1] / "results.csv"))
    with Scans.start(night, IN_A_ROOM_OF_ITS_OWN) as scans:
        scans.shell(f"mount -t tmpfs -o size=4k tmpfs {disk}")
        for step in range(SIZES):
            scans.shell(f"mount -o remount,size={4 + needed * step // SIZES // 1024}k {disk}")
            status, log = scans.run(merging(parts, disk / "all"))
            assert status == 1, log
            assert any(reason in told(log) for reason in ("No space left", "disk is full"))
            status, log = scans.run(["backup", str(parts[1]), f"{disk}/backup"])
            assert status == 1, log
            assert "cannot be written" in told(log)
        scans.shell(f"mount -o remount,size=64m {disk}")
        status, log = scans.run(merging(parts, disk / "all"))
        assert status == 0, log
        scans.shell(f"cp -a {disk}/all {kept}")
    assert len(table(kept)) == FILMS - 1


ON_A_FULL_DISK = """
set -e
mount -t tmpfs -o size=8m tmpfs {disk}
cp -a {out} {disk}/out
dd if=/dev/zero of={disk}/fill bs=1k 2>/dev/null || true
truncate -s -{free}k {disk}/fill
set +e
for command in {commands}; do
  {python} -c "{start}" $command 2>&1
  echo "status $?"
done
cp -a {disk}/out {kept}
"""


@pytest.mark.skipif(not can_mount(), reason="this user may not mount a file system")
@pytest.mark.parametrize(("free", "are_drawn"), [(0, True), (256, False)])
def test_on_a_full_disk_pruning_makes_room_and_what_only_reads_reads(
    tmp_path: Path, free: int, *, are_drawn: bool
) -> None:
    disk, out = tmp_path / "disk", write_store(tmp_path / "out", [Drawn(f"{n}.png") for n in range(60)])
    (out / "heatmaps").mkdir()
    for score in read_scores(out) if are_drawn else ():
        name = safe_name(score.outcome.file, score.outcome.sha256)
        (out / "heatmaps" / f"{name}.png").write_bytes(b"picture" * 1000)
    disk.mkdir()
    commands = (f"backup {disk}/out {tmp_path}/backup", f"prune {disk}/out --older-than 0d")
    script = ON_A_FULL_DISK.format(
        disk=disk, out=out, free=free, commands=" ".join(map(shlex.quote, commands)), python=sys.executable,
        start=START, kept=tmp_path / "kept",
    )  # fmt: skip
    done = subprocess.run(
        [*IN_A_ROOM_OF_ITS_OWN, "sh", "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.count("status 0") == len(commands), done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert "pictures of 60 films dropped" in done.stdout
    assert list((tmp_path / "kept" / "heatmaps").iterdir()) == []
    assert [score.is_ours for score in read_scores(tmp_path / "kept")] == [True] * 60


@pytest.mark.skipif(not can_mount(), reason="this user may not mount a file system")
def test_a_disk_without_any_room_is_one_line_that_says_so(tmp_path: Path) -> None:
    disk, out = tmp_path / "disk", write_store(tmp_path / "out", [Drawn("a.png")])
    disk.mkdir()
    script = ON_A_FULL_DISK.format(
        disk=disk, out=out, free=0, commands=shlex.quote(f"prune {disk}/out --older-than 0d"),
        python=sys.executable, start=START, kept=tmp_path / "kept",
    )  # fmt: skip
    done = subprocess.run(
        [*IN_A_ROOM_OF_ITS_OWN, "sh", "-c", script], capture_output=True, text=True, check=True
    )
    assert "disk is full" in told(done.stdout)
    assert "status 1" in done.stdout
