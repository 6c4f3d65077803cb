"""`cxr-triage lab bundle`, `parts` and `slim`: what a clinic installs, of what it consists, what may go."""

from pathlib import Path
from typing import Annotated, Literal

import typer

System = Literal["linux-x86-64", "linux-arm64", "windows-x86-64", "macos-arm64", "macos-x86-64"]


def make_offline_bundle(
    system: Annotated[System, typer.Option(help="The machines that it is for.")] = "linux-x86-64",
    python: Annotated[
        Literal["3.11", "3.12", "3.13", "3.14"], typer.Option(help="Version of Python there.")
    ] = "3.11",
    extras: Annotated[str, typer.Option(metavar="LIST", help="Extras that go with it.")] = "clinic",
    model: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", show_default="none", help="Model folder to add; may be repeated."),
    ] = None,
    checkout: Annotated[Path, typer.Option(metavar="DIR", help="The folder with pyproject.toml.")] = Path(),
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the bundle.")] = Path("dist"),
) -> int:
    """Make one file with which a clinic installs the program without a network.

    It holds wheels for one system with their digests, the models, the pages, all licences, a list of parts
    (CycloneDX), install.sh and install.ps1. It needs uv, git and a network.
    """
    from cxr_cli.bundle.making import Order, make_bundle

    out.mkdir(parents=True, exist_ok=True)
    made = make_bundle(Order(checkout, system, python, extras, out, tuple(model or ())))
    typer.echo(f"{made} ({made.stat().st_size >> 20} MB)")
    return 0


def print_parts() -> int:
    """Print what the base installation consists of, as a table: each package, its licence and its room."""
    from cxr_cli.bundle.slimming import parts_table

    typer.echo(parts_table())
    return 0


def drop_unused() -> int:
    """Remove what the program never loads from its libraries, e.g. codecs in which no film is stored.

    It does so in an environment of the program's own alone. `pip install --force-reinstall` brings all back.
    """
    from cxr_cli.bundle.slimming import MB, slim

    gone = slim()
    for name, size in sorted(gone.items(), key=lambda item: -item[1]):
        if size:
            typer.echo(f"{name}: {size / MB:.1f} MB")
    typer.echo(f"{sum(gone.values()) / MB:.1f} MB removed")
    return 0
