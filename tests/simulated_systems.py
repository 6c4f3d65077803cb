"""Windows and macOS as far as a Linux can play them: their names, and stand-ins for what they have."""

import ctypes
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cxr_runtime.workers import memory_limits

PAGE = os.sysconf("SC_PAGE_SIZE")


class Kernel32:
    """The calls of Windows' kernel32.dll that make jobs; each is noted."""

    def __init__(self) -> None:
        self.jobs: list[int] = []
        self.limits: dict[int, Any] = {}  # a job's JOBOBJECT_EXTENDED_LIMIT_INFORMATION
        self.members: list[tuple[int, int]] = []  # job, process
        self.may_enter = True

        def create(_security: None, _name: None) -> int:
            self.jobs.append(0x100 + len(self.jobs))
            return self.jobs[-1]

        def limit(job: ctypes.c_void_p, kind: int, facts: Any, size: int) -> int:
            assert (kind, size) == (9, ctypes.sizeof(facts._obj))
            self.limits[job.value or 0] = facts._obj
            return 1

        def assign(job: ctypes.c_void_p, process: ctypes.c_void_p) -> int:
            self.members.append((job.value or 0, process.value or 0))
            return int(self.may_enter)

        # Functions, as they bear `restype`.
        self.CreateJobObjectW, self.SetInformationJobObject = create, limit
        self.AssignProcessToJobObject = assign
        self.GetCurrentProcess = lambda: 0xFFFFFFFFFFFFFFFF


def play_windows(patch: pytest.MonkeyPatch) -> Kernel32:
    """The platform is called win32, and kernel32 makes jobs."""
    kernel = Kernel32()
    patch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel), raising=False)
    patch.setattr(memory_limits, "_children", None)
    patch.setattr(sys, "platform", "win32")
    return kernel


REFUSING = """
import resource
def refuse(kind, limits):
    raise OSError(22, "Invalid argument")
resource.setrlimit = refuse
"""


def play_macos(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """The platform is called darwin, a process's memory is asked of Linux, and workers get no limit of it.

    Args:
        folder: an empty one, from which workers take what refuses limits.
        patch: undoes it.
    """
    (folder / "sitecustomize.py").write_text(REFUSING, encoding="utf-8")
    patch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
    patch.setattr(memory_limits, "footprint", resident)
    patch.setattr(sys, "platform", "darwin")


def resident(pid: int) -> int | None:
    """Bytes of memory that a process has, as Linux says it."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * PAGE
    except (OSError, IndexError):
        return None
