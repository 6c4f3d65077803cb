"""`cxr-triage user` and `audit`: who may log in to `serve`, and whether the record of acts is whole."""

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer

from cxr_cli.exit_status import ExitStatus
from cxr_cli.report_options import Language

Folder = Annotated[Path, typer.Argument(metavar="DIR", show_default=False, help="Output folder of scans.")]
Name = Annotated[str, typer.Argument(metavar="NAME", show_default=False, help="Of the account.")]


def add_user(
    folder: Folder,
    name: Name,
    role: Annotated[str, typer.Option(metavar="ROLE", help="reader, admin or read-only.")] = "reader",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input, one line.")
    ] = False,
) -> int:
    """Add an account for `serve`, or give one another password and role.

    Once there is an account, `serve` asks for a login, also on this machine.

    Exit status: 0 done, 1 the store cannot be written, 2 wrong usage.
    """
    from cxr_runtime.errors import UsageError
    from cxr_runtime.store.accounts import Account, Role, check_name, hashed
    from cxr_runtime.store.audit import Act
    from cxr_runtime.store.desk import Desk

    check_name(name)
    if role not in set(Role):
        raise UsageError(f"--role is {role!r}; expected one of {', '.join(Role)}")
    with Desk.open(folder) as desk:
        digest = hashed(_password(is_from_stdin=password_stdin))
        is_there = desk.accounts.get(name) is not None
        act = Act.USER_CHANGED if is_there else Act.USER_ADDED
        with desk.acting(_user(), act, f"{name} {role}") as now:
            desk.accounts.put(Account(name, Role(role), digest, now))
    typer.echo(f"{name} can log in as {role}{'; the earlier password is void' if is_there else ''}")
    return 0


def list_users(folder: Folder) -> int:
    """List the accounts of `serve`.

    Exit status: 0 done, 1 the store cannot be read, 2 wrong usage.
    """
    from cxr_runtime.store.desk import Desk

    with Desk.to_read(folder) as desk:
        for account in desk.accounts.every():
            typer.echo(f"{account.name:<40} {account.role:<10} since {account.made[:10]}")
    return 0


def remove_user(folder: Folder, name: Name) -> int:
    """Remove an account of `serve`. What it has said of films stays.

    Exit status: 0 done, 1 the store cannot be written, 2 there is no such account.
    """
    from cxr_runtime.errors import UsageError
    from cxr_runtime.names import printable
    from cxr_runtime.store.audit import Act
    from cxr_runtime.store.desk import Desk

    with Desk.open(folder) as desk, desk.acting(_user(), Act.USER_REMOVED, name):
        if not desk.accounts.remove(name):
            raise UsageError(
                f"there is no account {printable(name)}; `cxr-triage user list` shows those there are"
            )
    typer.echo(f"{printable(name)} cannot log in any more")
    return 0


def verify_audit(
    folder: Folder,
    head: Annotated[
        str,
        typer.Option(
            metavar="DIGEST", show_default="none", help="Digest that was printed earlier: it must be there."
        ),
    ] = "",
) -> int:
    """Check the record of who did what: every entry holds a digest of the one before.

    Note the digest that is printed: with --head it shows later that the end was not cut off.

    Exit status: 0 the chain is whole, 3 it is not, 1 the store cannot be read, 2 wrong usage.
    """
    from cxr_runtime.language import counted
    from cxr_runtime.store.desk import Desk

    with Desk.to_read(folder) as desk:
        found = desk.audit.verify(head)
    if found.wrong is not None:
        missing = head and found.wrong > found.entries
        why = (
            "no entry bears that digest: the end was cut off"
            if missing
            else f"it breaks at entry {found.wrong}"
        )
        typer.echo(f"the audit is not whole: {why}")
        return ExitStatus.AMISS
    were = "was" if found.elsewhere == 1 else "were"
    elsewhere = f"; {found.elsewhere} {were} not written by this machine" if found.elsewhere else ""
    typer.echo(f"{counted(found.entries, 'entry', 'entries')}, the chain is whole{elsewhere}")
    typer.echo(f"digest of the last one: {found.head or 'none'}")
    return 0


def _password(*, is_from_stdin: bool) -> str:
    if is_from_stdin:
        return sys.stdin.readline().rstrip("\n")
    from cxr_runtime.errors import UsageError

    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask for the password; give --password-stdin")
    first = getpass.getpass("password (10 characters or more): ")
    if first != getpass.getpass("once more: "):
        raise UsageError("the two passwords differ; run the same command again")
    return first


def _user() -> str:
    try:
        return getpass.getuser()[:40]
    except (OSError, KeyError):
        return "this-machine"


def tally(
    folder: Folder,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", show_default="none", help="Write it as a CSV.")
    ] = None,
    pdf: Annotated[
        Path | None, typer.Option(metavar="FILE", show_default="none", help="Write it as a PDF.")
    ] = None,
    language: Language = None,
) -> int:
    """Count by month: films screened, flagged, read, called abnormal, confirmed; and hours until read.

    Exit status: 0 done, 1 the store cannot be read, or a file not written, 2 wrong usage.
    """
    from cxr_cli.report_options import page_language
    from cxr_runtime.access import PRIVATE
    from cxr_runtime.atomic import write_bytes
    from cxr_runtime.reports.monthly import COLUMNS, months, tally_csv, tally_pdf
    from cxr_runtime.store.desk import Desk

    with page_language(language), Desk.to_read(folder) as desk:
        found = months(desk)
        if csv is not None:
            write_bytes(csv, tally_csv(found).encode(), PRIVATE)
        if pdf is not None:
            write_bytes(pdf, tally_pdf(desk, found), PRIVATE)
    widths = [max(len(name), 8) for name in COLUMNS]
    for row in (COLUMNS, *(month.row for month in found)):
        typer.echo("  ".join(f"{value!s:>{width}}" for value, width in zip(row, widths, strict=True)))
    return 0
