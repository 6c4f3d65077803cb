"""Numbers of system calls (asm/unistd_64.h of x86-64, asm-generic/unistd.h of aarch64)."""

import platform
from typing import NamedTuple

# Those from here on came with Linux 5.1 and later, with the same number everywhere. Programs expect that an
# older kernel lacks them.
FIRST_OF_LATE = 424


class Processor(NamedTuple):
    """What a filter must know of a kind of processor."""

    audit: int  # its name in a filter (linux/audit.h)
    column: int  # of its numbers in NUMBERS


PROCESSORS = {"x86_64": Processor(0xC000003E, 0), "aarch64": Processor(0xC00000B7, 1)}

NUMBERS: dict[str, tuple[int | None, int | None]] = {  # None: it does not exist there
    "read": (0, 63), "readv": (19, 65), "pread64": (17, 67), "preadv": (295, 69),
    "write": (1, 64), "writev": (20, 66), "lseek": (8, 62), "close": (3, 57),
    "open": (2, None), "openat": (257, 56), "getdents64": (217, 61), "getcwd": (79, 17),
    "stat": (4, None), "lstat": (6, None), "fstat": (5, 80), "newfstatat": (262, 79), "statx": (332, 291),
    "statfs": (137, 43), "fstatfs": (138, 44), "access": (21, None), "faccessat": (269, 48),
    "readlink": (89, None), "readlinkat": (267, 78), "fadvise64": (221, 223),
    "fcntl": (72, 25), "ioctl": (16, 29), "dup": (32, 23), "dup2": (33, None), "dup3": (292, 24),
    "mmap": (9, 222), "mprotect": (10, 226), "munmap": (11, 215), "mremap": (25, 216), "brk": (12, 214),
    "madvise": (28, 233), "mincore": (27, 232), "membarrier": (324, 283),
    "futex": (202, 98), "sched_yield": (24, 124), "sched_getaffinity": (204, 123), "getcpu": (309, 168),
    "set_robust_list": (273, 99), "get_robust_list": (274, 100), "rseq": (334, 293),
    "set_tid_address": (218, 96), "clone": (56, 220), "arch_prctl": (158, None), "prctl": (157, 167),
    "exit": (60, 93), "exit_group": (231, 94), "restart_syscall": (219, 128),
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132), "kill": (62, 129), "tgkill": (234, 131),
    "getpid": (39, 172), "getppid": (110, 173), "gettid": (186, 178),
    "getuid": (102, 174), "geteuid": (107, 175), "getgid": (104, 176), "getegid": (108, 177),
    "clock_gettime": (228, 113), "clock_getres": (229, 114), "gettimeofday": (96, 169), "time": (201, None),
    "times": (100, 153), "nanosleep": (35, 101), "clock_nanosleep": (230, 115),
    "setitimer": (38, 103), "getitimer": (36, 102), "alarm": (37, None),
    "poll": (7, None), "ppoll": (271, 73), "select": (23, None), "pselect6": (270, 72),
    "uname": (63, 160), "sysinfo": (99, 179), "getrandom": (318, 278), "getrusage": (98, 165),
    "getrlimit": (97, 163), "prlimit64": (302, 261), "recvmsg": (47, 212), "sendmsg": (46, 211),
    "memfd_create": (319, 279), "seccomp": (317, 277),
}  # fmt: skip


def processor() -> Processor | None:
    """The one that this process runs on; None: nothing is known of it, or the process has 32 bits."""
    import sys

    return PROCESSORS.get(platform.machine()) if sys.maxsize > 2**32 else None


def number(name: str, of: Processor) -> int | None:
    """Number of a call; None where that kind of processor lacks it."""
    return NUMBERS[name][of.column]
