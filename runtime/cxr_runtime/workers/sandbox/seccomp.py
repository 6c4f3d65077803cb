"""seccomp: which system calls a process has (Linux 3.17, linux/seccomp.h and linux/filter.h).

A list of what is allowed: what next year's kernel brings is closed, too. What is not on it fails with EPERM;
what came with Linux 5.1 and later with ENOSYS, as on an older kernel, so that libraries fall back.
"""

import ctypes
import errno
import os
import struct
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import NamedTuple

from cxr_runtime.workers.sandbox.syscalls import FIRST_OF_LATE, Processor, number, processor

SET_MODE_FILTER, GET_ACTION_AVAIL = 1, 2
FLAG_TSYNC = 1  # for all threads
ALLOW, KILL_PROCESS, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # operations of a filter
NUMBER_AT, PROCESSOR_AT, ARGUMENTS_AT = 0, 4, 16  # offsets in struct seccomp_data
X32 = 0x40000000  # bit of the calls of a second interface of x86-64, which nothing here uses

# open flags that change a file or make one: O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_TMPFILE
WRITING = 0x1 | 0x2 | 0x40 | 0x200 | 0x400000
EXECUTABLE, WRITABLE = 0x4, 0x2  # PROT_EXEC, PROT_WRITE
ANONYMOUS = 0x20  # MAP_ANONYMOUS
THREAD = 0x10000  # CLONE_THREAD

ALLOWED = (  # whatever their arguments
    "read", "futex", "write", "close", "fstat", "lseek", "mremap", "munmap", "brk", "madvise", "newfstatat",
    "stat", "lstat", "statx", "access", "faccessat", "readlink", "readlinkat", "getcwd", "getdents64",
    "statfs", "fstatfs", "fadvise64", "readv", "pread64", "preadv", "writev", "dup", "dup2", "dup3",
    "mincore", "membarrier", "sched_yield", "sched_getaffinity", "getcpu", "set_robust_list",
    "get_robust_list", "rseq", "set_tid_address", "arch_prctl", "exit", "exit_group", "restart_syscall",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "getpid", "getppid", "gettid",
    "getuid", "geteuid", "getgid", "getegid", "clock_gettime", "clock_getres", "gettimeofday", "time",
    "times", "nanosleep", "clock_nanosleep", "setitimer", "getitimer", "alarm", "poll", "ppoll", "select",
    "pselect6", "uname", "sysinfo", "getrandom", "getrusage", "getrlimit", "recvmsg",
)  # fmt: skip


class Then(Enum):
    """What follows a test."""

    ALLOW = "allow"
    REFUSE = "refuse"
    NEXT = "next"  # the next test decides


class Test(NamedTuple):
    """A test of an argument."""

    word: int  # arguments have two words of 32 bits each, the lower one first
    operation: int
    value: int
    if_so: Then
    if_not: Then = Then.NEXT


def rules() -> dict[str, tuple[Test, ...]]:
    """Calls that are allowed in part; their last test decides both ways."""
    allow, refuse = Then.ALLOW, Then.REFUSE
    own = (Test(0, EQUAL, os.getpid(), allow, refuse),)
    return {
        "openat": (Test(4, ANY_BIT, WRITING, refuse, allow),),
        "open": (Test(2, ANY_BIT, WRITING, refuse, allow),),
        "mmap": (  # code comes from files, as libraries do
            Test(4, ANY_BIT, EXECUTABLE, Then.NEXT, allow),
            Test(4, ANY_BIT, WRITABLE, refuse),
            Test(6, ANY_BIT, ANONYMOUS, refuse, allow),
        ),
        "mprotect": (Test(4, ANY_BIT, EXECUTABLE, refuse, allow),),
        "clone": (Test(0, ANY_BIT, THREAD, allow, refuse),),
        "kill": own,
        "tgkill": own,
        "prctl": _one_of(0, 15, 16, 0x53564D41),  # PR_SET_NAME, PR_GET_NAME, PR_SET_VMA
        "ioctl": _one_of(2, 0x5401, 0x5413, 0x5421, 0x541B, 0x5450, 0x5451),  # TCGETS .. FIOCLEX
        "fcntl": _one_of(2, 0, 1, 2, 3, 4, 1030, 1033, 1034),  # descriptors, flags, seals; no signals
        "prlimit64": (Test(4, EQUAL, 0, Then.NEXT, refuse), Test(5, EQUAL, 0, allow, refuse)),  # to ask only
    }


