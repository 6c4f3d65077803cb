"""A file of settings that says what each of them means, made from the settings themselves."""

import json
from collections.abc import Iterator

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cxr_runtime.appliance.settings import Clinic, section_of

HEAD = """\
# Settings of `cxr-triage appliance`. Lines that begin with `# name =` may be left out: remove the first two
# characters to use them. Check the file with `cxr-triage appliance CLINIC.toml --check`.
# On Windows write paths in single quotes: 'C:\\films'. Sizes: "500M", "5G"; ages: "90d", "12w", "2y".
"""


def example() -> str:
    """The whole file, in TOML; a comment stands behind each setting."""
    return "\n".join([HEAD, *_lines(Clinic), ""])


def _lines(table: type[BaseModel]) -> Iterator[str]:
    sections = {name: section_of(table, name) for name in table.model_fields}
    for name, field in table.model_fields.items():
        if sections[name] is None:
            yield _line(name, field)
    for name, section in sections.items():
        if section is not None:
            yield f"\n[{name}]  # {section.__doc__}"
            yield from _lines(section)


def _line(name: str, field: FieldInfo) -> str:
    assert field.examples is not None
    is_left_out = not field.is_required() and field.default is None
    return f"{'# ' if is_left_out else ''}{name} = {json.dumps(field.examples[0])}  # {field.description}"
