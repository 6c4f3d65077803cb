"""The sandbox of worker processes: what the kernel lets a process do that a film may have taken over.

Linux only, by Landlock (5.13, for files) and seccomp (for system calls). `close_files` comes first, so that
threads of libraries are confined, too; `close_calls` once everything is loaded.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cxr_runtime.errors import InstallationError

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38  # linux/prctl.h

# What programs read beside their own folders; none of it says anything of a patient.
SYSTEM_FILES = (
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo", "/etc/ld.so.cache",
    "/etc/localtime", "/etc/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf", "/proc/cpuinfo", "/proc/meminfo",
    "/sys/devices/system/cpu", "/dev/null", "/dev/urandom",
)  # fmt: skip


@dataclass(frozen=True)
class Protection:
    """What this system has of a sandbox."""

    landlock: int = 0  # version of its interface; 0: none
    seccomp: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether both are there; one alone leaves other films readable, or the network open."""
        return self.landlock > 0 and self.seccomp

    def __str__(self) -> str:
        parts = [f"landlock {self.landlock}"] * (self.landlock > 0) + ["seccomp"] * self.seccomp
        return ", ".join(parts) or "none"


@cache
def protection() -> Protection:
    """Ask this system, changing nothing."""
    if sys.platform != "linux":
        return Protection()
    from cxr_runtime.workers.sandbox import landlock, seccomp

    return Protection(landlock.version(), seccomp.is_there())


def require_sandbox() -> None:
    """Refuse a system that cannot confine a process whole.

    Raises:
        InstallationError: Landlock or seccomp is missing.
    """
    if not protection().is_whole:
        raise InstallationError(
            f"the sandbox for films is not to be had here (found: {protection()}; expected Landlock and "
            "seccomp, Linux 5.13 or later on x86-64 or aarch64); scan without --require-sandbox, or on such "
            "a machine"
        )


def program_files() -> tuple[Path, ...]:
    """Files and folders that hold the program and what it runs on."""
    own = (sys.prefix, sys.base_prefix, sys.exec_prefix, *sys.path)
    libraries = os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    named = {Path(name) for name in (*own, *libraries, *SYSTEM_FILES)}
    return tuple(path for path in named if path.is_absolute())


def end_with_parent() -> None:
    """Have Linux end this process, whatever it does, as soon as the thread that started it is gone."""
    if sys.platform == "linux":
        _control(PR_SET_PDEATHSIG, signal.SIGKILL)


def close_files(readable: Iterable[Path]) -> None:
    """From now on this process writes no file and dumps no core, and reads nothing but what is listed.

    Args:
        readable: files and folders; those that do not exist are left out.

    Raises:
        OSError: the system refuses what it said it has.
    """
    found = protection()
    if found.landlock or found.seccomp:
        _control(PR_SET_NO_NEW_PRIVS, 1)
    if found.landlock:
        from cxr_runtime.workers.sandbox import landlock

        landlock.restrict(readable, found.landlock)


def close_calls(more: Iterable[str] = (), *, file_bytes: int = 0) -> None:
    """From now on all threads of this process have only the system calls of `seccomp.ALLOWED`.

    Args:
        more: calls that are allowed, too.
        file_bytes: the longest file that may be written; of files in memory, as no others can be opened.

    Raises:
        OSError: as of `close_files`.
    """
    if sys.platform == "win32":
        return
    import resource

    with suppress(ValueError, OSError):  # where they cannot be set; macOS knows limits and refuses some
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    if sys.platform == "linux":
        _control(PR_SET_DUMPABLE, 0)  # a core that goes to a program knows no limit
        if protection().seccomp:
            from cxr_runtime.workers.sandbox import seccomp

            seccomp.restrict(more)


def _control(option: int, value: int) -> None:
    check(ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0))


def check(result: int) -> int:
    """What a call of the system gave.

    Raises:
        OSError: it failed.
    """
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
