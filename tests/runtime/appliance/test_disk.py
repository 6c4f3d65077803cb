import json
from pathlib import Path

from cxr_runtime.appliance.disk import LOOK_SECONDS, DiskGuard
from cxr_runtime.journal import Journal, LogFormat

LIMIT = 1000 << 20


class Disk:
    """Free bytes and a clock that the test sets."""

    def __init__(self, folder: Path, journal: Journal | None = None) -> None:
        self.free, self.now, self.asked = 2 * LIMIT, 0.0, 0
        self.guard = DiskGuard(folder, LIMIT, journal or Journal(), self.ask, lambda: self.now)

    def ask(self, _folder: Path) -> int:
        self.asked += 1
        if self.free < 0:
            raise OSError(5, "Input/output error")
        return self.free

    def is_full(self, free: int) -> bool:
        self.free = free
        self.now += LOOK_SECONDS
        return self.guard.is_full()


def test_films_wait_below_the_limit_and_come_again_with_a_tenth_more(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "log", LogFormat.JSON, None)
    disk = Disk(tmp_path, journal)
    found = [disk.is_full(free) for free in (LIMIT, LIMIT - 1, LIMIT, LIMIT * 109 // 100, LIMIT * 11 // 10)]
    assert found == [False, True, True, True, False]
    assert disk.guard.free() == LIMIT * 11 // 10
    journal.close()
    events = [json.loads(line)["event"] for line in (tmp_path / "log").read_text().splitlines()]
    assert events == ["disk-full", "disk-has-room"]


def test_the_system_is_asked_once_a_second_at_most(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    for _ in range(100):
        disk.guard.is_full()
        disk.now += LOOK_SECONDS / 50
    assert disk.asked <= 3


def test_a_disk_that_does_not_answer_counts_as_full(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    assert disk.is_full(-1)
    assert disk.guard.free() == 0
    assert not disk.is_full(2 * LIMIT)
