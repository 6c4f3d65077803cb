"""Dataclasses as JSON and back: what is read has the stated types and finite numbers, or is refused."""

import json
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")

_ADAPTERS: dict[Any, "TypeAdapter[Any]"] = {}

KEPT = 1 << 12  # numbers by their text: the outlines of a night's lungs have the same few hundred
SHOWN = 40  # characters of a wrong value that an error quotes


def to_json(value: Any, *, unknown_as_null: bool = False) -> str:
    """Indented JSON with a line feed at its end; keys in the order of the dataclasses' fields.

    Args:
        value: dataclasses, mappings, sequences, arrays, times, texts and numbers, nested as they like.
        unknown_as_null: write a number that is not finite as null.

    Raises:
        ValueError: a number is not finite.
    """
    return json.dumps(_plain(value, unknown_as_null), indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def from_json(text: str | bytes, kind: type[T]) -> T:
    """Read one value of a dataclass or any other typed kind; fields that the kind does not have are left out.

    Args:
        text: JSON.
        kind: what is expected; its own `__post_init__` is asked, too.

    Raises:
        ValueError: it is no JSON, a field is missing, or a value is of another type, not finite, or refused.
    """
    from pydantic import ValidationError

    try:
        json.loads(text, parse_constant=_refuse, parse_float=_finite)
        read: T = _adapter(kind).validate_json(text, strict=True)
    except ValidationError as error:
        raise ValueError(_line(error)) from None
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    return read


def _adapter(kind: Any) -> "TypeAdapter[Any]":
    """What pydantic knows of a kind, worked out once."""
    if kind not in _ADAPTERS:
        from pydantic import TypeAdapter

        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def _plain(value: Any, unknown_as_null: bool) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        value = {entry.name: getattr(value, entry.name) for entry in fields(value)}
    if isinstance(value, dict):
        return {str(key): _plain(entry, unknown_as_null) for key, entry in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(entry, unknown_as_null) for entry in value]
    if unknown_as_null and isinstance(value, float) and not isfinite(value):
        return None
    return value


def _refuse(name: str) -> float:
    raise ValueError(f"it holds {name}; expected finite numbers")


@lru_cache(KEPT)
def _finite(text: str) -> float:
    number = float(text)
    return number if isfinite(number) else _refuse(text[:SHOWN])


def _line(error: "ValidationError") -> str:
    """The first thing that is wrong: where, what was found, what was expected."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(step) for step in first["loc"]) or "the whole"
    if first["type"] == "missing":
        return f"{where} is missing"
    expected = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{where} is {str(first['input'])[:SHOWN]!r}, {expected}"
