"""The memory that a process may use where somebody has limited it: `ulimit -v`, `ulimit -d`, a service."""

import sys

from cxr_runtime.errors import InstallationError

# Address space that a process of a scan needs: measured are 1.1 GiB for the scan, 0.45 GiB for a worker.
LEAST_BYTES = 3 << 29
_OPENCV_NO_MEMORY = -4  # code of cv2.error


def outside_limit() -> int | None:
    """Bytes of memory that a process may have here; None where nobody has set a limit."""
    if sys.platform == "win32":
        return None
    import resource

    kinds = (resource.RLIMIT_AS, resource.RLIMIT_DATA)
    set_ones = [limit for kind in kinds for limit in resource.getrlimit(kind)]
    return min((limit for limit in set_ones if limit != resource.RLIM_INFINITY), default=None)


def about_limit() -> str:
    """A limit in words, to end a sentence about what went wrong under it; "" where there is none."""
    limit = outside_limit()
    if limit is None:
        return ""
    return (
        f"; a process may use {limit >> 20} MiB of memory here, a scan needs {LEAST_BYTES >> 20} or more: "
        "raise the limit (`ulimit -v unlimited`, or the service's own)"
    )


def check_memory() -> None:
    """Refuse to begin what a limit would end in the middle, in ways that no program can catch.

    Raises:
        InstallationError: less may be used than a scan needs.
    """
    limit = outside_limit()
    if limit is not None and limit < LEAST_BYTES:
        raise InstallationError(f"too little memory{about_limit()}")


def lacks_memory(error: BaseException) -> bool:
    """Whether memory ran out, in the words of Python, OpenCV or ONNX Runtime (`std::bad_alloc`)."""
    library = type(error).__module__.partition(".")[0]
    return (
        isinstance(error, MemoryError)
        or (library == "cv2" and getattr(error, "code", None) == _OPENCV_NO_MEMORY)
        or (library == "onnxruntime" and "alloc" in str(error))
    )
