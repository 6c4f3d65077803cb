"""What a service is to do: a command line of this program, and what it needs of the machine."""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
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
_OUTSIDE = ("to", "host")  # options of commands that use the network


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
        at if words[0] == NIGHTLY else None,
        with_gpu,
    )


def _asked(command: Any, words: Sequence[str], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The command's parameters, checked as when it runs."""
    context = command.make_context(words[0], list(words[1:]), default_map=defaults.get(words[0]))
    found: dict[str, Any] = context.params
    return found


def _places(command: str, asked: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Folders that are written, and what is read."""
    from cxr_runtime.errors import UsageError

    if command == "appliance":
        return _of_clinic(asked.get("clinic"))
    out = asked.get("folder") if command == "serve" else asked.get("out")
    if out is None:
        raise UsageError(f"the folder for results is missing; add `--out DIR` to `{command}`")
    log = asked.get("log_file")
    read = [*asked.get("folders", ()), *asked.get("inputs", ())]
    return _distinct([out, *([log.parent] if log else [])]), _distinct(read)


def _of_clinic(clinic: Path | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    from cxr_runtime.appliance.settings_file import SEE_EXAMPLE, read_settings
    from cxr_runtime.errors import UsageError

    if clinic is None:
        raise UsageError(f"CLINIC.toml is missing; expected a file of settings: {SEE_EXAMPLE}")
    stated = read_settings(clinic)
    log = stated.log.file
    written = [stated.out, stated.health_file.parent, *([log.parent] if log else [])]
    watched = [] if stated.watch is None else stated.watch.folders
    return _distinct(written), _distinct([clinic, *watched])


def _has_network(command: str, asked: Mapping[str, Any]) -> bool:
    if command == "appliance":
        from cxr_runtime.appliance.settings_file import read_settings

        stated = read_settings(asked["clinic"])
        return any(part is not None for part in (stated.listen, stated.send, stated.serve, stated.alert))
    return any(asked.get(option) for option in _OUTSIDE)


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
