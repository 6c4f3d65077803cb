"""What a scan or a service imports also loads where the modules of POSIX are missing, as on Windows."""

import subprocess
import sys

import pytest

POSIX_ONLY = ("fcntl", "grp", "pwd", "resource", "termios")
PROGRAM = f"""
import sys
for name in {POSIX_ONLY!r}:
    sys.modules[name] = None  # imported, it raises ModuleNotFoundError
from importlib import import_module
for name in sys.argv[1:]:
    import_module(name)
"""


@pytest.mark.parametrize(
    "modules",
    [
        [
            "cxr_cli.main",
            "cxr_runtime.scanning.scan",
            "cxr_runtime.workers.child",
            "cxr_runtime.doctor.checks",
        ],
        ["cxr_runtime.reports.pdf", "cxr_runtime.reports.worklist", "cxr_runtime.reports.again"],
        ["cxr_runtime.arrivals.service", "cxr_runtime.arrivals.watched", "cxr_runtime.appliance.appliance"],
        ["cxr_runtime.arrivals.receiver", "cxr_runtime.sending.sender"],
    ],
    ids=lambda names: names[0],
)
def test_nothing_of_posix_alone_is_needed(modules: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *modules], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-1500:]
