"""What every app of the command line has: the options of all subcommands, and how a subcommand is added."""

from collections.abc import Callable
from typing import Annotated

import typer

DEBUG = "--debug"
Command = Callable[..., int]  # gives the exit status


def new_app() -> typer.Typer:
    """The command line without any subcommand."""
    app = typer.Typer(
        name="cxr-triage",
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Ranks chest X-ray films by how likely they are abnormal, offline. "
        "Research use only: it ranks films, it never clears one.",
    )
    app.callback()(_root)
    return app


def add(app: typer.Typer, panel: str, name: str, command: Command) -> None:
    """Add a subcommand to an app, in a panel of its help."""
    app.command(name, rich_help_panel=panel, help=paragraphs(command))(command)


def paragraphs(command: Command) -> str:
    """The docstring with one line a paragraph: the terminal wraps it, not the source file."""
    return "\n\n".join(" ".join(part.split()) for part in (command.__doc__ or "").split("\n\n"))


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"cxr-triage {version('cxr-triage')}")
        raise typer.Exit


def _root(
    _version_asked: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    _debug: Annotated[bool, typer.Option(DEBUG, help="Show the traceback of an error.")] = False,
) -> None:
    """Options of every subcommand."""
