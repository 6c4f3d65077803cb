"""What a film that has taken over its worker tries, and does not get."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from cxr_runtime.errors import InstallationError
from cxr_runtime.workers import sandbox
from cxr_runtime.workers.pool import WorkerPool
from cxr_runtime.workers.sandbox import Protection, protection
from cxr_runtime.workers.tasks import Passed, Pause, Plain

FOUND = protection()
pytestmark = pytest.mark.skipif(not FOUND.seccomp, reason="this kernel, or this system, has no seccomp")

WITHOUT_LANDLOCK = "from cxr_runtime.workers.sandbox import landlock; landlock.version = lambda: 0"
SHIELDS = [
    pytest.param("seccomp", id="seccomp-alone"),
    pytest.param(
        "both",
        id="landlock-too",
        marks=pytest.mark.skipif(not FOUND.landlock, reason="this kernel has no Landlock"),
    ),
]

CHANGES = {
    "write a file": "open(f'{here}/new', 'w')",
    "write into a new file by its descriptor": "os.open(f'{here}/new', os.O_RDWR | os.O_CREAT)",
    "append to results": "open(f'{here}/results.csv', 'a')",
    "empty results": "os.open(f'{here}/results.csv', os.O_RDONLY | os.O_TRUNC)",
    "shorten results": "os.truncate(f'{here}/results.csv', 0)",
    "remove results": "os.unlink(f'{here}/results.csv')",
    "rename results": "os.rename(f'{here}/results.csv', f'{here}/other')",
    "link to results": "os.link(f'{here}/results.csv', f'{here}/other')",
    "make a symbolic link": "os.symlink('/', f'{here}/other')",
    "make a folder": "os.mkdir(f'{here}/other')",
    "make a pipe": "os.mkfifo(f'{here}/other')",
    "open results to everybody": "os.chmod(f'{here}/results.csv', 0o777)",
    "set back a time": "os.utime(f'{here}/results.csv', (0, 0))",
    "set an attribute": "os.setxattr(f'{here}/results.csv', 'user.x', b'1')",
    "make a file in memory": "os.memfd_create('x')",
}
ESCAPES = {
    "speak over IPv4": "socket.socket(socket.AF_INET)",
    "speak over IPv6": "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)",
    "speak to a service of this machine": "socket.socket(socket.AF_UNIX)",
    "speak to the kernel": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "make a pair of sockets": "socket.socketpair()",
    "become another program": "os.execv('/bin/true', ['true'])",
    "start another program": "os.posix_spawn('/bin/true', ['true'], {})",
    "fork": "os.fork() or os._exit(0)",
    "kill its parent": "os.kill(os.getppid(), signal.SIGKILL)",
    "stop its parent": "os.kill(os.getppid(), signal.SIGSTOP)",
    "look whether another process is there": "os.kill(1, 0)",
    "signal its group": "os.killpg(0, signal.SIGTERM)",
    "kill another worker": "os.kill(other, signal.SIGKILL)",
    "raise a limit": "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))",
    "dump a core": "resource.setrlimit(resource.RLIMIT_CORE, (1, 1))",
    "change its limits of another process": "resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))",
    "slow down its parent": "os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)",
    "move its parent": "os.sched_setaffinity(os.getppid(), {0})",
    "leave its group": "os.setsid()",
    "let others read its memory": "control(4, 1)",  # PR_SET_DUMPABLE
    "let others trace it": "control(0x59616D61, -1)",  # PR_SET_PTRACER, to anybody
    "bring code into memory": "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)",
    "make memory code": "make_code()",
    "have signals sent to its parent": "fcntl.fcntl(0, fcntl.F_SETOWN, os.getppid())",
    "type into the terminal": "fcntl.ioctl(0, 0x5412, b'x')",  # TIOCSTI
}
READS = {
    "read another film": "open(f'{here}/other-film.png', 'rb').read()",
    "list the films": "os.listdir(here)",
    "read who is on this machine": "open('/etc/passwd').read()",
    "read what its parent was started with": "open(f'/proc/{os.getppid()}/environ', 'rb').read()",
    "read its parent's memory": "open(f'/proc/{os.getppid()}/mem', 'rb').read(1)",
    "list processes": "os.listdir('/proc')",
    "list temporary files": "os.listdir('/tmp')",
}
# Numbers on x86-64; those from 424 on are the same everywhere.
CALLS = {
    "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "mount": 165, "umount2": 166,
    "pivot_root": 155, "chroot": 161, "unshare": 272, "setns": 308, "bpf": 321, "userfaultfd": 323,
    "keyctl": 250, "add_key": 248, "perf_event_open": 298, "init_module": 175, "kexec_load": 246,
    "open_by_handle_at": 304, "execveat": 322, "vfork": 58, "tkill": 200, "rt_sigqueueinfo": 129,
    "rt_tgsigqueueinfo": 297, "ftruncate": 77, "fallocate": 285, "fchmod": 91, "fchown": 93, "sendto": 44,
    "sendmsg": 46, "connect": 42, "bind": 49, "accept": 43, "shmget": 29, "msgget": 68, "personality": 135,
    "setuid": 105, "capset": 126, "seccomp": 317, "ioperm": 173, "reboot": 169, "splice": 275,
    "pidfd_send_signal": 424, "io_uring_setup": 425, "io_uring_enter": 426, "open_tree": 428,
    "move_mount": 429, "fsopen": 430, "pidfd_open": 434, "clone3": 435, "openat2": 437, "pidfd_getfd": 438,
    "process_madvise": 440, "memfd_secret": 447, "fchmodat2": 452,
}  # fmt: skip

TRY = """
import ctypes, fcntl, mmap, os, resource, signal, socket
here, other = {here!r}, {other}
system = ctypes.CDLL(None, use_errno=True)

