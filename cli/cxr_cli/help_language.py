"""`--help` in the language that is asked for: by `--language`, or for good by the environment."""

import gettext
import os
from collections.abc import Sequence
from typing import Any

from typer import Context

OPTION = "--language"
LANGUAGE_VARIABLE = "CXR_TRIAGE_LANGUAGE"  # as of `cxr_runtime.presentation`, which would load more


def asked_language(typed: Sequence[str]) -> str | None:
    """The language of what is shown; None: nobody asks for one.

    Args:
        typed: the words after the program's name.
    """
    for place, word in enumerate(typed):
        name, _equals, value = word.partition("=")
        if name == OPTION:
            return value or (typed[place + 1] if place + 1 < len(typed) else None)
    return os.environ.get(LANGUAGE_VARIABLE) or None


def translate_help(command: Any, name: str) -> None:
    """Put a command's help, and that of the commands below it, into a language.

    Args:
        command: as Typer made it; what its catalogue lacks stays English.
        name: of the language; one that does not exist leaves all as it is, for the command itself refuses it.
    """
    from cxr_runtime.language import DOMAIN, bundled_catalogues, language_or_english, speaking

    found = language_or_english(name)
    # The words around the options are Typer's own; it looks them up when it first shows a help.
    os.environ["LANGUAGE"] = found.code.replace("-", "_")
    gettext.bindtextdomain(DOMAIN, str(bundled_catalogues()))
    gettext.textdomain(DOMAIN)
    with speaking(found):
        _translate(command)


def _translate(command: Any) -> None:
    from cxr_runtime.language import _

    if command.help:
        command.help = "\n\n".join(_(part.strip()) for part in command.help.split("\n\n"))
    _translate_fields(command, "rich_help_panel")
    for parameter in (*command.params, command.get_help_option(Context(command))):
        _translate_fields(parameter, "help", "show_default", "rich_help_panel")
    for child in getattr(command, "commands", {}).values():
        _translate(child)


def _translate_fields(item: Any, *names: str) -> None:
    from cxr_runtime.language import _

    for name in names:
        text = getattr(item, name, None)
        if isinstance(text, str) and text:
            setattr(item, name, _(text))
