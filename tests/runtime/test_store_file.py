"""A store is known by its file, and the locks of whoever has it open stay."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cxr_runtime import store_file
from cxr_runtime.access import Access, share
from cxr_runtime.store_file import is_store, note_closed, note_opened

fcntl = pytest.importorskip("fcntl", reason="locks of POSIX; Windows has others")
PATIENCE = 30.0  # seconds for what takes a moment
IS_LOCKED = """
import fcntl, sys
with open(sys.argv[1], "rb+") as file:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit(7)
"""


def test_a_file_that_is_shared_with_a_group_keeps_the_locks_of_its_process(tmp_path: Path) -> None:
    path = tmp_path / "triage.sqlite"
    path.write_bytes(b"x")
    path.chmod(0o600)
    with path.open("rb+") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        share(path, Access(path.stat().st_gid))
        asked = subprocess.run([sys.executable, "-c", IS_LOCKED, path], check=False, timeout=60)
        assert asked.returncode == 7
    assert path.stat().st_mode & 0o777 == 0o640
    given = path.stat()
    share(path, Access(given.st_gid))
    assert path.stat().st_ctime_ns == given.st_ctime_ns
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(OSError, match="link"):
        share(tmp_path / "link", Access(path.stat().st_gid))


def test_a_store_is_opened_only_when_no_look_at_its_file_is_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "triage.sqlite"
    path.write_bytes(bytes(100))
    looking, goes_on, opened = threading.Event(), threading.Event(), threading.Event()

    def header(_path: Path) -> bytes:
        looking.set()
        assert goes_on.wait(PATIENCE)
        assert not opened.is_set()
        return bytes(100)

    def open_it() -> None:
        place = note_opened(path)
        opened.set()
        note_closed(place)

    monkeypatch.setattr(store_file, "_header", header)
    found = list[bool]()
    look = threading.Thread(target=lambda: found.append(is_store(path)))
    look.start()
    assert looking.wait(PATIENCE)
    opening = threading.Thread(target=open_it)
    opening.start()
    opening.join(0.2)  # without the wait it would be done by now
    goes_on.set()
    for thread in (look, opening):
        thread.join(PATIENCE)
    assert (found, opened.is_set()) == ([False], True)
    assert not store_file._read
    assert not store_file._open
