"""Inference backends: one small protocol, one file each, imported on use.

`open_engine` is found on first use, so that the TensorRT modules load where there is nothing but numpy,
tensorrt and pycuda.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cxr_runtime.backends.choose import open_engine

__all__ = ["open_engine"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from cxr_runtime.backends import choose

    return getattr(choose, name)
