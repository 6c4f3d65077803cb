"""Answers to questions to a file system, read without trust: the process that gave them may be taken over.

An answer is texts, each ended by a zero byte, which no name holds; a number is a text of digits.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, Self

from cxr_runtime.errors import UnreadableFilmError

MAX_ANSWER = 1 << 28  # bytes

_NUMBER, _STAMP = re.compile("[0-9]{1,20}"), re.compile("([0-9]+:){4}[0-9]+|")


class Question(Protocol):
    """Something to be known of files."""

    def chunks(self) -> Iterator[bytes]:
        """The answer, piece by piece.

        Raises:
            UnreadableFilmError: the file system refuses it.
        """
        ...


Ask = Callable[[Question], Iterable[bytes]]  # raises what `chunks` raises, and `read-stalled`


def packed(*texts: object) -> bytes:
    """Texts, or what is shown as a text, as a piece of an answer."""
    return b"".join(os.fsencode(str(text)) + b"\0" for text in texts)


class Answer:
    """An answer, taken apart; what is none becomes an UnreadableFilmError."""

    def __init__(self, ask: Ask, question: Question) -> None:
        content = bytearray()
        for chunk in ask(question):
            content += chunk
            if len(content) > MAX_ANSWER:
                raise _lie()
        self._content, self._at = content, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, ValueError):
            raise _lie() from error

    @property
    def is_over(self) -> bool:
        """Whether nothing is left."""
        return self._at == len(self._content)

    def text(self) -> str:
        """The next text."""
        end = self._content.index(b"\0", self._at)
        text = os.fsdecode(bytes(self._content[self._at : end]))
        self._at = end + 1
        return text

    def number(self) -> int:
        """The next text, a number."""
        return int(self._fitting(_NUMBER))

    def stamp(self) -> str:
        """The next text, a stamp of a file, or an empty one."""
        return self._fitting(_STAMP)

    def _fitting(self, form: re.Pattern[str]) -> str:
        text = self.text()
        if not form.fullmatch(text):
            raise ValueError("a text of another form")
        return text


def _lie() -> UnreadableFilmError:
    return UnreadableFilmError("read-error", "it was listed wrongly; scan again")
