"""Standard streams that can be written to, whatever the program was started with.

`2>&-` and pythonw leave none, and the next file that is opened would get the number of a missing one: what a
library prints would land in it. `| head -1` ends while we still write. Neither says anything about the films.
"""

import errno
import io
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_READER_HAS_GONE = (errno.EPIPE, errno.EINVAL)  # the second one is Windows' answer
OUTPUT, ERRORS = 1, 2  # numbers of the streams


class _Forgiving(io.FileIO):
    """A stream that throws away what nobody reads; what cannot be written for another reason is told once."""

    is_lost = False

    def write(self, content: "ReadableBuffer", /) -> int:
        if not self.is_lost:
            try:
                return super().write(content)
            except OSError as error:
                self.is_lost = True
                if self.fileno() == OUTPUT and error.errno not in _READER_HAS_GONE:
                    raise
        return memoryview(content).nbytes


def mend_streams() -> None:
    """Give the process all three streams, none of which ends it because nobody reads, or for a character."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            with suppress(OSError):
                os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # takes the lowest free number
    sys.stdout, sys.stderr = _mended(OUTPUT, sys.stdout), _mended(ERRORS, sys.stderr)


def _mended(number: int, stream: TextIO | None) -> TextIO:
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - open while the process lives
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    if stream.isatty():
        return stream
    stream.flush()
    content = io.BufferedWriter(_Forgiving(number, "w", closefd=False))
    return io.TextIOWrapper(
        content, encoding=stream.encoding, errors="backslashreplace", line_buffering=number == ERRORS
    )