def _one_of(word: int, *values: int) -> tuple[Test, ...]:
    last = len(values) - 1
    return tuple(
        Test(word, EQUAL, value, Then.ALLOW, Then.REFUSE if at == last else Then.NEXT)
        for at, value in enumerate(values)
    )


_INSTRUCTION = struct.Struct("HBBI")  # struct sock_filter: operation, jumps if so and if not, value


def program(here: Processor, more: Iterable[str] = ()) -> bytes:
    """The filter for a kind of processor; `more` calls are allowed beside ALLOWED."""
    return b"".join(_INSTRUCTION.pack(*step) for step in _steps(here, more))


def _steps(here: Processor, more: Iterable[str]) -> Iterator[tuple[int, int, int, int]]:
    yield LOAD, 0, 0, PROCESSOR_AT
    yield EQUAL, 1, 0, here.audit
    yield RETURN, 0, 0, KILL_PROCESS
    yield LOAD, 0, 0, NUMBER_AT
    yield AT_LEAST, 0, 1, X32
    yield RETURN, 0, 0, KILL_PROCESS
    for name in (*ALLOWED, *more):
        if (call := number(name, here)) is not None:
            yield EQUAL, 0, 1, call
            yield RETURN, 0, 0, ALLOW
    for name, tests in rules().items():
        if (call := number(name, here)) is not None:
            yield EQUAL, 0, 2 * len(tests) + 2, call
            yield from _tests(tests)
    yield AT_LEAST, 0, 1, FIRST_OF_LATE
    yield RETURN, 0, 0, ERRNO | errno.ENOSYS
    yield RETURN, 0, 0, ERRNO | errno.EPERM


def _tests(tests: tuple[Test, ...]) -> Iterator[tuple[int, int, int, int]]:
    for at, test in enumerate(tests):
        left = 2 * (len(tests) - at - 1)  # steps to what ends the tests
        jump = {Then.NEXT: 0, Then.ALLOW: left, Then.REFUSE: left + 1}
        yield LOAD, 0, 0, ARGUMENTS_AT + 4 * test.word
        yield test.operation, jump[test.if_so], jump[test.if_not], test.value
    yield RETURN, 0, 0, ALLOW
    yield RETURN, 0, 0, ERRNO | errno.EPERM


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def is_there() -> bool:
    """Whether this kernel takes filters, and the processor's calls are known."""
    here = processor()
    if here is None:
        return False
    action = ctypes.c_uint32(KILL_PROCESS)
    return _call(here, GET_ACTION_AVAIL, 0, ctypes.byref(action)) == 0


def restrict(more: Iterable[str] = ()) -> None:
    """Take every other call from all threads of this process.

    Args:
        more: calls that are allowed beside ALLOWED.

    Raises:
        OSError: the kernel refuses; no_new_privs was not set, as a rule.
    """
    here = processor()
    assert here is not None
    code = program(here, more)
    filled = _Program(len(code) // _INSTRUCTION.size, code)
    if _call(here, SET_MODE_FILTER, FLAG_TSYNC, ctypes.byref(filled)) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _call(here: Processor, operation: int, flags: int, argument: object) -> int:
    seccomp = number("seccomp", here)
    return int(ctypes.CDLL(None, use_errno=True).syscall(seccomp, operation, flags, argument))
