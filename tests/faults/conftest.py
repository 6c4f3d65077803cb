"""The night that every fault is done to, and what a scan of it comes to without one."""

import sys

import pytest

from fault_scans import SOME_FAILED, Night, Result, draw_night, result

if sys.platform == "win32":
    collect_ignore_glob = ["test_*"]  # signals, mounts and limits are POSIX's


@pytest.fixture(scope="session")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    """Drawn once; nothing changes it."""
    return draw_night(tmp_path_factory.mktemp("night"))


@pytest.fixture(scope="session")
def undisturbed(night: Night) -> Result:
    """What every scan must come to in the end."""
    done = night.scan(night.folder / "undisturbed")
    assert done.returncode == SOME_FAILED, done.stderr
    return result(night.folder / "undisturbed")
