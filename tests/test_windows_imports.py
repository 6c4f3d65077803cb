"""All modules of the program also load where those of POSIX are missing, as on Windows."""

import json
import subprocess
import sys

POSIX_ONLY = ("fcntl", "grp", "pwd", "resource", "termios")
PACKAGES = ("cxr_runtime", "cxr_calibration", "cxr_cli")
LEAST = 300  # modules
ELSEWHERE = [
    "cxr_runtime.workers.opener_child"
]  # it is started where files can be handed over, so not on Windows
PROGRAM = f"""
import json, sys
from importlib import import_module
from pkgutil import walk_packages
for name in {POSIX_ONLY!r}:
    sys.modules[name] = None  # imported, it raises ModuleNotFoundError
loaded, missing = 0, []
for package in map(import_module, {PACKAGES!r}):
    for module in walk_packages(package.__path__, package.__name__ + "."):
        try:
            import_module(module.name)
            loaded += 1
        except ModuleNotFoundError as error:  # another one is a library that need not be installed
            missing += [module.name] * (error.name in {POSIX_ONLY!r})
print(json.dumps([loaded, missing]))
"""


def test_no_module_needs_what_posix_alone_has() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr[-1500:]
    loaded, missing = json.loads(done.stdout)
    assert loaded > LEAST
    assert missing == ELSEWHERE


def test_what_is_missing_on_windows_is_not_started_there() -> None:
    program = "import sys; sys.platform = 'win32'\nfrom cxr_runtime.workers.opened import can_pass_files\n"
    done = subprocess.run(
        [sys.executable, "-c", program + "print(can_pass_files())"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout == "False\n", done.stderr
