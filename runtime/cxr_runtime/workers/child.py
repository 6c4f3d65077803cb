"""The child side of a worker: does one task after another until its parent closes the pipe.

Run as `python -P -m cxr_runtime.workers.child MODULE:FUNCTION SECONDS MEGABYTES`. Tasks and results are
pickles on standard input and output. Until it is ready, standard error says what hinders it; from then on
whatever a decoder prints is thrown away.
"""

import os
import pickle
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any, BinaryIO

from cxr_runtime.errors import CxrTriageError, InstallationError
from cxr_runtime.memory import about_limit, lacks_memory, outside_limit

GRACE_SECONDS = 5.0  # after its time limit a worker ends by itself, should the parent be gone


def main(function_name: str, seconds: float, megabytes: int) -> None:
    """Serve tasks from standard input until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tasks, results = _take_standard_streams()
    _limit_memory(megabytes)
    loaded, function = _load(function_name)
    _fall_silent()
    _answer((loaded, None if loaded else function), results)
    while loaded:
        try:
            task = pickle.load(tasks)
        except EOFError:
            return
        _alarm(seconds + GRACE_SECONDS)
        answer = _attempt(function, task)
        _alarm(0)
        _answer(answer, results)


def _load(function_name: str) -> tuple[bool, Any]:
    """(True, function), or (False, the error) where a library that it needs is missing or does not load."""
    module, _, name = function_name.partition(":")
    try:
        return True, getattr(import_module(module), name)
    except (ImportError, OSError) as error:
        return False, _incomplete(error)
    except MemoryError:
        return False, InstallationError(f"a process that reads films cannot start{about_limit()}")


def _answer(answer: tuple[bool, Any], results: BinaryIO) -> None:
    pickle.dump(answer, results, protocol=pickle.HIGHEST_PROTOCOL)
    results.flush()


def _incomplete(error: ImportError | OSError) -> InstallationError:
    missing = (error.name if isinstance(error, ImportError) else "") or "a library"
    return InstallationError(
        f"{missing} is missing or does not load ({' '.join(str(error).split())}); install cxr-triage anew"
        f"{about_limit()}"
    )


def _attempt(function: Callable[[Any], Any], task: Any) -> tuple[bool, Any]:
    """(True, result), or (False, the error); a broken decoder may raise anything."""
    try:
        return True, function(task)
    except CxrTriageError as error:
        return False, error
    except ImportError as error:  # what is imported on first use is a part of the installation, too
        return False, _incomplete(error)
    except Exception as error:  # noqa: BLE001
        if lacks_memory(error):
            return False, MemoryError()
        return False, RuntimeError(f"{type(error).__name__}: {error}")


def _take_standard_streams() -> tuple[BinaryIO, BinaryIO]:
    """Keep both pipes for ourselves, so that a decoder that prints cannot garble an answer."""
    tasks, results = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return tasks, results


def _fall_silent() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _limit_memory(megabytes: int) -> None:
    """Make an allocation beyond the limit fail where the system can.

    A lower limit that was set from outside stays. macOS knows the limit and refuses to set it: there the time
    limit alone holds, and no film suffers.
    """
    if sys.platform == "win32":
        return
    import resource

    wanted, outside = megabytes * 2**20, outside_limit()
    limit = wanted if outside is None else min(wanted, outside)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _alarm(seconds: float) -> None:
    """Let the kernel end this process after so many seconds; 0 takes that back."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, seconds)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))
