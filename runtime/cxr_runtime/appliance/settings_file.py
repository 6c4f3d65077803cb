"""A file of settings is read and checked; the first thing in it that is wrong is said in one line."""

import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ValidationError

from cxr_runtime.appliance.section import EXPECTED, FORMS
from cxr_runtime.appliance.settings import Clinic, section_of
from cxr_runtime.errors import UsageError
from cxr_runtime.names import printable
from cxr_runtime.toml_file import read_toml

SEE_EXAMPLE = "`cxr-triage appliance --example` prints every setting"


def read_settings(path: Path) -> Clinic:
    """Read and check a file of settings.

    Raises:
        UsageError: it cannot be read, or the first thing in it that is wrong.
    """
    read = read_toml(path, SEE_EXAMPLE)
    try:
        clinic = Clinic.model_validate_json(json.dumps(read, default=str), strict=True)
    except ValidationError as error:
        raise UsageError(f"{printable(str(path))}: {_first(error)}; {SEE_EXAMPLE}") from None
    for where in _empty(read):
        raise UsageError(
            f"{printable(str(path))}: {where} is empty; say what it is, or take it out; {SEE_EXAMPLE}"
        )
    return clinic


def _first(error: ValidationError) -> str:
    """The first thing that is wrong: where, what was found, what was expected."""
    first = error.errors(include_url=False)[0]
    where = printable(".".join(str(step) for step in first["loc"]))
    kind, context = str(first["type"]), first.get("ctx", {})
    said = str(first["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    if kind == "missing":
        return f"{where} is missing"
    if kind == "extra_forbidden":
        return f"{where} is unknown; expected one of {', '.join(_names(first['loc'][:-1]))}"
    if kind == "value_error":
        return f"{where}: {said}" if where else said
    if kind == "string_pattern_mismatch":
        expected = FORMS[str(context["pattern"])]
    else:
        expected = EXPECTED.get(kind, said.removeprefix("should ").removeprefix("be ")).format(**context)
    return f"{where} is {printable(repr(first['input']))[:60]}; expected {expected}"


def _empty(value: object, where: str = "") -> Iterator[str]:
    """Settings with a text of nothing, which as a path would be the folder that the program is started in."""
    if isinstance(value, str) and not value.strip():
        yield where
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _empty(part, f"{where}.{name}" if where else name)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _empty(part, f"{where}.{number}")


def _names(steps: tuple[int | str, ...]) -> list[str]:
    """What a table may hold."""
    table: type[BaseModel] = Clinic
    for step in steps:
        table = section_of(table, str(step)) or table
    return list(table.model_fields)
