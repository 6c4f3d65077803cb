"""The name of this machine's processor, as people know it."""

import os
import platform
import sys
from functools import cache
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
ENOUGH = 4096  # bytes of it: what it says of the first core


@cache
def processor() -> str:
    """Its name, or its kind where the system does not say; no other program is asked for it.

    Python's own `platform.processor` starts `uname` on Linux, which knows no more than the kind.
    """
    if sys.platform != "linux":
        return os.environ.get("PROCESSOR_IDENTIFIER") or platform.processor() or platform.machine()
    try:
        with CPUINFO.open("rb") as file:
            lines = file.read(ENOUGH).decode("utf-8", "replace").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
