"""A disk that is full is told in one line, and costs nothing that was done."""

from pathlib import Path

import pytest

from fault_scans import IN_A_ROOM_OF_ITS_OWN, SOME_FAILED, Night, Scans, can_mount, result, told

SIZES = 15  # of the disk, up to what an undisturbed scan needs
KIBIBYTE = 1024


@pytest.mark.skipif(not can_mount(), reason="this user may not mount a file system")
def test_a_disk_that_is_full_at_any_size_is_one_line_and_a_larger_one_has_everything(
    night: Night, undisturbed: object, tmp_path: Path
) -> None:
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    whole = sum(path.stat().st_size for path in (night.folder / "undisturbed").rglob("*") if path.is_file())
    with Scans.start(night, IN_A_ROOM_OF_ITS_OWN) as scans:
        scans.shell(f"mount -t tmpfs -o size=4k tmpfs {disk}")
        for step in range(SIZES):
            scans.shell(f"mount -o remount,size={4 + whole * step // SIZES // KIBIBYTE}k {disk}")
            status, log = scans.run(night.arguments(disk / "out"))
            assert status == 1, log
            line = told(log)
            assert any(reason in line for reason in ("No space left", "disk is full")), line
        scans.shell(f"mount -o remount,size=64m {disk}")
        status, log = scans.run(night.arguments(disk / "out"))
        assert status == SOME_FAILED, log
        scans.shell(f"cp -a {disk}/out {kept}")
    assert result(kept) == undisturbed


def test_a_limit_of_file_sizes_is_one_line_and_without_it_everything_is_there(
    night: Night, undisturbed: object, tmp_path: Path
) -> None:
    for blocks in (0, 80, 200):  # of 512 bytes
        done = night.scan(tmp_path / "out", limit=f"ulimit -f {blocks}")
        assert done.returncode == 1, done.stderr
        told(done.stderr)
    assert night.scan(tmp_path / "out").returncode == SOME_FAILED
    assert result(tmp_path / "out") == undisturbed
