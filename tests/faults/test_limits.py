"""Little of what a process may have: files, memory, room for temporary files, disks that may be written."""

from pathlib import Path

import pytest

from fault_scans import FILMS, IN_A_ROOM_OF_ITS_OWN, SOME_FAILED, Night, Scans, can_mount, result, told

mounting = pytest.mark.skipif(not can_mount(), reason="this user may not mount a file system")


def test_thirty_two_open_files_are_enough(night: Night, undisturbed: object, tmp_path: Path) -> None:
    done = night.scan(tmp_path / "out", limit="ulimit -n 32")
    assert done.returncode == SOME_FAILED, done.stderr
    assert result(tmp_path / "out") == undisturbed


def test_too_few_open_files_are_one_line(night: Night, undisturbed: object, tmp_path: Path) -> None:
    done = night.scan(tmp_path / "out", limit="ulimit -n 12")
    assert done.returncode == 1
    assert "Too many open files" in told(done.stderr)
    assert night.scan(tmp_path / "out").returncode == SOME_FAILED
    assert result(tmp_path / "out") == undisturbed


def test_too_little_memory_is_one_line_and_enough_of_it_enough(
    night: Night, undisturbed: object, tmp_path: Path
) -> None:
    done = night.scan(tmp_path / "out", limit="ulimit -v 1000000")
    assert done.returncode == 1
    assert "too little memory" in told(done.stderr)
    done = night.scan(tmp_path / "out", limit="ulimit -v 2000000")
    assert done.returncode == SOME_FAILED, done.stderr
    assert result(tmp_path / "out") == undisturbed


@mounting
def test_a_scan_needs_no_room_for_temporary_files(night: Night, undisturbed: object, tmp_path: Path) -> None:
    tiny = tmp_path / "tiny"
    tiny.mkdir()
    with Scans.start(night, ("env", f"TMPDIR={tiny}", *IN_A_ROOM_OF_ITS_OWN)) as scans:
        scans.shell(f"mount -t tmpfs -o size=4k tmpfs {tiny}")
        status, log = scans.run(night.arguments(tmp_path / "out"))
    assert status == SOME_FAILED, log
    assert result(tmp_path / "out") == undisturbed


@mounting
def test_nothing_but_the_output_folder_need_be_written(
    night: Night, undisturbed: object, tmp_path: Path
) -> None:
    """The films, the model, the cache, the data with the key of seals, and temporary files: all read-only."""
    cache = tmp_path / "cache"
    cache.mkdir()
    variables = [f"{name}={cache}" for name in ("TMPDIR", "CXR_TRIAGE_CACHE", "CXR_TRIAGE_DATA")]
    with Scans.start(night, ("env", *variables, *IN_A_ROOM_OF_ITS_OWN)) as scans:
        for folder in (night.folder / "films", night.folder / "model", cache):
            scans.shell(f"mount --bind {folder} {folder} && mount -o remount,ro,bind {folder}")
        for _ in range(2):  # rows without a lasting seal are made again
            status, log = scans.run(night.arguments(tmp_path / "out"))
            assert status == SOME_FAILED, log
            assert result(tmp_path / "out") == undisturbed


@mounting
def test_a_finished_scan_on_a_read_only_disk_is_monitored_and_not_written(
    night: Night, undisturbed: object, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert night.scan(out).returncode == SOME_FAILED
    with Scans.start(night, IN_A_ROOM_OF_ITS_OWN) as scans:
        scans.shell(f"mount --bind {out} {out} && mount -o remount,ro,bind {out}")
        status, log = scans.run(night.arguments(out))
        assert status == 1
        assert "Read-only file system" in told(log)
        arguments = ["monitor", str(out), "--model", "model", "--baseline", str(out)]
        status, log = scans.run(arguments)
        assert status == 1  # its page would lie there
        assert (
            f"{out} cannot be written (Read-only file system); name a folder for the page with --out"
            in told(log)
        )
        status, log = scans.run([*arguments, "--out", str(tmp_path / "page")])
    assert status == 0, log
    assert (tmp_path / "page" / "monitor.html").is_file()
    assert result(out) == undisturbed
    assert len(result(out)[0]) == FILMS
