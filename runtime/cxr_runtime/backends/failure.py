"""What can go wrong on a device while films are scored, and what may still be done about it.

BackendError                an inference backend is missing, wrong or broken
  OutOfDeviceMemoryError    the batch was too large for the device: a smaller one may fit
  DeviceLostError           the device is gone: only another one can go on
"""

from cxr_runtime.errors import BackendError

# What drivers and libraries say, in lower case.
_MEMORY_SIGNS = ("out of memory", "out_of_memory", "failed to allocate memory", "bad_alloc")
_LOST_SIGNS = (
    "device lost", "device is lost", "cuda failure 700", "cuda failure 719", "cuda failure 999",
    "illegal memory access", "launch failure", "launch failed", "no cuda-capable device", "gpu is lost",
    "fallen off the bus", "uncorrectable ecc",
)  # fmt: skip


class OutOfDeviceMemoryError(BackendError):
    """The batch did not fit into the device's memory."""


class DeviceLostError(BackendError):
    """The device cannot be used any more by this process."""


def failure(text: str) -> BackendError:
    """The error for what a device's library said.

    Args:
        text: the library's message, one line.
    """
    told = text.lower()
    if any(sign in told for sign in _MEMORY_SIGNS):
        return OutOfDeviceMemoryError(f"the device is out of memory: {text}")
    if any(sign in told for sign in _LOST_SIGNS):
        return DeviceLostError(f"the device is lost: {text}")
    return BackendError(f"inference failed: {text}")
