"""Answers of worker processes, read without trust: a short text, and raw bytes that become arrays.

A film that takes over its worker can send whatever it likes. So an answer names no type and no function,
every array is uint8 and two-dimensional, and a stated size is checked before so much is read.
"""

import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from math import prod
from typing import IO

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.names import printable

MAX_TEXT_BYTES = 1 << 20
MAX_ARRAYS = 4
MAX_SIDE = 4096  # rows or columns of an array; as of a network's input
MAX_ARRAY_BYTES = 1 << 25  # of all arrays of an answer
MAX_TOLD = 1000  # characters of what a worker says of itself

_PREFIX = struct.Struct("<BBI")  # what it is, arrays, bytes of the text
_SHAPE = struct.Struct("<II")  # rows, columns

Pixels = NDArray[np.uint8]


class Said(Enum):
    """What an answer is."""

    READY = 0  # everything is loaded; the text says how the worker is confined
    CANNOT_START = 1  # the text says why
    DONE = 2  # a task's result
    FAILED = 3  # a task's failure


@dataclass(frozen=True)
class Content:
    """A result on its way from a worker."""

    text: bytes  # JSON
    arrays: tuple[Pixels, ...] = ()  # each (rows, columns) uint8, at least 1 x 1


class AnswerError(ValueError):
    """What came from a worker is no answer."""


def frame(said: Said, content: Content) -> Iterator[bytes | memoryview]:
    """An answer as it is sent, in parts: arrays are not copied."""
    shapes = b"".join(_SHAPE.pack(*array.shape) for array in content.arrays)
    prefix = _PREFIX.pack(said.value, len(content.arrays), len(content.text))
    yield b"".join([prefix, shapes, content.text])
    yield from (np.ascontiguousarray(array).data for array in content.arrays)


def read_answer(pipe: IO[bytes]) -> tuple[Said, Content]:
    """Read one answer.

    Raises:
        EOFError: the worker has ended.
        AnswerError: it is no answer, or beyond the limits.
    """
    said, count, length = _PREFIX.unpack(_exactly(pipe, _PREFIX.size))
    if said >= len(Said) or count > MAX_ARRAYS or length > MAX_TEXT_BYTES:
        raise AnswerError(f"kind {said}, {count} arrays, {length} bytes of text")
    shapes = [_SHAPE.unpack(_exactly(pipe, _SHAPE.size)) for _ in range(count)]
    _check_shapes(shapes)
    text = _exactly(pipe, length)
    arrays = (np.frombuffer(_exactly(pipe, prod(shape)), np.uint8).reshape(shape) for shape in shapes)
    return Said(said), Content(text, tuple(arrays))


def _check_shapes(shapes: Sequence[tuple[int, ...]]) -> None:
    is_sound = all(0 < side <= MAX_SIDE for shape in shapes for side in shape)
    if not is_sound or sum(map(prod, shapes)) > MAX_ARRAY_BYTES:
        raise AnswerError(f"arrays of {shapes}")


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    content = pipe.read(size)
    if len(content) < size:
        raise EOFError
    return content


def tell(**told: str) -> Content:
    """What a worker says of itself, as it is sent."""
    return Content(json.dumps({name: printable(text)[:MAX_TOLD] for name, text in told.items()}).encode())


def told(content: Content) -> dict[str, str]:
    """What `tell` sent.

    Raises:
        AnswerError: it is something else.
    """
    try:
        found = json.loads(content.text)
    except (ValueError, RecursionError) as error:
        raise AnswerError("no JSON") from error
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise AnswerError("no texts")
    if content.arrays or tell(**found).text != content.text:
        raise AnswerError("a text that is too long or cannot be shown")
    return found
