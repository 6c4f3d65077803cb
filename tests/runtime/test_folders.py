"""Where the cache lies."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from cxr_runtime.errors import BackendError
from cxr_runtime.folders import KEY_BYTES, cache_folder, cache_root, data_root, machine_key, own_folder

NO_WINDOWS = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits")
NO_USER = """
import sys
import types
sys.modules["pwd"] = types.SimpleNamespace(getpwuid={}.__getitem__)  # the system does not know the user
"""
ONE_CACHE = """
from cxr_runtime.folders import cache_folder
from cxr_train.data.prepared_films import CACHE
print(cache_folder("engines"))
print(CACHE)
"""


def test_one_variable_names_the_whole_cache(tmp_path: Path) -> None:
    told = _run(ONE_CACHE, CXR_TRIAGE_CACHE=str(tmp_path / "cache"))
    assert told == [str(tmp_path / "cache" / name) for name in ("engines", "films")]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other folders")
def test_the_cache_lies_where_linux_wants_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CXR_TRIAGE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_root() == tmp_path / "cxr-triage"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other folders")
def test_a_user_without_a_home_gets_a_folder_of_his_own_among_temporary_files(tmp_path: Path) -> None:
    told = _run(ONE_CACHE, TMPDIR=str(tmp_path))
    root = tmp_path / f"cxr-triage-{os.getuid()}"
    assert told == [str(root / name) for name in ("engines", "films")]
    assert root.stat().st_mode & 0o777 == 0o700
    assert list(tmp_path.iterdir()) == [root]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such users")
def test_a_user_without_a_home_has_the_fonts_of_everybody() -> None:
    program = (
        "from cxr_runtime.folders import home_folder\n"
        "from cxr_runtime.reports.pdf.other_fonts import font_folders\n"
        "print(home_folder(), len(font_folders()))"
    )
    assert _run(program) == ["None 2"]


@NO_WINDOWS
def test_a_folder_among_temporary_files_that_others_can_write_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("CXR_TRIAGE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(0o777)
    with pytest.raises(BackendError, match="other users can write into the cache"):
        cache_folder("engines")


@NO_WINDOWS
def test_a_folder_of_the_cache_is_for_its_owner_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CXR_TRIAGE_CACHE", str(tmp_path))
    folder = cache_folder("engines")
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o777)
    with pytest.raises(BackendError, match="other users can write into the cache"):
        cache_folder("engines")


@NO_WINDOWS
def test_a_folder_of_data_that_others_can_write_is_not_called_the_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CXR_TRIAGE_DATA", str(tmp_path))
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys").chmod(0o777)
    with pytest.raises(BackendError, match=r"write into the folder of data .*set CXR_TRIAGE_DATA"):
        own_folder(tmp_path, "keys")


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Where the key lies now, and where earlier programs kept it."""
    monkeypatch.setenv("CXR_TRIAGE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("CXR_TRIAGE_CACHE", str(tmp_path / "cache"))
    new, old = tmp_path / "data/keys/seal.key", tmp_path / "cache/keys/seal.key"
    old.parent.mkdir(parents=True, mode=0o700)
    return new, old


def test_who_empties_the_cache_keeps_the_key(folders: tuple[Path, Path], tmp_path: Path) -> None:
    key = machine_key()
    assert key is not None
    shutil.rmtree(tmp_path / "cache")
    assert machine_key() == key
    assert folders[0].read_bytes() == key


def test_a_key_that_lies_in_the_cache_is_moved_once(folders: tuple[Path, Path]) -> None:
    new, old = folders
    old.write_bytes(b"k" * KEY_BYTES)
    assert machine_key() == b"k" * KEY_BYTES
    assert not old.exists()
    old.write_bytes(b"another".ljust(KEY_BYTES))
    assert machine_key() == new.read_bytes() == b"k" * KEY_BYTES


@NO_WINDOWS
def test_a_key_in_a_cache_that_others_can_write_is_not_taken(folders: tuple[Path, Path]) -> None:
    _, old = folders
    old.write_bytes(b"k" * KEY_BYTES)
    old.parent.chmod(0o777)
    assert machine_key() not in (None, b"k" * KEY_BYTES)


def test_half_a_key_in_the_cache_is_not_taken(folders: tuple[Path, Path]) -> None:
    new, old = folders
    old.write_bytes(b"k")
    assert machine_key() == new.read_bytes()
    assert new.stat().st_size == KEY_BYTES


def test_data_do_not_lie_in_the_cache_where_a_system_has_one_folder_for_both(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As on Windows, where both are %LOCALAPPDATA%."""
    for name in ("CXR_TRIAGE_DATA", "CXR_TRIAGE_CACHE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("user_cache_path", "user_data_path"):
        monkeypatch.setattr(f"cxr_runtime.folders.{name}", lambda name, **_: tmp_path / name)
    assert cache_root() == tmp_path / "cxr-triage"
    assert data_root() == tmp_path / "cxr-triage-data"


def test_a_cache_that_cannot_be_made_is_told_with_the_variable_that_moves_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("CXR_TRIAGE_CACHE", str(tmp_path / "file"))
    with pytest.raises(BackendError, match=r"cannot be used .*set CXR_TRIAGE_CACHE"):
        cache_folder("engines")


def _run(program: str, **variables: str) -> list[str]:
    """What a program prints where HOME and the folders of the desktop are not set."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("HOME", "XDG_", "CXR_"))}
    run = subprocess.run(
        [sys.executable, "-c", NO_USER + program],
        env=kept | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.splitlines()
