"""Landlock: which files a process may read (Linux 5.13, linux/landlock.h)."""

import ctypes
import os
import stat
from collections.abc import Iterable
from pathlib import Path

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same numbers on every processor
CREATE_RULESET_VERSION = 1
RULE_PATH_BENEATH = 1

READ_FILE, READ_DIR = 1 << 2, 1 << 3
FILE_RIGHTS = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}  # by the version that brought them
NETWORK_RIGHTS = {4: 0b11}  # to bind and to connect over TCP
SCOPES = {6: 0b11}  # abstract sockets, and signals


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def version() -> int:
    """Version of the interface that this kernel offers; 0 where there is none."""
    return max(0, int(_system().syscall(CREATE_RULESET, None, 0, CREATE_RULESET_VERSION)))


def restrict(readable: Iterable[Path], version: int) -> None:
    """Take from this thread, and all it starts, every right to files but reading what is listed.

    Args:
        readable: files and folders; those that do not exist are left out.
        version: as `version` gave it.

    Raises:
        OSError: the kernel refuses; no_new_privs was not set, as a rule.
    """
    wanted = _Ruleset(*(_union(rights, version) for rights in (FILE_RIGHTS, NETWORK_RIGHTS, SCOPES)))
    size = 8 * (1 + (version >= min(NETWORK_RIGHTS)) + (version >= min(SCOPES)))
    ruleset = _call(CREATE_RULESET, ctypes.byref(wanted), size, 0)
    try:
        for path in readable:
            _allow_reading(ruleset, path)
        _call(RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow_reading(ruleset: int, path: Path) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        is_folder = stat.S_ISDIR(os.fstat(parent).st_mode)
        rule = _Beneath(READ_FILE | READ_DIR if is_folder else READ_FILE, parent)
        _call(ADD_RULE, ruleset, RULE_PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(parent)


def _union(rights: dict[int, int], version: int) -> int:
    return sum(right for since, right in rights.items() if since <= version)


def _call(number: int, *arguments: object) -> int:
    result = int(_system().syscall(number, *arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def _system() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
