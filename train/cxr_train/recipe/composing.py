"""A recipe put together: a network's own, changed by a file and by single settings."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from cxr_runtime.errors import UsageError
from cxr_train.data.film import TrainingFilm, Truth
from cxr_train.networks.heads import HEAD_OF
from cxr_train.recipe.recipe import OPTIMISERS, SCHEDULES, SELECTIONS, Recipe, default_recipe, refuse_numbers

T = TypeVar("T")
DEFAULT_NETWORK = "custom"
NETWORK_SETTING = "architecture.network"
RECIPES = Path(__file__).parent / "bundled"  # those of the models that come with the program


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
        UsageError: a name is unknown, or a value is of another kind or out of range.
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
    except ValueError as error:
        raise UsageError(f"settings {where.rstrip('.') or 'file'} cannot be used: {error}") from error


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


def compose_recipe(network: str | None, *changes: Mapping[str, Any]) -> Recipe:
    """Change a network's default recipe.

    Args:
        network: its name; None takes it from the changes, or else `custom`.
        changes: settings as a recipe file holds them, or by dotted name, e.g. `{"architecture.kernel": 5}`; a
            number in a name is a place in a list, e.g. `architecture.filters.0`. Later ones win.

    Returns:
        The recipe, with the training heads that its terms need, and one input size for network and films.

    Raises:
        UsageError: a setting is unknown or of another kind, or the changes ask for another network.
    """
    named = [name for change in changes for name in _networks_of(change)]
    recipe = default_recipe(network or next(iter(named), DEFAULT_NETWORK))
    for change in changes:
        plain = {name: value for name, value in change.items() if "." not in name}
        recipe = from_plain(Recipe, plain, recipe)
        for name in (name for name in change if "." in name):
            recipe = from_plain(Recipe, _nested(recipe, name.split("."), change[name]), recipe)
    if network not in (None, recipe.architecture.network):
        raise UsageError(
            f"network {network} is asked for, and the recipe or a setting names "
            f"{recipe.architecture.network}; leave one of them out"
        )
    return _consistent(recipe)


def _networks_of(change: Mapping[str, Any]) -> list[str]:
    """The networks that a change names, in a table or by the dotted name."""
    table = change.get("architecture")
    named = [table.get("network") if isinstance(table, Mapping) else None, change.get(NETWORK_SETTING)]
    return [str(name) for name in named if name]


def recipe_settings(name: str) -> tuple[dict[str, Any], ...]:
    """The changes that a recipe file makes, after those of the recipe it is `like`, if it names one.

    Args:
        name: of a recipe that came with the program, or the path of any file of settings.

    Raises:
        UsageError: a file cannot be read, or recipes are like each other in a circle.
    """
    changes: list[dict[str, Any]] = []
    names = [name]
    while names[-1]:
        own = read_settings(_recipe_path(names[-1]))
        names.append(str(own.pop("like", "")))
        changes.insert(0, own)
        if names[-1] in names[:-1]:
            circle = " -> ".join(names)
            raise UsageError(f"recipe {name} is like itself ({circle}); expected an end to it")
    return tuple(changes)


def _recipe_path(name: str) -> Path:
    bundled = RECIPES / f"{name}.toml"
    return bundled if bundled.is_file() else Path(name)


def parse_setting(text: str) -> dict[str, Any]:
    """`NAME=VALUE` of the command line; VALUE as in TOML, quotes around text may be left out.

    Raises:
        UsageError: there is no `=`.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"setting {text!r} has no value; expected NAME=VALUE, e.g. learning_rate=0.01")
    try:
        return {name.strip(): tomllib.loads(f"value = {value}")["value"]}
    except tomllib.TOMLDecodeError:
        return {name.strip(): value.strip()}


def _nested(holder: Any, path: Sequence[str], value: Any) -> Any:
    """A value at a dotted path as the nested tables that from_plain takes."""
    if not path:
        return value
    name, *rest = path
    if name.isdigit():
        if not isinstance(holder, tuple) or int(name) >= len(holder):
            raise UsageError(f"place {name} is not in {holder!r}; state the whole list in the recipe first")
        return [_nested(item, rest, value) if n == int(name) else item for n, item in enumerate(holder)]
    inner = holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)
    return {name: _nested(inner, rest, value)}


def _consistent(recipe: Recipe) -> Recipe:
    """Terms of weight 0 left out, the heads of the others added, and one input size.

    Raises:
        UsageError: a setting has a value that nothing answers to.
    """
    _refuse_unknown("optimiser", [recipe.optimiser], OPTIMISERS)
    _refuse_unknown("schedule", [recipe.schedule], SCHEDULES)
    _refuse_unknown("select_by", [recipe.select_by], SELECTIONS)
    _refuse_unknown("balance", recipe.balance, [column.name for column in fields(TrainingFilm)])
    _refuse_unknown("quotas", list(recipe.quotas), list(Truth))
    refuse_numbers(recipe)
    terms = {name: weight for name, weight in recipe.terms.items() if weight}
    if recipe.cached_augmentations and "teacher_heat" in terms:
        raise UsageError(
            f"cached_augmentations = {recipe.cached_augmentations} shares films among folds, whose teachers "
            "differ, so terms.teacher_heat cannot go with it; set one of them to 0"
        )
    heads = tuple(dict.fromkeys(HEAD_OF[name] for name in terms if name in HEAD_OF))
    hw = recipe.preprocessing.input_hw
    return replace(recipe, terms=terms, architecture=replace(recipe.architecture, heads=heads, input_hw=hw))


def _refuse_unknown(setting: str, values: Sequence[str], known: Sequence[str]) -> None:
    for value in values:
        if value not in known:
            raise UsageError(f"setting {setting} is {value!r}; expected one of: {', '.join(known)}")
