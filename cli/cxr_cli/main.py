"""The command line: every subcommand by name, and errors as one line with their exit status."""

import signal
import sys
import traceback
from types import FrameType
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from cxr_cli.scan import scan

EXIT_INTERRUPTED = 130  # what Typer makes of a KeyboardInterrupt
_DEBUG = "--debug"

app = typer.Typer(
    name="cxr-triage",
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Ranks chest X-ray films by how likely they are abnormal, offline. "
    "Research use only: it ranks films, it never clears one.",
)
app.command("scan")(scan)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"cxr-triage {version('cxr-triage')}")
        raise typer.Exit


@app.callback()
def _root(
    _version_asked: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    _debug: Annotated[bool, typer.Option(_DEBUG, help="Show the traceback of an error.")] = False,
) -> None:
    """Options of every subcommand."""


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit with its status.

    Args:
        arguments: as typed after the program's name; None takes them from the process.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    debug = _DEBUG in arguments
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(_status([argument for argument in arguments if argument != _DEBUG], debug))


def _status(arguments: list[str], debug: bool) -> int:
    """Run one subcommand; the exit status is part of its contract."""
    from cxr_runtime.errors import CxrTriageError

    try:
        status = app(arguments or ["--help"], prog_name="cxr-triage", standalone_mode=False)
    except TyperException as error:
        return _complain(f"{error.format_message()} (see `cxr-triage --help`)", error.exit_code, debug)
    except CxrTriageError as error:
        return _complain(str(error), error.exit_status, debug)
    except OSError as error:
        return _complain(_about_system(error), 1, debug)
    if status == EXIT_INTERRUPTED:
        return _complain("interrupted; what was done is kept: the same command goes on", status, debug)
    return status if isinstance(status, int) else 0


def _complain(sentence: str, status: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    typer.echo(f"cxr-triage: {' '.join(sentence.split())}", err=True)
    return status


def _about_system(error: OSError) -> str:
    where = f" at {error.filename}" if error.filename else ""
    return f"the system refused{where}: {error.strerror or error}; nothing already done is lost"


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
