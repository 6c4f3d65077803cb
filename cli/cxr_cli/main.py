"""The command line: a subcommand is run, and errors are one line with their exit status."""

import os
import signal
import sys
import traceback
from copy import copy
from importlib.util import find_spec
from types import FrameType
from typing import Any, NoReturn

import typer
from typer.exceptions import TyperException
from typer.main import get_command

from cxr_cli import about_broken
from cxr_cli.ahead import processes_of
from cxr_cli.app import DEBUG, add, new_app
from cxr_cli.exit_status import ExitStatus
from cxr_cli.help_language import LANGUAGE_VARIABLE, OPTION, asked_language, translate_help
from cxr_cli.progress import OPEN_BARS
from cxr_cli.scan import scan
from cxr_cli.settings import as_defaults, has_settings, statements
from cxr_cli.usage_errors import usage_sentence

_EXTRAS = {  # package that may be missing -> the extra that brings it
    "torch": "train",
    "safetensors": "train",
    "matplotlib": "train",
    "onnx": "export",
    "onnxscript": "export",
    "openvino": "openvino",
    "playwright": "dev",
    "tensorrt": "tensorrt",
    "pynetdicom": "dicom",
    "nacl": "clinic",
    "ray": "cluster",
}


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit with its status.

    Args:
        arguments: as typed after the program's name; None takes them from the process.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    debug = DEBUG in arguments
    _end_in_order()
    sys.exit(_status([argument for argument in arguments if argument != DEBUG], debug))


def _end_in_order() -> None:
    """Take a request to end, and a terminal that is closed, as Ctrl-C; `nohup` keeps the latter away.

    On Windows a closed window, a log-off and Ctrl-Break come as SIGBREAK.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    on_windows = getattr(signal, "SIGBREAK", None)
    if on_windows is not None:
        signal.signal(on_windows, _interrupt)
    hang_up = getattr(signal, "SIGHUP", None)  # not on Windows
    if hang_up is not None and signal.getsignal(hang_up) is not signal.SIG_IGN:
        signal.signal(hang_up, _interrupt)


def _status(arguments: list[str], debug: bool) -> int:
    """Run one subcommand; the exit status is part of its contract."""
    from cxr_runtime.errors import CxrTriageError
    from cxr_runtime.memory import lacks_memory

    try:
        with OPEN_BARS, processes_of(arguments):
            status = _run(arguments or ["--help"])
    except TyperException as error:
        return _complain(usage_sentence(error, arguments), error.exit_code, debug)
    except CxrTriageError as error:
        return _complain(str(error), error.exit_status, debug)
    except Exception as error:
        if not (isinstance(error, ImportError | OSError) or lacks_memory(error)):
            raise
        return _complain(_about_machine(error), ExitStatus.FAILED, debug)
    if status == ExitStatus.INTERRUPTED:
        return _complain(
            "interrupted; what was done is kept: run the same command again to continue",
            ExitStatus.INTERRUPTED,
            debug,
        )
    return status if isinstance(status, int) else 0


def _needed(name: str) -> typer.Typer:
    """The app with one command alone, where no setting may be meant for others: to make all takes longer."""
    if name == "scan" and not has_settings():  # nor are the others loaded
        add(alone := new_app(), "Clinic", name, scan)
        return alone
    from cxr_cli.commands import app

    alone = copy(app)
    alone.registered_commands = [one for one in app.registered_commands if one.name == name]
    alone.registered_groups = []
    return alone if alone.registered_commands and name != "settings" and not has_settings() else app


def _spoken_command(arguments: list[str]) -> Any:  # Any: what Typer makes of an app
    """The command line as far as it is needed, its help in the language that is asked for."""
    command = get_command(_needed(arguments[0]))
    if any(word.startswith(OPTION) for word in arguments) or LANGUAGE_VARIABLE in os.environ:
        name = asked_language(arguments)
        if name is not None:
            translate_help(command, name)
    return command


def _run(arguments: list[str]) -> object:
    """What a subcommand gives; the settings stand where an option is not typed."""
    command = _spoken_command(arguments)
    asks_only = {"--help", "--version"} & {*arguments} or arguments[0] == "settings"
    stated = {} if asks_only else statements(command)
    defaults = as_defaults(command, stated)
    return command(arguments, prog_name="cxr-triage", standalone_mode=False, default_map=defaults)


def _complain(sentence: str, status: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    typer.echo(f"cxr-triage: {' '.join(sentence.split())}", err=True)
    return status


def _about_machine(error: Exception) -> str:
    from cxr_runtime.errors import how_to_install
    from cxr_runtime.memory import about_limit

    match error:
        case ImportError(name=name):
            package = (name or "").partition(".")[0]
            if package in _EXTRAS and find_spec(package) is None:
                extra = _EXTRAS[package]
                return f"this command needs {package}, which is not installed: {how_to_install(extra)}"
            return about_broken(error)
        case OSError():
            where = f" at {error.filename}" if error.filename else ""
            reason = error.strerror or error
            return f"the system refused{where}: {reason}; mend that, and run the same command again"
        case _:
            return f"memory ran out{about_limit()}; run the same command again"


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
