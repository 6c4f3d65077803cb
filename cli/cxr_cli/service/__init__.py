"""`cxr-triage service write`: files by which a system starts the program, made from what it is to do."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from cxr_cli.service.duty import Duty, duty_of
from cxr_cli.service.launchd import launchd
from cxr_cli.service.systemd import systemd
from cxr_cli.service.windows import scheduled_task, winsw

KINDS = {"systemd": systemd, "windows-task": scheduled_task, "winsw": winsw, "launchd": launchd}
WORDS = {"allow_interspersed_args": False, "ignore_unknown_options": True}  # of the command stay its own


def write(
    context: typer.Context,
    kind: Annotated[
        Literal["systemd", "windows-task", "winsw", "launchd"],
        typer.Argument(metavar="KIND", help="systemd, windows-task, winsw or launchd."),
    ],
    words: Annotated[
        list[str],
        typer.Argument(metavar="COMMAND...", help="What runs, e.g. `appliance /etc/cxr-triage/clinic.toml`."),
    ],
    into: Annotated[
        Path | None,
        typer.Option(metavar="DIR", show_default="print them", help="Folder to write the files into."),
    ] = None,
    name: Annotated[str, typer.Option(metavar="NAME", help="Name of the service.")] = "cxr-triage",
    user: Annotated[
        str | None,
        typer.Option(metavar="NAME", show_default="cxr-triage, or LocalService", help="Who runs it."),
    ] = None,
    program: Annotated[
        str | None,
        typer.Option(
            metavar="PATH", show_default="this one, or where the pages install it", help="The program."
        ),
    ] = None,
    at: Annotated[str, typer.Option(metavar="HH:MM", help="When `scan` runs, every night.")] = "19:00",
    gpu: Annotated[bool, typer.Option("--gpu", help="Let the service at the GPU.")] = False,
) -> int:
    """Write what a system needs to start a command with the machine, or `scan` every night.

    COMMAND is appliance, watch, listen, serve or scan, with all that you would type behind it, and with whole
    paths. The files are printed, or with --into put into a folder.
    """
    from cxr_runtime.errors import UsageError
    from cxr_runtime.names import printable

    if into is not None and not into.is_dir():
        raise UsageError(f"--into {printable(str(into))} is not a folder that is there; make it first")
    commands: Any = context.find_root().command
    duty = duty_of(
        commands, words, kind=kind, name=name, user=user, program=program, at=at, with_gpu=gpu,
        defaults=context.find_root().default_map or {},
    )  # fmt: skip
    for file, content in KINDS[kind](duty).items():
        if into is None:
            typer.echo(content.decode("utf-16" if content.startswith(b"\xff\xfe") else "utf-8"), nl=False)
        else:
            _write(into / file, content)
    for path in duty.writes if kind == "systemd" else ():
        if not Path(path).exists():
            typer.echo(f"make {path} before you start the service, and give it to {duty.user}", err=True)
    return 0


def _write(path: Path, content: bytes) -> None:
    from cxr_runtime.atomic import write_bytes

    write_bytes(path, content)
    typer.echo(str(path))


__all__ = ["KINDS", "Duty", "write"]
