"""GPU, driver, CUDA, TensorRT; the sandbox; disk space."""

import os
import shutil
import tempfile
from pathlib import Path

from cxr_runtime import memory
from cxr_runtime.backends.nvidia.driver import find_gpus
from cxr_runtime.backends.nvidia.presence import MEMORY_LIBRARIES, is_installed, missing_library
from cxr_runtime.doctor.finding import Finding, State
from cxr_runtime.errors import BackendError, InstallationError
from cxr_runtime.folders import cache_root
from cxr_runtime.machine_memory import share_out, usable_memory
from cxr_runtime.workers.memory_limits import fill, means
from cxr_runtime.workers.pool import WorkerPool
from cxr_runtime.workers.sandbox import protection
from cxr_runtime.workers.tasks import Passed, Pause, Plain

GB = 10**9
LEAST_FREE = GB  # bytes; the heat maps of a thousand films
TRIAL_SHARE = 512  # MiB that a worker may have who tries to take twice as much


def check_processors() -> Finding:
    """Processors that this process may use."""
    return Finding("processors", State.OK, f"{usable_processors()}")


def usable_processors() -> int:
    """How many there are for this process."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check_memory() -> Finding:
    """How much memory a process may use."""
    try:
        memory.check_memory()
    except InstallationError as error:
        return Finding("memory", State.BROKEN, str(error))
    limit, usable = memory.outside_limit(), usable_memory()
    told = "no limit is set for a process" if limit is None else f"a process may use {limit / GB:.1f} GB"
    if usable is not None:
        share = share_out(usable_processors(), usable)
        told += f"; of {usable / GB:.1f} GB, {share.workers} workers get {share.bytes_each / GB:.1f} GB each"
    return Finding("memory", State.OK, told)


def check_gpu() -> Finding:
    """NVIDIA GPUs with their driver and CUDA."""
    try:
        gpus = find_gpus()
    except BackendError as error:
        return Finding("gpu", State.ABSENT, str(error))
    if not gpus:
        return Finding("gpu", State.ABSENT, "the driver works, but no GPU is visible to this process")
    details = tuple(
        (gpu.name, f"{gpu.memory_bytes / GB:.0f} GB, compute capability {gpu.compute_capability}")
        for gpu in gpus
    )
    parts = [f"{name} ({facts})" for name, facts in details]
    return Finding(
        "gpu", State.OK, f"{', '.join(parts)}; driver {gpus[0].driver or '?'}, CUDA {gpus[0].cuda}", details
    )


def check_tensorrt() -> Finding:
    """TensorRT's Python library, and what serves it a GPU's memory."""
    if not is_installed("tensorrt"):
        return Finding("tensorrt", State.ABSENT, "not installed")
    try:
        import tensorrt
    except (ImportError, OSError) as error:
        told = f"installed, but does not load ({' '.join(str(error).split())}); reinstall it"
        return Finding("tensorrt", State.WARNING, told)
    missing = missing_library()
    if missing is not None:
        return Finding("tensorrt", State.WARNING, f"{tensorrt.__version__}, but {missing}: install one")
    serving = next(name for name in MEMORY_LIBRARIES if is_installed(name))
    return Finding("tensorrt", State.OK, f"{tensorrt.__version__}, memory by {serving}")


def check_sandbox() -> Finding:
    """What this system has to confine the processes that read films."""
    found = protection()
    if found.is_whole:
        return Finding("sandbox", State.OK, f"films are read in processes confined by {found}")
    told = (
        f"{found}, of Landlock and seccomp (Linux 5.13, x86-64 or aarch64): a film that takes over the "
        "program that reads it has this user's rights; scan films of known origin, or on such a Linux"
    )
    return Finding("sandbox", State.ABSENT, told)


def check_memory_limit() -> Finding:
    """Whether a worker that takes more than its share is stopped: one tries."""
    with WorkerPool[int, int](Plain(f"{fill.__module__}:{fill.__name__}"), 1, megabytes=TRIAL_SHARE) as pool:
        asked: list[int | Passed[None] | Pause] = [2 * TRIAL_SHARE]
        (end,) = (item[1] for item in pool.results(asked) if isinstance(item, tuple))
    if isinstance(end, MemoryError):
        return Finding("memory limit", State.OK, f"a worker that took too much was stopped: {means()}")
    told = (
        "none: a worker that took more than its share was not stopped, so that a hostile film can fill the "
        "memory of this machine; the limit of time holds. Scan films of known origin"
    )
    return Finding("memory limit", State.ABSENT, told)


def check_disk() -> Finding:
    """Free space here, where reports go, and where temporary files and the cache go."""
    places = {"here": Path.cwd(), "temporary": Path(tempfile.gettempdir()), "cache": _existing(cache_root())}
    free = {name: shutil.disk_usage(place).free for name, place in places.items()}
    told = ", ".join(f"{name} {size / GB:.1f} GB" for name, size in free.items())
    details = tuple((name, f"{size}") for name, size in free.items())
    if min(free.values()) < LEAST_FREE:
        return Finding("disk", State.WARNING, f"{told} free; a night's films may not fit: make room", details)
    return Finding("disk", State.OK, f"{told} free", details)


def _existing(path: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(folder for folder in (path, *path.absolute().parents) if folder.exists())
