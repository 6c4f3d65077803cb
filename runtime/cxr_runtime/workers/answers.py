"""Answers of worker processes, read without trust: a hostile file that takes over a decoder gains nothing.

A pickle can name any function to be called. Here it can name only what an answer is made of: dataclasses,
enumerations and errors of this package, arrays, and the errors of a broken decoder.
"""

import pickle
from dataclasses import is_dataclass
from enum import Enum
from typing import IO, Any

_ARRAYS = {
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.numeric", "_frombuffer"),
    ("numpy.core.numeric", "_frombuffer"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
}
_DECODER_ERRORS = {("builtins", "RuntimeError"), ("builtins", "MemoryError")}
_HARMLESS = (Enum, Exception)


def read_answer(pipe: IO[bytes]) -> tuple[bool, Any]:
    """Read one answer: (True, result) or (False, error).

    Raises:
        EOFError: the worker has ended.
        pickle.UnpicklingError: the answer is damaged, or names what no answer is made of.
    """
    answer = _AnswerUnpickler(pipe).load()
    if not (isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[0], bool)):
        raise pickle.UnpicklingError("an answer is a pair of success and result")
    return answer


class _AnswerUnpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str, /) -> Any:
        named = (module_name, global_name)
        if named in _ARRAYS or named in _DECODER_ERRORS:
            return super().find_class(module_name, global_name)
        if module_name.startswith("cxr_runtime.") and "." not in global_name:
            found = super().find_class(module_name, global_name)
            if isinstance(found, type) and (is_dataclass(found) or issubclass(found, _HARMLESS)):
                return found
        raise pickle.UnpicklingError(f"{module_name}.{global_name} is no part of an answer")
