"""Settings: frozen dataclasses to JSON and back, and from TOML, with every name and type checked."""

import json
import tomllib
from collections.abc import Mapping
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
    if is_dataclass(hint) and isinstance(value, Mapping):
        return from_plain(hint, value, base, f"{where}.")  # type: ignore[arg-type]  # hint is a class
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _convert_optional(args, value, base, where)
    if origin is tuple and isinstance(value, list | tuple):
        kinds = [args[0]] * len(value) if args[-1] is Ellipsis else list(args)
        if len(kinds) == len(value):
            return tuple(_convert(k, v, None, where) for k, v in zip(kinds, value, strict=True))
    if origin is not None and isinstance(value, Mapping):
        return {key: _convert(args[1], item, None, f"{where}.{key}") for key, item in value.items()}
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if hint in (int, str, bool) and type(value) is hint:
        return value
    raise UsageError(f"setting {where} is {value!r}; expected {getattr(hint, '__name__', hint)}")


def _convert_optional(args: tuple[Any, ...], value: Any, base: Any, where: str) -> Any:
    if value is None:
        return None
    return _convert(next(arg for arg in args if arg is not type(None)), value, base, where)
