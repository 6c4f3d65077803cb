"""`cxr-triage settings`: what options come to when they are not typed, from the environment or from a file.

An option that is typed wins, then the variable CXR_TRIAGE_COMMAND_OPTION, then the file. The file is TOML
with a table for each command; it lies with the user's settings, else with those of the machine.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from typer.core import TyperGroup, TyperOption

PREFIX = "CXR_TRIAGE_"
VARIABLE = f"{PREFIX}SETTINGS"  # names another file
FILE = "settings.toml"
BETWEEN = ";"  # between several values in a variable
SEE = "`cxr-triage settings` prints every setting"
_NEVER = ("help", "debug", "version")


@dataclass(frozen=True)
class Stated:
    """A value of an option that is not typed."""

    value: Any
    source: str  # the variable, or the file


Statements = Mapping[str, Mapping[str, Stated]]  # by command and by the option's name, e.g. `batch-size`


def settings_file() -> Path:
    """The file that is read, if it is there: the variable's, else this user's, else the machine's."""
    from platformdirs import site_config_path, user_config_path

    if named := os.environ.get(VARIABLE):
        return Path(named)
    of_machine = site_config_path("cxr-triage", appauthor=False) / FILE
    try:
        own = user_config_path("cxr-triage", appauthor=False) / FILE
    except RuntimeError:  # this user has no home
        return of_machine
    return of_machine if not own.is_file() and of_machine.is_file() else own


def has_settings() -> bool:
    """Whether a file or a variable may state something."""
    return settings_file().is_file() or any(name.startswith(PREFIX) for name in os.environ)


def statements(commands: "TyperGroup", *, may_lack_file: bool = False) -> Statements:
    """What file and environment state.

    Args:
        commands: those that have options.
        may_lack_file: a file that is named may be missing.

    Raises:
        UsageError: the file cannot be read or is not TOML; or one of them names no command or option, or
            states a value of another kind than the option takes.
    """
    stated: dict[str, dict[str, Stated]] = {}
    file = settings_file()
    if file.is_file() or (VARIABLE in os.environ and not may_lack_file):
        from cxr_runtime.toml_file import read_toml  # no settings file, nothing to load

        for command, table in read_toml(file, SEE).items():
            stated[command] = _of_table(commands, command, table, str(file))
    for variable, text in sorted(os.environ.items()):
        if found := _of_variable(commands, variable, text):
            command, option, one = found
            stated.setdefault(command, {})[option] = one
    return stated


def as_defaults(commands: "TyperGroup", stated: Statements) -> dict[str, dict[str, Any]]:
    """What Typer takes as defaults: values by command and by the parameter's own name."""
    return {
        command: {str(options_of(commands, command)[option].name): one.value for option, one in table.items()}
        for command, table in stated.items()
    }


def options_of(commands: "TyperGroup", command: str) -> "dict[str, TyperOption]":
    """The options of a command by their names without dashes."""
    found = commands.commands.get(command)
    options = [] if found is None else [one for one in found.params if one.param_type_name == "option"]
    named = {max(one.opts, key=len).lstrip("-"): one for one in options}
    return {name: one for name, one in named.items() if name not in _NEVER}  # type: ignore[misc]  # options they are


def settings(context: typer.Context) -> int:
    """Print every setting with what it comes to here, as TOML; the comments say where it comes from.

    Save it as the named file, and take `#` away before what you change. An option that is typed wins, then
    the environment, then the file.
    """
    commands: Any = context.find_root().command
    file = settings_file()
    state = "is read" if file.is_file() else "is not there"
    typer.echo(f"# {file} {state}; {VARIABLE} names another file.")
    stated = statements(commands, may_lack_file=True)
    for command in commands.commands:
        if options := options_of(commands, command):
            typer.echo(f"\n[{command}]")
            for name, option in options.items():
                typer.echo(_line(command, name, option, stated.get(command, {}).get(name)))
    return 0


def _line(command: str, name: str, option: "TyperOption", stated: Stated | None) -> str:
    about = " ".join((option.help or "").split())
    if stated is not None:
        return f"{name} = {_toml(stated.value)}  # {about} From {stated.source}"
    default = option.default
    shown = _toml(default) if isinstance(default, str | int | float | bool) else '""'
    return f"# {name} = {shown}  # {about} {_variable(command, name)}"


def _toml(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _variable(command: str, option: str) -> str:
    return f"{PREFIX}{command}_{option}".upper().replace("-", "_")


def _of_table(commands: "TyperGroup", command: str, table: Any, source: str) -> dict[str, Stated]:
    from cxr_runtime.errors import UsageError

    options = options_of(commands, command)
    if not options or not isinstance(table, dict):
        names = ", ".join(name for name in commands.commands if options_of(commands, name))
        raise UsageError(f"{source}: [{command}] names no command; expected tables of {names}")
    stated = {}
    for name, value in table.items():
        option = options.get(str(name).replace("_", "-"))
        if option is None:
            raise UsageError(f"{source}: {command}.{name} is unknown; expected one of {', '.join(options)}")
        if expected := _another_kind(option, value):
            raise UsageError(f"{source}: {command}.{name} is {value!r:.60}; expected {expected}")
        stated[str(name).replace("_", "-")] = Stated(value, source)
    return stated


def _another_kind(option: "TyperOption", value: Any) -> str:
    """What kind of value is expected; "" where this one is of that kind. Typer sees to the rest."""
    if option.is_flag:
        return "" if isinstance(value, bool) else "true or false"
    if option.multiple:
        is_list = isinstance(value, list) and all(isinstance(one, str | int | float) for one in value)
        return "" if is_list else 'a list as ["a", "b"]'
    is_plain = isinstance(value, str | int | float) and not isinstance(value, bool)
    return "" if is_plain else "a text in quotes, or a number"


def _of_variable(commands: "TyperGroup", variable: str, text: str) -> tuple[str, str, Stated] | None:
    """Command, option and value that a variable states; None: it is about something else."""
    from cxr_runtime.errors import UsageError

    for command in commands.commands if variable.startswith(PREFIX) else ():
        options = {_variable(command, name): name for name in options_of(commands, command)}
        if name := options.get(variable):
            several = options_of(commands, command)[name].multiple
            return command, name, Stated(text.split(BETWEEN) if several else text, variable)
    if any(variable.startswith(_variable(command, "")) for command in commands.commands):
        raise UsageError(f"the variable {variable} names no option; {SEE} with its variable")
    return None
