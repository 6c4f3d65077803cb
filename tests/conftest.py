"""The tests have data and a cache of their own, so that suites that run side by side do not share a key."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from cxr_runtime.folders import CACHE_VARIABLE, DATA_VARIABLE


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main() -> Iterator[None]:
    """Set the folders before workers are started: they inherit them."""
    with TemporaryDirectory(prefix="cxr-triage-tests-") as folder, pytest.MonkeyPatch.context() as patch:
        if "PYTEST_XDIST_WORKER" not in os.environ:
            patch.setenv(DATA_VARIABLE, str(Path(folder) / "data"))
            patch.setenv(CACHE_VARIABLE, str(Path(folder) / "cache"))
        return (yield)