def checked(result):
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

def control(option, value):
    checked(system.prctl(option, value, 0, 0, 0))

def make_code():
    page = mmap.mmap(-1, 4096)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    checked(system.mprotect(ctypes.c_void_p(address), 4096, 4))

globals().update(locals())  # for the functions
try:
    {attack}
except OSError as error:
    raise RuntimeError('refused ' + str(error.errno))
except ValueError as error:  # what setrlimit makes of EPERM
    raise RuntimeError('refused 1' if 'not allowed' in str(error) else 'no')
"""
REFUSALS = {f"RuntimeError: refused {number}" for number in (1, 13, 38)}  # EPERM, EACCES, ENOSYS


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "results.csv").write_text("file\n")
    (tmp_path / "other-film.png").write_bytes(b"of another patient")
    return tmp_path


def attacked(
    attacks: dict[str, str], shield: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """What became of each attack."""
    if shield == "seccomp":
        folder = here / "start"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(WITHOUT_LANDLOCK)
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        programs = {
            TRY.format(attack=attack, here=str(here), other=other.pid): name
            for name, attack in attacks.items()
        }
        with WorkerPool[str, object](Plain("builtins:exec"), 1) as pool:
            tasks: list[str | Passed[None] | Pause] = [*programs]
            done = [item for item in pool.results(tasks) if isinstance(item, tuple)]
            ends = {programs[program]: str(end) for program, end in done}
            assert pool.sandbox == ("seccomp" if shield == "seccomp" else str(FOUND))
        assert other.poll() is None
    finally:
        other.kill()
        other.communicate()
    return ends


def state(folder: Path) -> dict[str, tuple[bytes, int, float]]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {
        str(path): (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime)
        for path in files
        if "start" not in path.parts
    }


@pytest.mark.parametrize("shield", SHIELDS)
def test_a_worker_changes_no_file_and_leaves_its_process_by_no_way(
    shield: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(here)
    ends = attacked(CHANGES | ESCAPES, shield, here, monkeypatch)
    assert {name: end for name, end in ends.items() if end not in REFUSALS} == {}
    assert state(here) == before


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers of the calls are x86-64's")
@pytest.mark.parametrize("shield", SHIELDS)
def test_dangerous_calls_fail_whatever_their_arguments(
    shield: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attacks = {name: f"checked(system.syscall({number}, 0, 0, 0, 0, 0))" for name, number in CALLS.items()}
    ends = attacked(attacks, shield, here, monkeypatch)
    assert {name: end for name, end in ends.items() if end not in REFUSALS} == {}


@pytest.mark.skipif(not FOUND.landlock, reason="this kernel has no Landlock")
def test_a_worker_reads_the_program_and_nothing_else(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = attacked(READS, "both", here, monkeypatch)
    assert {name: end for name, end in ends.items() if end not in REFUSALS} == {}
    allowed = {"read a library": "open(os.__file__).read()", "ask for the processors": "os.cpu_count()"}
    ends = attacked(allowed, "both", here, monkeypatch)
    assert set(ends.values()) == {"None"}


@pytest.mark.parametrize("shield", SHIELDS)
def test_what_libraries_need_is_left(shield: str, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = {
        "a thread": "import threading; threads = [threading.Thread(target=int)]; threads[0].start()",
        "a library that is loaded late": "import _decimal",
        "memory": "bytearray(1 << 26)",
        "the time": "import time; time.time(), time.sleep(0.001)",
        "chance": "os.urandom(8)",
        "a number of its own": "os.kill(os.getpid(), 0)",
    }
    ends = attacked(needed, shield, here, monkeypatch)
    assert {name: end for name, end in ends.items() if end != "None"} == {}


@pytest.mark.parametrize("found", [Protection(), Protection(seccomp=True), Protection(landlock=1)], ids=str)
def test_a_sandbox_that_is_required_is_whole_or_nothing_is_scanned(
    found: Protection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "protection", lambda: found)
    with pytest.raises(InstallationError, match="without --require-sandbox"):
        sandbox.require_sandbox()
    monkeypatch.setattr(sandbox, "protection", lambda: Protection(1, seccomp=True))
    sandbox.require_sandbox()


def test_a_worker_that_crashes_leaves_no_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    monkeypatch.chdir(tmp_path)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    try:
        with WorkerPool[str, object](Plain("builtins:exec"), 1) as pool:
            tasks: list[str | Passed[None] | Pause] = ["import ctypes; ctypes.string_at(0)"]
            list(pool.results(tasks))
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
    assert list(tmp_path.iterdir()) == []
