"""How much memory the workers of a scan may have: what the machine has, less the scan's own, shared out."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cxr_runtime.errors import UsageError

GIB = 1 << 30
OWN_BYTES = GIB  # for the scan itself and the system; measured: 0.3 GiB resident
# Address space of a worker that reads a film of 49 megapixels in 16 bits; measured: 1.0 GiB, 0.8 GiB resident
# (one of 15 megapixels 0.6 and 0.3 GiB).
LEAST_OF_A_WORKER = GIB
MOST_OF_A_WORKER = 4 * GIB  # what no film of a hospital needs, a hostile one shall not have
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
_UNLIMITED = 1 << 60  # cgroup 1 states no limit as a number near 2**63
_CGROUPS, _OWN_CGROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


@dataclass(frozen=True)
class Share:
    """What the workers of a scan get."""

    workers: int
    bytes_each: int  # of address space


def share_out(workers: int, total: int | None) -> Share:
    """Share memory among workers; where it is short there are fewer, down to one that can read a film.

    Args:
        workers: wanted, at least 1.
        total: bytes that the scan may have; None: not known.
    """
    if total is None:
        return Share(workers, MOST_OF_A_WORKER)
    for_films = max(total - OWN_BYTES, 0)
    count = max(1, min(workers, for_films // LEAST_OF_A_WORKER))
    return Share(count, min(max(for_films // count, LEAST_OF_A_WORKER), MOST_OF_A_WORKER))


def usable_memory() -> int | None:
    """Bytes that this process and its workers may use together: the machine's, or less by a control group."""
    known = [size for size in (_installed(), *_control_groups()) if size is not None]
    return min(known, default=None)


def give_back_unused() -> None:
    """Give the system what this process has freed; glibc keeps it, and more of it by the hour."""
    if sys.platform == "linux":
        import ctypes

        with suppress(AttributeError):  # musl's library keeps nothing
            ctypes.CDLL(None).malloc_trim(0)


def parse_size(text: str) -> int:
    """Bytes of a size like `8G`, `512M` or `1.5 GiB`; units are powers of 1024.

    Raises:
        UsageError: it is not a size, or less than a scan needs.
    """
    size = bytes_of(text, "--memory")
    if size < OWN_BYTES + LEAST_OF_A_WORKER:
        least = (OWN_BYTES + LEAST_OF_A_WORKER) // GIB
        raise UsageError(
            f"--memory {text!r} is less than a scan with one worker needs; expected {least}G or more"
        )
    return size


def bytes_of(text: str, option: str) -> int:
    """Bytes of a size like `8G` or `1.5 GiB`; units are powers of 1024.

    Raises:
        UsageError: it is not a size.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{option} {text!r} is not a size; expected one like 8G or 1500M")
    return int(float(found[1]) * _UNITS[found[2].lower()])


def _installed() -> int | None:
    if sys.platform == "win32":
        return _installed_windows()
    with suppress(OSError, ValueError):  # POSIX.1 knows the page's size; Linux and macOS also their number
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def _installed_windows() -> int | None:
    """MEMORYSTATUSEX.ullTotalPhys (Windows API, GlobalMemoryStatusEx)."""
    import ctypes

    class Status(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_uint32),
            ("load", ctypes.c_uint32),
            *((name, ctypes.c_uint64) for name in ("total", "free", "page", "free_page", "all", "free_all")),
            ("extended", ctypes.c_uint64),
        )

    status = Status(length=ctypes.sizeof(Status))
    found = ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))  # type: ignore[attr-defined,unused-ignore]  # Windows only
    return int(status.total) if found else None


def _control_groups() -> Iterator[int]:
    """Limits of the control groups that this process is in, and of those above (Linux, version 1 and 2)."""
    with suppress(OSError, ValueError):
        for line in _OWN_CGROUPS.read_text(encoding="utf-8").splitlines():
            number, controllers, path = line.split(":", 2)
            if number == "0":
                yield from _limits(_CGROUPS, path, "memory.max")
            elif "memory" in controllers.split(","):
                yield from _limits(_CGROUPS / "memory", path, "memory.limit_in_bytes")


def _limits(root: Path, path: str, name: str) -> Iterator[int]:
    group = root / path.lstrip("/")
    for folder in (group, *group.parents):
        if folder.is_relative_to(root):
            with suppress(OSError, ValueError):  # the root has none; `max` is not a number
                limit = int((folder / name).read_text(encoding="ascii"))
                if limit < _UNLIMITED:
                    yield limit
