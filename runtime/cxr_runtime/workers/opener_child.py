"""A process that lists, opens and hashes files for its parent, and decodes none.

Run as `python -P -m cxr_runtime.workers.opener_child SOCKET`. Requests are pickles; an answer is JSON, with
the descriptor of a copy in memory: what was hashed is what will be decoded, and no file system can hang under
a worker. The process reads what this user may read; it writes nothing and speaks to nobody else.
"""

import fcntl
import json
import os
import pickle
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Protocol

from cxr_runtime.errors import FilmError
from cxr_runtime.workers import sandbox
from cxr_runtime.workers.opened import OPENED_AT_ONCE, READY, SEALS

MAX_REQUEST = 1 << 17  # bytes; a path and a name in a zip file
MAX_FILE = 1 << 31  # bytes of a copy; sources have lower limits of their own
TOLD_EVERY = 1.0  # seconds in which a slow file lets the parent hear from it


class Openable(Protocol):
    """A file that can be sent to another process, and read there; or what is to be known of files."""

    def chunks(self) -> Iterator[bytes]:
        """Its bytes, piece by piece; an empty piece says no more than that there is one to come.

        Raises:
            FilmError: it cannot be read, or is not worth reading on.
        """
        ...


def main(line: socket.socket) -> None:
    """Serve requests until the parent closes the line."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sandbox.end_with_parent()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    sandbox.close_files([Path("/")])
    sandbox.close_calls(("memfd_create", "sendmsg"), file_bytes=MAX_FILE)
    os.dup2(nowhere, 2)  # until here it says what hinders it
    _send(line, {"number": READY, "size": 0})
    requests: SimpleQueue[bytes] = SimpleQueue()
    for _ in range(OPENED_AT_ONCE):  # by hand: concurrent.futures brings logging, a third of this start
        threading.Thread(target=_serve, args=(line, requests), daemon=True).start()
    while request := line.recvmsg(MAX_REQUEST)[0]:
        requests.put(request)
    os._exit(0)  # threads that hang in a file system are not waited for


def _serve(line: socket.socket, requests: "SimpleQueue[bytes]") -> None:
    while True:
        _open(line, *pickle.loads(requests.get()))


def _open(line: socket.socket, number: int, source: Openable) -> None:
    try:
        memory = os.memfd_create("film", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        with os.fdopen(memory, "wb", buffering=0) as copy:
            answer = _copied(line, number, source, copy)
            fcntl.fcntl(copy, fcntl.F_ADD_SEALS, SEALS)
            _send(line, answer, [copy.fileno()])
    except FilmError as error:
        _send(line, {"number": number, "code": error.code, "sentence": error.sentence})
    except Exception as error:  # noqa: BLE001  # no memory, no descriptors, or a library that does not load
        _send(line, {"number": number, "failure": f"{type(error).__name__}: {error}"})


def _copied(line: socket.socket, number: int, source: Openable, copy: Any) -> dict[str, object]:
    digest, size, told = sha256(), 0, time.monotonic()
    for chunk in source.chunks():
        digest.update(chunk)
        copy.write(chunk)
        size += len(chunk)
        if time.monotonic() - told > TOLD_EVERY:
            told = time.monotonic()
            _send(line, {"number": number, "size": size})
    return {"number": number, "sha256": digest.hexdigest(), "size": size}


def _send(line: socket.socket, answer: dict[str, object], descriptors: Any = ()) -> None:
    socket.send_fds(line, [json.dumps(answer).encode()], descriptors)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
