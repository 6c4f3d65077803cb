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


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, for which nothing has been kept; not made yet."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The model's folder of a program with one model, and a user without a calibration."""
    from model_folders import write_model_folder

    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "data"))
    monkeypatch.setattr("cxr_runtime.model.folder.MODELS_FOLDER", tmp_path / "program")
    return write_model_folder(tmp_path / "program" / "default")
