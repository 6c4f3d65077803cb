"""Whether TensorRT can be used on this machine, found out without importing any of it."""

from importlib.util import find_spec

from cxr_runtime.backends.nvidia.driver import find_gpus
from cxr_runtime.errors import BackendError

MEMORY_LIBRARIES = ("pycuda", "cuda.bindings")  # serve a GPU's memory; the first one installed is taken


def missing() -> str | None:
    """Why TensorRT cannot be used here, or None."""
    if not is_installed("tensorrt"):
        return "tensorrt is not installed"
    if missing_library() is not None:
        return missing_library()
    return missing_gpu()


def missing_gpu() -> str | None:
    """Why no NVIDIA GPU can be used here, or None."""
    try:
        return None if find_gpus() else "no NVIDIA GPU is visible"
    except BackendError as error:
        return str(error)


def missing_library() -> str | None:
    """Why no library can serve a GPU's memory here; None where one can."""
    if any(is_installed(name) for name in MEMORY_LIBRARIES):
        return None
    return "neither pycuda nor cuda-python is installed"


def is_installed(name: str) -> bool:
    """Whether a package, or a module within one, is there."""
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False
