import importlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from cxr_runtime.errors import UnreadableFilmError
from cxr_runtime.workers import opener as opener_module
from cxr_runtime.workers.opened import OPENED_AT_ONCE, OpenedFile, can_pass_files
from cxr_runtime.workers.opener import Opener

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
    with Opener(seconds=4.0) as one:
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


def test_a_file_that_trickles_is_given_up_and_the_others_come(
    opener: Opener, source: Callable[[str], Any]
) -> None:
    trickling = [
        opener.open(source("\n    while True: time.sleep(0.2); yield b'.'"))
        for _ in range(OPENED_AT_ONCE - 1)
    ]
    others = [opener.open(source("yield b'one'")) for _ in range(3)]
    for asked in trickling:
        with pytest.raises(UnreadableFilmError, match="too slow") as caught:
            asked.result(PATIENCE)
        assert caught.value.code == "read-stalled"
    for asked in others:
        asked.result(PATIENCE).close()


def test_a_long_file_that_comes_steadily_comes_whole(opener: Opener, source: Callable[[str], Any]) -> None:
    program = "\n    for _ in range(24): time.sleep(0.25); yield bytes(1 << 20)"
    file = opener.open(source(program)).result(PATIENCE)  # longer than a short file may take
    assert file.size == 24 << 20
    file.close()


def test_a_file_that_stalls_is_given_up_while_others_are_heard_of(
    opener: Opener, source: Callable[[str], Any]
) -> None:
    stalled = opener.open(source("time.sleep(600); yield b''"))
    opener.open(source("\n    while True: time.sleep(0.2); yield bytes(1 << 16)"))
    with pytest.raises(UnreadableFilmError, match="nothing was heard of it"):
        stalled.result(PATIENCE)


def test_after_a_stall_the_next_files_are_given_up_sooner(
    source: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opener_module, "SOONEST", 0.5)
    with Opener(seconds=8.0) as opener:
        for seconds in ("8", "0.8", "0.8"):
            with pytest.raises(UnreadableFilmError, match=f"for {seconds} s"):
                opener.open(source("time.sleep(600); yield b''")).result(PATIENCE)


def test_what_is_short_is_read_by_way_of_the_opener(opener: Opener, source: Callable[[str], Any]) -> None:
    assert b"".join(opener.chunks(source("yield b'one'; yield b''; yield b'two'"))) == b"onetwo"
    with pytest.raises(UnreadableFilmError, match="does not answer"):
        list(opener.chunks(source("time.sleep(600); yield b''")))


LYING = """
    import atexit, gc, json, os, socket
    line = next(one for one in gc.get_objects() if type(one) is socket.socket)
    def say(answer, *descriptors):
        socket.send_fds(line, [json.dumps(answer).encode()], descriptors)
    {lie}
    time.sleep(600)
    yield b''
"""


@pytest.mark.parametrize(
    "lie",
    [
        "say({'number': 0, 'sha256': 64 * 'a', 'size': 0}, line.fileno())",  # to read it would never end
        "say({'number': 0, 'sha256': 64 * 'a', 'size': 5}, os.open('/proc/self/mounts', os.O_RDONLY))",
        "say({'number': 0, 'sha256': 64 * 'a', 'size': 5}, os.memfd_create('unsealed'))",
        "say({'number': 0, 'size': 5}, os.memfd_create('more and more of these'))",
        "say({'number': -1, 'size': 0})",  # would grant time again and again
        "say({'number': 7, 'size': 0})",
        "say({'number': 0, 'code': 'missing', 'sentence': 'two\\nlines'})",
        "say(['number'])",
        "say(None)",
    ],
)
def test_an_opener_that_lies_is_replaced(lie: str, source: Callable[[str], Any]) -> None:
    with Opener() as opener:
        with pytest.raises(UnreadableFilmError, match="ended, twice"):
            opener.open(source(LYING.format(lie=lie))).result(PATIENCE)
        opener.open(source("yield b'one'")).result(PATIENCE).close()


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


# A parent with an opener and a worker that both hang; it says which processes they are, and waits.
HANGING = """
import sys, time
from cxr_runtime.workers.opener import Opener
from cxr_runtime.workers.pool import WorkerPool
from cxr_runtime.workers.tasks import Plain
from {module} import Source

opener = Opener()
opener.open(Source("yield b'one'")).result().close()
opener.open(Source("time.sleep(600); yield b''"))
pool = WorkerPool(Plain("time:sleep"), 1)
tasks = pool.results(iter([0.0, 600.0]))
next(tasks)
print(opener._process.pid, pool._workers[0].process.pid, flush=True)
next(tasks)
"""


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_no_process_outlives_a_parent_that_is_killed(source: Callable[[str], Any]) -> None:
    program = HANGING.format(module=source("").__class__.__module__)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        try:
            children = [int(number) for number in parent.stdout.readline().split()]
            assert len(children) == 2
            assert all(map(is_running, children))
        finally:
            parent.kill()
    for _ in range(600):
        if not any(map(is_running, children)):
            return
        time.sleep(0.05)
    pytest.fail(f"they still run: {children}")
