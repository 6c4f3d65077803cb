"""What keeps a worker within its memory, by what each system has.

Linux and its kin limit the address space of the worker (setrlimit, POSIX.1). Windows limits what a job, and
so the worker in it, may commit. macOS takes such limits and does not keep them, or refuses them: there the
parent looks at the worker's memory and ends it.
"""

import ctypes
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from cxr_runtime.memory import outside_limit

if TYPE_CHECKING:
    import subprocess

LOOKED_EVERY = 0.05  # seconds between looks at a worker's memory; a decoder writes some 100 MB meanwhile
PIECE = 1 << 24  # bytes; `fill` takes so much at a time


class Means(StrEnum):
    """What holds the limit, as the doctor says it."""

    ADDRESS_SPACE = "the system limits its address space"
    JOB = "the system limits what its job may commit"
    WATCH = f"it is looked at every {LOOKED_EVERY:g} s, and ended"


def means() -> Means:
    """What this system has."""
    return {"win32": Means.JOB, "darwin": Means.WATCH}.get(sys.platform, Means.ADDRESS_SPACE)


def limit_own_memory(megabytes: int) -> None:
    """Make an allocation of this process beyond the limit fail, where the system can; called by the worker.

    A lower limit that was set from outside stays. A system that refuses makes no film suffer: the limit of
    time holds, and the doctor says what does not.
    """
    match means():
        case Means.JOB:
            with suppress(OSError):
                _limit_job(megabytes << 20)
        case Means.ADDRESS_SPACE:
            _limit_address_space(megabytes << 20)


def _limit_address_space(wanted: int) -> None:
    import resource

    outside = outside_limit()
    limit = wanted if outside is None else min(wanted, outside)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


class _JobLimits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION with what it holds laid flat (Windows API, winnt.h)."""

    _fields_ = (
        ("process_time", ctypes.c_int64),
        ("job_time", ctypes.c_int64),
        ("flags", ctypes.c_uint32),
        ("least_working_set", ctypes.c_size_t),
        ("most_working_set", ctypes.c_size_t),
        ("processes", ctypes.c_uint32),
        ("affinity", ctypes.c_size_t),
        ("priority", ctypes.c_uint32),
        ("scheduling", ctypes.c_uint32),
        ("counters", ctypes.c_uint64 * 6),
        ("process_memory", ctypes.c_size_t),
        ("job_memory", ctypes.c_size_t),
        ("most_process_memory", ctypes.c_size_t),
        ("most_job_memory", ctypes.c_size_t),
    )


_EXTENDED_LIMITS = 9  # JobObjectExtendedLimitInformation
_ONE_PROCESS, _MEMORY, _DIE_SILENTLY, _END_WITH_HANDLE = 0x8, 0x100, 0x400, 0x2000  # JOB_OBJECT_LIMIT_...


def _limit_job(wanted: int) -> None:
    """Put this process into a job that may commit so much, start no program, and die without a dialogue."""
    kernel = _kernel32()
    flags = _ONE_PROCESS | _MEMORY | _DIE_SILENTLY
    job = _new_job(kernel, _JobLimits(flags=flags, processes=1, process_memory=wanted))
    if not kernel.AssignProcessToJobObject(job, ctypes.c_void_p(kernel.GetCurrentProcess())):
        raise OSError("the process may not enter a job")


def end_with_us(process: "subprocess.Popen[bytes]") -> None:
    """Have a child end when this process does, however it ends; called by the parent, on Windows.

    Elsewhere the child sees to it (`sandbox.end_with_parent`), or ends with its pipe.
    """
    global _children  # noqa: PLW0603 - the job lives as long as this process
    if sys.platform != "win32":
        return
    kernel = _kernel32()
    with suppress(OSError):
        _children = _children or _new_job(kernel, _JobLimits(flags=_END_WITH_HANDLE))
        kernel.AssignProcessToJobObject(_children, ctypes.c_void_p(process._handle))


_children: ctypes.c_void_p | None = None  # the job of all children


def _kernel32() -> Any:  # Any: a library of the system
    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined,unused-ignore]  # Windows only
    for name in ("CreateJobObjectW", "GetCurrentProcess"):
        getattr(kernel, name).restype = ctypes.c_void_p
    return kernel


def _new_job(kernel: Any, limits: _JobLimits) -> ctypes.c_void_p:
    job = ctypes.c_void_p(kernel.CreateJobObjectW(None, None))
    size = ctypes.sizeof(limits)
    if not job or not kernel.SetInformationJobObject(job, _EXTENDED_LIMITS, ctypes.byref(limits), size):
        raise OSError("the system makes no job")
    return job


class Watch:
    """Looks at a worker's memory, and ends it beyond the limit; `is_over` then says so.

    Args:
        process: the worker.
        limit: bytes.
        memory_of: bytes that a process has by its number; None once it is gone.
    """

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        limit: int,
        memory_of: Callable[[int], int | None] | None = None,
    ) -> None:
        self.is_over = False
        self._process, self._limit = process, limit
        self._memory_of = memory_of or footprint
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while self._process.poll() is None:
            has = self._memory_of(self._process.pid)
            if has is not None and has > self._limit:
                self.is_over = True
                self._process.kill()
                return
            time.sleep(LOOKED_EVERY)


def watched(process: "subprocess.Popen[bytes]", megabytes: int) -> Watch | None:
    """A watch over a worker where the system keeps no limit itself; None elsewhere."""
    return Watch(process, megabytes << 20) if means() is Means.WATCH else None


# struct rusage_info_v0 and its ri_phys_footprint (macOS, sys/resource.h)
_USAGE_BYTES, _FOOTPRINT = 96, slice(72, 80)


def footprint(pid: int) -> int | None:
    """Bytes of memory that a process has on macOS, the compressed ones included; None where it has gone."""
    usage = ctypes.create_string_buffer(_USAGE_BYTES)
    refused = ctypes.CDLL("/usr/lib/libSystem.B.dylib").proc_pid_rusage(pid, 0, ctypes.byref(usage))
    return None if refused else int.from_bytes(usage.raw[_FOOTPRINT], sys.byteorder)


def fill(megabytes: int) -> int:
    """Take so much memory and hold it for a moment, to see whether a limit holds.

    Returns:
        The megabytes that were taken.

    Raises:
        MemoryError: a limit holds.
    """
    held = [bytearray(b"\1") * PIECE for _ in range((megabytes << 20) // PIECE)]
    time.sleep(4 * LOOKED_EVERY)
    return len(held) * PIECE >> 20
