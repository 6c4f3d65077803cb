"""`cxr-triage send`, and the options by which other commands send, too."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxr_cli.exit_status import ExitStatus
from cxr_cli.film_options import Identity, LogFile, LogLines, Quiet, opened_journal

if TYPE_CHECKING:
    from cxr_runtime.journal import Journal
    from cxr_runtime.scanning.options import ScanOptions
    from cxr_runtime.sending.route import Route
    from cxr_runtime.sending.sender import Sent
    from cxr_runtime.sending.status import ArchiveStatus

_SHOWN_DIGITS = 24  # of a film's sha256, as its results are named
_PANEL = "Sending"
To = Annotated[
    str | None,
    typer.Option(
        metavar="AET@HOST:PORT|URL",
        show_default="nowhere",
        help="Archive that gets the results: a PACS, or a DICOMweb service by its http(s) address.",
        rich_help_panel=_PANEL,
    ),
]
What = Annotated[
    str,
    typer.Option("--what", metavar="LIST", help="Any of sc,pdf,sr.", rich_help_panel=_PANEL),
]
Aet = Annotated[
    str,
    typer.Option("--aet", metavar="AET", help="Our own AE title.", rich_help_panel=_PANEL),
]
TlsCa = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        show_default="no TLS; with https the system's",
        help="Certificates that vouch for the archive (PEM); with one, DICOM is sent by TLS.",
        rich_help_panel=_PANEL,
    ),
]
TlsCert = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        show_default="none",
        help="Our own certificate (PEM), for an archive that asks for one.",
        rich_help_panel=_PANEL,
    ),
]
TlsKey = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        show_default="in --tls-cert",
        help="Key of our certificate (PEM).",
        rich_help_panel=_PANEL,
    ),
]
Login = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        show_default="none",
        help="File with one line, NAME:PASSWORD, for a DICOMweb service.",
        rich_help_panel=_PANEL,
    ),
]
ALL_KINDS = "sc,pdf,sr"
OWN_TITLE = "CXR-TRIAGE"


def send(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", show_default=False, help="Output folder of scans, or of days.")
    ],
    to: To = None,
    what: What = ALL_KINDS,
    identity: Identity = None,
    status: Annotated[
        bool, typer.Option("--status", help="Show what was sent, what waits and what was refused.")
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Send what the archive refused for good once more.")
    ] = False,
    keep_trying: Annotated[
        bool, typer.Option("--keep-trying", help="Wait and try again until all is sent or refused.")
    ] = False,
    aet: Aet = OWN_TITLE,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    login: Login = None,
    quiet: Quiet = False,
    log_file: LogFile = None,
    log_format: LogLines = "text",
) -> int:
    """Send the DICOM results of scans to an archive.

    DIR remembers what each archive has: nothing is sent twice, and the same command sends what it could not
    send before. Results are made by `scan`, `watch` and `listen` with --format dicom, or with --to.

    A day whose store cannot be read keeps no other one back; the command ends with what is wrong with it.

    Exit status: 0 the archive has all, 3 it refused some or could not be reached, 2 wrong usage, 1 could not
    send.
    """
    from cxr_runtime.errors import UsageError
    from cxr_runtime.sending.options import readable, refuse_other_identity, said_identity
    from cxr_runtime.sending.sender import Sender
    from cxr_runtime.sending.status import status_of
    from cxr_runtime.store.folder import folders_with_stores
    from cxr_runtime.store.opening import store_in

    folders, damage = readable(folders_with_stores(folder) or [store_in(folder).parent])
    if damage is not None and not folders:
        raise damage
    if status:
        shown = _shown([(at, each) for at in folders for each in status_of(at)])
        if damage is not None:
            raise damage
        return shown
    route = sending_route(to, what, aet, tls_ca, tls_cert, tls_key, login, identity)
    if route is None:
        raise UsageError("nowhere to send to; expected --to AET@HOST:PORT or an http(s) address, or --status")
    for at in folders:
        refuse_other_identity(at, said_identity(identity))
    with (
        opened_journal(log_file, log_format, on_screen=False) as journal,
        Sender(lambda: folders, route.destination, route.kinds, journal, retry_failed) as sender,
    ):
        done = sender.round(at_once=True)
        done = sender.keep_on(done) if keep_trying else done
    if not quiet:
        typer.echo(about_sent(done, route.destination.name))
    if damage is not None:
        raise damage
    return ExitStatus.AMISS if done.left or done.refused else ExitStatus.DONE


def sending_route(
    to: str | None,
    what: str,
    aet: str,
    tls_ca: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    login: Path | None,
    identity: str | None,
) -> "Route | None":
    """Where a command sends results; None where it does not.

    Raises:
        CxrTriageError: an option is not what it should be, something is not installed, or nobody has said
            what results may carry.
    """
    if to is None:
        return None
    from cxr_runtime.sending.address import parse_kinds
    from cxr_runtime.sending.options import SendingOptions

    options = SendingOptions(to, parse_kinds(what), aet, tls_ca, tls_cert, tls_key, login)
    return options.route(identity)


def with_results(options: "ScanOptions", route: "Route | None") -> "ScanOptions":
    """How films are scored, with the results that are to be sent."""
    return options if route is None else options.with_results(route.kinds)


def beside(route: "Route | None", out: Path, journal: "Journal") -> AbstractContextManager[object]:
    """Sends beside a service, where it is to send."""
    return nullcontext() if route is None else route.beside(out, journal)


def sent_all(route: "Route", out: Path, journal: "Journal", *, quiet: bool) -> bool:
    """Send what was made, and say so; whether the archive has all."""
    done = route.send_all(out, journal)
    is_all = not (done.left or done.refused)
    if not (quiet and is_all):
        typer.echo(about_sent(done, route.destination.name), err=not is_all)
    return is_all


def about_sent(done: "Sent", target: str) -> str:
    """What a round came to, in a line."""
    from cxr_runtime.language import counted

    if not (done.sent or done.refused or done.left):
        return f"{target} has all results"
    wait = "waits" if done.left == 1 else "wait"
    warned = f" ({done.warned} with a warning)" if done.warned else ""
    refused = f", {done.refused} refused for good" if done.refused else ""
    left = f", {done.left} {wait} to be sent" if done.left else ""
    trouble = f"; {target} {done.trouble}" if done.trouble else ""
    more = "; --status says more" if done.warned or done.refused or done.left else ""
    return f"{counted(done.sent, 'result')} sent to {target}{warned}{refused}{left}{trouble}{more}"


def _shown(found: Sequence[tuple[Path, "ArchiveStatus"]]) -> int:
    """Print how archives stand; the exit status."""
    from cxr_runtime.names import printable

    if not found:
        typer.echo("no result was ever sent from here")
    for folder, archive in found:
        typer.echo(
            f"{printable(str(folder))} to {printable(archive.target)}: {archive.sent} sent, "
            f"{archive.waiting} waiting, {archive.refused} refused for good"
        )
        if archive.trouble:
            typer.echo(f"  at the last try it {printable(archive.trouble)}")
        if archive.due is not None:
            typer.echo(f"  next try after {archive.due.astimezone():%Y-%m-%d %H:%M:%S}")
        for (state, kind, said), count in sorted(archive.reasons.items()):
            typer.echo(f"  {count} {printable(kind)} {state}: {printable(said)}")
        for sha256, kind in archive.films:
            typer.echo(
                f"  refused: {printable(kind)} of the film with sha256 {printable(sha256[:_SHOWN_DIGITS])}"
            )
    is_amiss = any(archive.waiting or archive.refused for _, archive in found)
    return ExitStatus.AMISS if is_amiss else ExitStatus.DONE
