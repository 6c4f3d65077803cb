"""Limits of memory on each system, as far as one Linux can play the others."""

import ctypes
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cxr_runtime.doctor import hardware
from cxr_runtime.doctor.finding import State
from cxr_runtime.workers import memory_limits
from cxr_runtime.workers.memory_limits import Means, limit_own_memory
from cxr_runtime.workers.pool import WorkerPool
from cxr_runtime.workers.tasks import Passed, Pause, Plain
from simulated_systems import play_macos, play_windows

MIB = 1 << 20
FILL = f"{memory_limits.__name__}:fill"


def ends(*tasks: int, megabytes: int) -> list[Any]:
    """How a worker of that limit ends when it takes so many MiB."""
    asked: list[int | Passed[None] | Pause] = [*tasks]
    with WorkerPool[int, int](Plain(FILL), 1, megabytes=megabytes) as pool:
        return [item[1] for item in pool.results(asked) if isinstance(item, tuple)]


@pytest.mark.parametrize(
    ("platform", "held_by"),
    [("linux", Means.ADDRESS_SPACE), ("win32", Means.JOB), ("darwin", Means.WATCH),
     ("freebsd14", Means.ADDRESS_SPACE)],
)  # fmt: skip
def test_each_system_has_its_own_means(
    platform: str, held_by: Means, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert memory_limits.means() is held_by


def test_on_windows_a_worker_puts_itself_into_a_job_that_may_commit_so_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kernel = play_windows(monkeypatch)
    limit_own_memory(700)
    ((job, process),) = kernel.members
    limits = kernel.limits[job]
    assert process == 0xFFFFFFFFFFFFFFFF  # itself
    assert (limits.process_memory, limits.processes, limits.flags) == (700 * MIB, 1, 0x508)
    # The sizes and places that the 64-bit Windows API states.
    assert ctypes.sizeof(limits) == 144
    assert (type(limits).flags.offset, type(limits).process_memory.offset) == (16, 112)


def test_on_windows_children_end_with_their_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = play_windows(monkeypatch)
    for handle in (0x40, 0x44):
        memory_limits.end_with_us(SimpleNamespace(_handle=handle))  # type: ignore[arg-type]  # played
    (job,) = kernel.jobs
    assert kernel.members == [(job, 0x40), (job, 0x44)]
    assert kernel.limits[job].flags == 0x2000


def test_a_windows_that_lets_nobody_into_a_job_keeps_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    play_windows(monkeypatch).may_enter = False
    limit_own_memory(700)


def test_on_windows_workers_have_no_window_and_hear_no_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    from cxr_runtime.workers.starting import start_process

    started: dict[str, Any] = {}
    monkeypatch.setattr(subprocess, "CREATE_NO_WINDOW", 0x08000000, raising=False)
    monkeypatch.setattr(subprocess, "Popen", lambda _command, **how: started.update(how))
    monkeypatch.setattr(sys, "platform", "win32")
    start_process("cxr_runtime.workers.worker_child", [])
    assert started == {"creationflags": 0x08000000}


def test_on_macos_a_worker_that_takes_too_much_is_ended_and_the_others_are_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play_macos(tmp_path, monkeypatch)
    small, large, after = ends(16, 600, 32, megabytes=300)
    assert (small, after) == (16, 32)
    assert isinstance(large, MemoryError)


def test_memory_on_macos_is_read_where_its_headers_say(monkeypatch: pytest.MonkeyPatch) -> None:
    def usage(pid: int, flavor: int, into: Any) -> int:
        if (pid, flavor) != (7, 0):
            return -1
        ctypes.memmove(ctypes.addressof(into._obj) + 72, (5 * MIB).to_bytes(8, sys.byteorder), 8)
        return 0

    monkeypatch.setattr(ctypes, "CDLL", lambda _name: SimpleNamespace(proc_pid_rusage=usage))
    assert memory_limits.footprint(7) == 5 * MIB
    assert memory_limits.footprint(8) is None


def test_the_doctor_says_that_a_limit_holds_only_where_one_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = hardware.check_memory_limit()
    assert held.told == f"a worker that took too much was stopped: {Means.ADDRESS_SPACE}"
    assert held.state is State.OK
    monkeypatch.setattr(hardware, "TRIAL_SHARE", 64)
    play_macos(tmp_path, monkeypatch)
    monkeypatch.setattr(memory_limits, "footprint", lambda _pid: None)
    missing = hardware.check_memory_limit()
    assert missing.state is State.ABSENT
    assert missing.told.startswith("none: a worker that took more than its share was not stopped")
