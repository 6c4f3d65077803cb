"""Settings: frozen dataclasses to JSON and back, and from TOML, with every name and type checked."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from cxr_runtime.errors import UsageError

T = TypeVar("T")


def read_settings(path: Path) -> dict[str, Any]:
    """Read a TOML or JSON file of settings.

    Raises:
        UsageError: there is no such file, or it is neither.
    """
    try:
        text = path.read_text(encoding="utf-8")
        plain = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as settings ({error}); expected TOML or JSON") from error
    if not isinstance(plain, dict):
        raise UsageError(f"{path} holds a {type(plain).__name__}; expected a table of settings")
    return plain


def from_plain(kind: type[T], plain: Mapping[str, Any], base: T | None = None, where: str = "") -> T:
    """Build a dataclass from plain values; what is not said is as in `base`, or else the default.

    Args:
        kind: a frozen dataclass whose fields are numbers, strings, tuples, mappings and such dataclasses.
        plain: what TOML or JSON holds.
        base: values for the fields that are not there.
        where: dotted name of this table, for messages.

    Raises:
        UsageError: a name is unknown, or a value is of another kind.
    """
    hints = get_type_hints(kind)
    unknown = sorted(set(plain) - set(hints))
    if unknown:
        raise UsageError(f"there is no setting {where}{unknown[0]}; expected some of: {', '.join(hints)}")
    values = {} if base is None else {name: getattr(base, name) for name in hints}
    for name, value in plain.items():
        values[name] = _convert(hints[name], value, values.get(name), f"{where}{name}")
    try:
        return kind(**values)
    except TypeError as error:
        raise UsageError(f"settings {where or 'file'} are not complete: {error}") from error


def _convert(hint: Any, value: Any, base: Any, where: str) -> Any:
    """A plain value as the kind that a field states."""
    origin, args = get_origin(hint), get_args(hint)
    if is_dataclass(hint) and isinstance(value, Mapping):
        return from_plain(hint, value, base, f"{where}.")  # type: ignore[arg-type]  # hint is a class
    if origin in (Union, UnionType):
        known = next(arg for arg in args if arg is not type(None))
        return None if value is None else _convert(known, value, base, where)
    if origin is tuple and isinstance(value, list | tuple):
        return _convert_tuple(args, value, where)
    if origin is not None and isinstance(value, Mapping):
        given = {key: _convert(args[1], item, None, f"{where}.{key}") for key, item in value.items()}
        return {**(base or {}), **given}
    return _convert_one(hint, value, where)


def _convert_tuple(args: tuple[Any, ...], value: Sequence[Any], where: str) -> tuple[Any, ...]:
    kinds = [args[0]] * len(value) if args[-1] is Ellipsis else list(args)
    if len(kinds) != len(value):
        raise UsageError(f"setting {where} has {len(value)} values; expected {len(kinds)}")
    return tuple(_convert(kind, item, None, where) for kind, item in zip(kinds, value, strict=True))


def _convert_one(hint: Any, value: Any, where: str) -> Any:
    if hint is float and type(value) is int:
        return float(value)
    if hint is Any or type(value) is hint:
        return value
    raise UsageError(f"setting {where} is {value!r}; expected {getattr(hint, '__name__', hint)}")
