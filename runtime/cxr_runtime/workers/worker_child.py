"""The child side of a worker: does one task after another until its parent closes the pipe.

Run as `python -P -m cxr_runtime.workers.worker_child [SOCKET]`. Its work with its limits, then its tasks come
as pickles on standard input, descriptors over the socket; answers go to standard output. Work that is named
before is made ready ahead. Until it is ready, standard error says what hinders it; from then on whatever a
decoder prints is thrown away.
"""

import gc
import os
import pickle
import signal
import socket
import sys
from typing import Any, BinaryIO

from cxr_runtime.errors import CxrTriageError, InstallationError
from cxr_runtime.memory import about_limit, lacks_memory
from cxr_runtime.offline import hide_requests
from cxr_runtime.workers import sandbox
from cxr_runtime.workers.answers import Content, Said, frame, tell
from cxr_runtime.workers.memory_limits import limit_own_memory
from cxr_runtime.workers.tasks import Work, load

OBJECTS = 50_000  # new objects after which garbage is looked for; by itself 700
GRACE_SECONDS = 5.0  # after the longest time of a task a worker ends by itself, should the parent be gone


def main(line: socket.socket | None) -> None:
    """Serve tasks from standard input until it ends."""
    gc.set_threshold(OBJECTS)
    hide_requests()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sandbox.end_with_parent()
    tasks, answers = _take_standard_streams()
    limit = about_limit()  # as it was set from outside
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        sandbox.close_files(sandbox.program_files())
        seconds, work = _ready_work(tasks)
        gc.freeze()  # what was loaded stays; nobody need look through it for garbage
        sandbox.close_calls()
    except EOFError:  # nobody had work for it
        return
    except Exception as error:  # noqa: BLE001  # half an install may raise anything
        _send(answers, Said.CANNOT_START, tell(**_why_not(error, limit)))
        return
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    _send(answers, Said.READY, tell(sandbox=str(sandbox.protection())))
    while True:
        try:
            packed, is_file_passed = pickle.load(tasks)
        except EOFError:
            return
        _alarm(seconds + GRACE_SECONDS)
        descriptor = _received(line) if is_file_passed else None
        answer = _attempt(work, packed, descriptor)
        if descriptor is not None:
            os.close(descriptor)
        _alarm(0)
        _send(answers, *answer)


def _ready_work(tasks: BinaryIO) -> tuple[float, Work[Any, Any]]:
    """The limit of a task in seconds, and the work, ready and within this process's limit of memory.

    Raises:
        EOFError: there will be none.
    """
    is_ready = None
    while isinstance(sent := pickle.load(tasks), str):
        is_ready = load(sent)()
        is_ready.prepare()
    seconds, megabytes, niceness, work = sent
    limit_own_memory(megabytes)
    if work != is_ready:
        work.prepare()
    if sys.platform != "win32":
        wanted = os.getpriority(os.PRIO_PROCESS, os.getppid()) + niceness
        os.nice(max(0, wanted - os.getpriority(os.PRIO_PROCESS, 0)))  # it may have given way before
    return seconds, work


def _send(answers: BinaryIO, said: Said, content: Content) -> None:
    answers.writelines(frame(said, content))
    answers.flush()


def _why_not(error: Exception, limit: str) -> dict[str, str]:
    """Name and text of an error of ours that says why the work cannot begin."""
    if isinstance(error, MemoryError):
        error = InstallationError(f"a process that reads films cannot start{limit}")
    if not isinstance(error, CxrTriageError):
        missing = (error.name if isinstance(error, ImportError) else "") or "a library"
        reason = " ".join(str(error).split())
        error = InstallationError(
            f"{missing} is missing or does not load ({reason}); install cxr-triage anew{limit}"
        )
    return {"error": type(error).__name__, "told": str(error)}


def _received(line: socket.socket | None) -> int:
    assert line is not None
    _, descriptors, _, _ = socket.recv_fds(line, 1, 1)
    return descriptors[0]


def _attempt(work: Work[Any, Any], packed: Any, descriptor: int | None) -> tuple[Said, Content]:
    """The result, or the failure; a broken decoder may raise anything."""
    try:
        return Said.DONE, work.encode(work.do(packed, descriptor))
    except ImportError as error:  # what is imported on first use is a part of the installation, too
        return Said.FAILED, tell(failure="missing", told=str(error))
    except Exception as error:  # noqa: BLE001
        if lacks_memory(error):
            return Said.FAILED, tell(failure="memory")
        return Said.FAILED, tell(failure="unknown", told=f"{type(error).__name__}: {error}")


def _take_standard_streams() -> tuple[BinaryIO, BinaryIO]:
    """Keep both pipes for ourselves, so that a decoder that prints cannot garble an answer."""
    tasks, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return tasks, answers


def _alarm(seconds: float) -> None:
    """Let the kernel end this process after so many seconds; 0 takes that back."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, seconds)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])) if len(sys.argv) > 1 else None)
