"""What a service is to do: a command line of this program, and what it needs of the machine."""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any

NIGHTLY = "scan"  # the command that ends by itself
COMMANDS = ("appliance", "watch", "listen", "serve", NIGHTLY)
USERS = {"windows-task": "LocalService", "winsw": "LocalService"}
PROGRAMS = {
    "windows-task": r"C:\Program Files\cxr-triage\Scripts\cxr-triage.exe",
    "winsw": r"C:\Program Files\cxr-triage\Scripts\cxr-triage.exe",
}
_NAME, _TIME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,60}"), re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_OUTSIDE = ("to", "host", "cluster")  # options of commands that use the network
_LISTENING = ("listen", "serve")  # commands, and tables of an appliance, with a port of this machine
_PRIVILEGED = 1024  # ports below are the system's: whoever listens there needs its leave
_URL = "://"  # in an INPUT that lies in an object store


@dataclass(frozen=True)
class Duty:
    """What a service is to do."""

    name: str
    user: str  # who runs it
    program: str  # path
    words: tuple[str, ...]  # of its command line
    writes: tuple[str, ...]  # folders
    reads: tuple[str, ...]  # files and folders
    has_network: bool  # it listens or connects
    listens_as_system: bool  # at a port that a plain user may not take, as DICOM's own, 104
    at: str | None  # HH:MM at which it begins every night; None: with the machine
    with_gpu: bool

    @property
    def about(self) -> str:
        """A line for whoever looks at the list of services."""
        return f"cxr-triage {self.words[0]}: chest films are scored" + (" every night" if self.at else "")


def duty_of(
    commands: Any,
    words: Sequence[str],
    *,
    kind: str,
    name: str,
    user: str | None,
    program: str | None,
    at: str,
    with_gpu: bool,
    defaults: Mapping[str, Any],
) -> Duty:
    """Take a command line apart as the program itself would.

    Args:
        commands: the group of all of them.
        words: the command line.
        kind: of the files that are written.
        name: of the service.
        user: who runs it; None: the usual one of that kind.
        program: path of the program; None: this one, or where the pages install it.
        at: HH:MM at which `scan` runs.
        with_gpu: whether it may use the GPU.
        defaults: values of options that are not typed, by command.

    Raises:
        UsageError: a name or time is none, the command is no service, or a path is not whole.
    """
    from cxr_runtime.errors import UsageError

    if not _NAME.fullmatch(name):
        raise UsageError(f"--name {name!r} is not a name of a service; expected letters, digits, - and _")
    if not _TIME.fullmatch(at):
        raise UsageError(f"--at {at!r} is not a time of day; expected one as 19:00")
    if words[0] not in COMMANDS:
        raise UsageError(f"{words[0]!r} is not a service; expected one of {', '.join(COMMANDS)}")
    asked = _asked(commands.commands[words[0]], words, defaults)
    if words[0] == "appliance":
        asked = _of_clinic(asked.get("clinic"))
    writes, reads = _places(words[0], asked)
    _check_whole([*writes, *reads], PureWindowsPath if kind in PROGRAMS else PurePosixPath)
    return Duty(
        name,
        user or USERS.get(kind, "cxr-triage"),
        program or PROGRAMS.get(kind) or _this_program(),
        tuple(words),
        writes,
        reads,
        _has_network(words[0], asked),
        any(port < _PRIVILEGED for port in _ports(words[0], asked)),
        at if words[0] == NIGHTLY else None,
        with_gpu,
    )


def _asked(command: Any, words: Sequence[str], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The command's parameters, checked as when it runs."""
    context = command.make_context(words[0], list(words[1:]), default_map=defaults.get(words[0]))
    found: dict[str, Any] = context.params
    return found


def _of_clinic(clinic: Path | None) -> dict[str, Any]:
    """What the tables of an appliance say, and where it writes."""
    from cxr_runtime.appliance.settings_file import SEE_EXAMPLE, read_settings
    from cxr_runtime.errors import UsageError

    if clinic is None:
        raise UsageError(f"CLINIC.toml is missing; expected a file of settings: {SEE_EXAMPLE}")
    stated = read_settings(clinic)
    return {**stated.model_dump(), "clinic": clinic, "health": {"file": stated.health_file}}


def _places(command: str, asked: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Folders that are written, and what is read."""
    from cxr_runtime.errors import UsageError

    out = asked.get("folder") if command == "serve" else asked.get("out")
    if out is None:
        raise UsageError(f"the folder for results is missing; add `--out DIR` to `{command}`")
    files = [asked.get("log_file"), *(asked.get(table, {}).get("file") for table in ("log", "health"))]
    writes = _distinct([out, *(file.parent for file in files if file is not None)])
    return writes, _distinct(path for path in _read(asked) if path != out and path not in files)


def _read(asked: Any, name: str = "") -> Iterator[str | Path]:
    """Files and folders that options or tables name."""
    if isinstance(asked, Mapping):
        for inner, value in asked.items():
            yield from _read(value, inner)
    elif isinstance(asked, (list, tuple)):
        for value in asked:
            yield from _read(value, name)
    elif isinstance(asked, Path) or (isinstance(asked, str) and _is_place(name, asked)):
        yield asked


def _is_place(name: str, text: str) -> bool:
    """Whether an option's text is the path of a file or folder here."""
    if name == "model":  # else it is the name of one that came with the program
        return any(kind(text).is_absolute() for kind in (PurePosixPath, PureWindowsPath))
    return name in ("folders", "inputs") and _URL not in text


def _has_network(command: str, asked: Mapping[str, Any]) -> bool:
    if command == "appliance":
        return any(asked[table] is not None for table in (*_LISTENING, "send", "alert"))
    return any(asked.get(option) for option in _OUTSIDE) or any(
        _URL in one for one in asked.get("inputs", ())
    )


def _ports(command: str, asked: Mapping[str, Any]) -> list[int]:
    """Ports of this machine at which it is to listen."""
    tables = [asked.get(table) for table in _LISTENING] if command == "appliance" else [asked]
    return [table["port"] for table in tables if table and table.get("port")]


def _distinct(paths: Iterable[Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(str, paths)))


def _check_whole(paths: Iterable[str], kind: type[PurePath]) -> None:
    from cxr_runtime.errors import UsageError

    system, whole = ("Windows", r"C:\films") if kind is PureWindowsPath else ("Linux or macOS", "/srv/films")
    for path in paths:
        if not kind(path).is_absolute():
            raise UsageError(
                f"{path} is not a whole path of {system}, as {whole} is; a service starts in another folder: "
                "write all of it"
            )


def _this_program() -> str:
    typed = Path(sys.argv[0])
    if typed.stem == "cxr-triage" and typed.is_absolute():
        return str(typed)
    return str(Path(sys.executable).with_name("cxr-triage"))
