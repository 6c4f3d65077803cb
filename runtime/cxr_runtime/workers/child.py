"""The child side of a worker: does one task after another until its parent closes the pipe.

Run as `python -m cxr_runtime.workers.child MODULE:FUNCTION SECONDS MEGABYTES`. Tasks and results are pickles
on standard input and output; whatever a decoder prints goes to standard error instead.
"""

import os
import pickle
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, BinaryIO

from cxr_runtime.errors import CxrTriageError

GRACE_SECONDS = 5.0  # after its time limit a worker ends by itself, should the parent be gone


def main(function_name: str, seconds: float, megabytes: int) -> None:
    """Serve tasks from standard input until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tasks, results = _take_standard_streams()
    _limit_memory(megabytes)
    module, _, name = function_name.partition(":")
    function = getattr(import_module(module), name)
    while True:
        try:
            task = pickle.load(tasks)
        except EOFError:
            return
        _alarm(seconds + GRACE_SECONDS)
        answer = _attempt(function, task)
        _alarm(0)
        pickle.dump(answer, results, protocol=pickle.HIGHEST_PROTOCOL)
        results.flush()


def _attempt(function: Callable[[Any], Any], task: Any) -> tuple[bool, Any]:
    """(True, result), or (False, the error); a broken decoder may raise anything."""
    try:
        return True, function(task)
    except CxrTriageError as error:
        return False, error
    except MemoryError:
        return False, MemoryError()
    except Exception as error:  # noqa: BLE001
        return False, RuntimeError(f"{type(error).__name__}: {error}")


def _take_standard_streams() -> tuple[BinaryIO, BinaryIO]:
    """Keep both pipes for ourselves, so that a decoder that prints cannot garble an answer."""
    tasks, results = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return tasks, results


def _limit_memory(megabytes: int) -> None:
    """Make an allocation beyond the limit fail; POSIX only, elsewhere the time limit alone holds."""
    if sys.platform != "win32":
        import resource

        limit = megabytes * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _alarm(seconds: float) -> None:
    """Let the kernel end this process after so many seconds; 0 takes that back."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, seconds)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))
