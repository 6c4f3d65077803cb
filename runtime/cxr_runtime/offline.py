"""Libraries that would report to their vendors are imported here alone, and told not to.

ONNX Runtime since 1.29 looks up a vendor's host, and keeps a device id and queued events in the user's cache,
unless ORT_DISABLE_TELEMETRY is set before it starts (its Privacy.md, "Disabling Telemetry"); its Windows
builds for apps listen to `disable_telemetry_events` instead. OpenVINO's converter reports by the package
openvino_telemetry, and uses a stub of its own where that package cannot be imported.
"""

import os
import sys
from importlib import import_module
from typing import Any

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # once for this process and all that it starts


def hide_requests() -> None:
    """Keep pydicom, in a program of our own, from `requests`: importing that tries a socket of IPv6.

    It is there where another library needs it; pydicom would download examples with it.
    """
    sys.modules.setdefault("requests", None)  # type: ignore[arg-type]  # None: cannot be imported


def show_requests() -> None:
    """Let a library that needs `requests` import it after all."""
    if sys.modules.get("requests", sys) is None:
        del sys.modules["requests"]


def load(library: str) -> Any:
    """Import `onnxruntime`, `openvino` or a module within one of them, with its reports switched off.

    Raises:
        ImportError: it is not installed, or does not load.
    """
    root = library.partition(".")[0]
    if root == "openvino":
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None: cannot be imported
        return import_module(library)
    import_module(root).disable_telemetry_events()
    return import_module(library)
