"""What a user typed wrongly, as one line: what was found, what was expected, what to do next."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any

from typer.exceptions import TyperException

# Typer tells its errors apart by classes that it does not publish, hence by their names; what is not here
# is said in Typer's words.
_Say = Callable[[Any], str]
_EXPECTED = {  # by pydantic's name of what is wrong
    "int_parsing": "a whole number",
    "float_parsing": "a number",
    "bool_parsing": "true or false",
    "greater_than_equal": "{ge} or more",
    "less_than_equal": "{le} or less",
    "greater_than": "more than {gt}",
    "less_than": "less than {lt}",
}


def usage_sentence(error: TyperException, typed: Sequence[str]) -> str:
    """The error in our words, with the help that says more.

    Args:
        error: as Typer raised it.
        typed: the words after the program's name.
    """
    say = _SENTENCES.get(type(error).__name__)
    found = say(error) if say else error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    command = context.command_path if context else " ".join(["cxr-triage", *typed[:1]])
    return f"{found}; see `{command} --help`"


def _wrong_value(error: Any) -> str:
    """A value that is no number, out of bounds, or not among the choices."""
    if error.param is None or not hasattr(error.__cause__, "errors"):
        return str(error.message).rstrip(".")
    found = error.__cause__.errors(include_url=False)[0]
    source = error.ctx.get_parameter_source(error.param.name) if error.ctx else None
    origin = ", as `cxr-triage settings` states" if getattr(source, "name", "") == "DEFAULT_MAP" else ""
    return f"{_name(error)} is {found['input']!r}{origin}; expected {_expected(found)}"


def _expected(found: dict[str, Any]) -> str:
    """What pydantic wanted, in plain words."""
    text = str(found["msg"]).removeprefix("Value error, ").removeprefix("Input should be ").rstrip(".")
    choices = text.partition(" is not one of ")[2]
    if choices:
        return f"one of {choices.replace(chr(39), '')}"
    plain = _EXPECTED.get(found["type"], text)
    return plain.format(**{name: f"{bound:g}" for name, bound in found.get("ctx", {}).items()})


def _missing(error: Any) -> str:
    """An argument or an option that must be given."""
    if error.param is None or error.param.param_type_name == "argument":
        return f"{_name(error)} is missing; expected {_usage(error)}"
    return f"{_name(error)} is missing; add `{_name(error)} {error.param.metavar or 'VALUE'}`"


def _unknown_option(error: Any) -> str:
    known = [name for parameter in error.ctx.command.params for name in parameter.opts]
    near = error.possibilities or get_close_matches(error.option_name, known)
    return f"there is no option {error.option_name}{_perhaps(near)}"


def _without_value(error: Any) -> str:
    """An option whose value was left out, or a switch that was given one."""
    if "does not take a value" in error.message:
        return f"{error.option_name} is a switch and takes no value; leave the value out"
    return f"{error.option_name} has no value; write one after it"


def _other(error: Any) -> str:
    """A command that does not exist or was not given, or more words than a command takes."""
    text = str(error.message)
    group: Any = error.ctx.command if error.ctx else None
    names = group.list_commands(error.ctx) if hasattr(group, "list_commands") else []
    if text.startswith("No such command"):
        typed = text.split("'")[1]
        return f"there is no command {typed}{_perhaps(get_close_matches(typed, names))}"
    if text.startswith("Missing command"):
        return f"no command was given; expected one of {', '.join(names)}"
    if text.startswith("Got unexpected extra"):
        words = text.partition("(s) (")[2].rstrip(").")
        return f"the command does not take {words!r}; expected {_usage(error)}"
    return text.rstrip(".")


_SENTENCES: dict[str, _Say] = {
    "BadParameter": _wrong_value,
    "MissingParameter": _missing,
    "NoSuchOption": _unknown_option,
    "BadOptionUsage": _without_value,
    "UsageError": _other,
}


def _perhaps(near: Sequence[str]) -> str:
    return f"; did you mean {', '.join(near)}" if near else ""


def _name(error: Any) -> str:
    """How an option or argument is typed, e.g. `--workers` or `CHECKPOINT`."""
    if error.param is None:
        return "a value"
    if error.param.param_type_name == "argument":
        return (
            str(error.param.metavar or error.param.name).replace("[", "").replace("]", "").removesuffix("...")
        )
    return str(max(error.param.opts, key=len))


def _usage(error: Any) -> str:
    """The command's line of usage; Typer writes names of arguments in braces."""
    usage = (
        error.ctx.get_usage()
        .removeprefix("Usage: ")
        .replace("{", "")
        .replace("}", "")
        .replace("......", "...")
    )
    return f"`{' '.join(usage.split())}`"
