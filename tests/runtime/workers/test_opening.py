import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.workers.opened import OpenedFile, can_pass_files
from cxr_runtime.workers.opening import Opener

pytestmark = pytest.mark.skipif(not can_pass_files(), reason="this system passes no files in memory")

SOURCE = """
from dataclasses import dataclass

@dataclass(frozen=True)
class Source:
    program: str

    def chunks(self):
        scope = {}
        exec("def chunks():\\n    import os, time\\n    " + self.program, scope)
        return scope["chunks"]()
"""
PATIENCE = 60  # seconds that a test waits for what comes at once


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Makes files that do what a program says, piece by piece."""
    name = f"source_of_{os.getpid()}_{len(sys.modules)}"
    (tmp_path / f"{name}.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    made: Callable[[str], Any] = importlib.import_module(name).Source
    return made


@pytest.fixture
def opener() -> Iterator[Opener]:
    with Opener(seconds=2.0) as one:
        yield one


def whole(file: OpenedFile) -> bytes:
    return os.pread(file.descriptor, file.size + 1, 0)


def test_a_file_comes_with_the_digest_of_its_bytes(opener: Opener, source: Callable[[str], Any]) -> None:
    file = opener.open(source("yield b'one'; yield b'two'")).result(PATIENCE)
    assert (file.size, file.sha256) == (6, sha256(b"onetwo").hexdigest())
    assert whole(file) == b"onetwo"
    file.close()


def test_nobody_changes_what_was_hashed(opener: Opener, source: Callable[[str], Any]) -> None:
    file = opener.open(source("yield b'one'")).result(PATIENCE)
    for change in (
        lambda: os.write(file.descriptor, b"x"),
        lambda: os.ftruncate(file.descriptor, 0),
        lambda: os.pwrite(file.descriptor, b"x", 0),
    ):
        with pytest.raises(PermissionError):
            change()
    assert whole(file) == b"one"
    file.close()


def test_what_hinders_reading_comes_in_its_own_words(opener: Opener, source: Callable[[str], Any]) -> None:
    program = (
        "from cxr_runtime.errors import UnreadableFilmError as E; raise E('missing', 'It is gone.'); yield"
    )
    with pytest.raises(UnreadableFilmError, match=r"It is gone\.") as caught:
        opener.open(source(program)).result(PATIENCE)
    assert caught.value.code == "missing"


def test_a_file_that_never_comes_is_given_up_and_the_others_come(
    opener: Opener, source: Callable[[str], Any]
) -> None:
    stalled = [opener.open(source("time.sleep(600); yield b''")) for _ in range(6)]
    for asked in stalled:
        with pytest.raises(UnreadableFilmError, match="does not answer") as caught:
            asked.result(PATIENCE)
        assert caught.value.code == "read-stalled"
    file = opener.open(source("yield b'one'")).result(PATIENCE)
    assert whole(file) == b"one"
    file.close()


def test_a_file_that_ends_the_opener_twice_ends_alone(opener: Opener, source: Callable[[str], Any]) -> None:
    fatal = opener.open(source("os._exit(1); yield b''"))
    with pytest.raises(UnreadableFilmError, match="ended, twice"):
        fatal.result(PATIENCE)
    opener.open(source("yield b'one'")).result(PATIENCE).close()


@pytest.mark.parametrize(
    "attack",
    [
        "open({path!r}, 'wb')",
        "os.unlink({path!r})",
        "os.kill(os.getppid(), 0)",
        "os.posix_spawn('/bin/true', ['true'], {{}})",
        "__import__('socket').socket()",
    ],
)
def test_the_opener_reads_and_does_nothing_else(
    attack: str, opener: Opener, source: Callable[[str], Any], tmp_path: Path
) -> None:
    path = tmp_path / "results.csv"
    path.write_bytes(b"file\n")
    with pytest.raises(UnreadableFilmError, match="PermissionError"):
        opener.open(source(f"{attack.format(path=str(path))}; yield b''")).result(PATIENCE)
    opener.open(source(f"yield open({str(path)!r}, 'rb').read()")).result(PATIENCE).close()
    assert path.read_bytes() == b"file\n"


def test_nothing_that_was_asked_for_outlives_the_opener(source: Callable[[str], Any]) -> None:
    with Opener() as opener:
        asked = opener.open(source("time.sleep(600); yield b''"))
    assert asked.cancelled()


def test_the_opener_ends_when_its_parent_is_gone(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, cxr_runtime.workers.opening as o; from cxr_runtime.sources.film_source import *;"
        "opener = o.Opener(); opener.open(FileOnDisk('x', pathlib.Path('/nowhere'))).exception();"
        "print(opener._process.pid, flush=True); os._exit(0)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    pid = int(run.stdout)
    for _ in range(200):
        if not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split()[2]:
            return
        subprocess.run(["sleep", "0.05"], check=True)
    pytest.fail("it still runs")
