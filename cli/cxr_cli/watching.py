"""`cxr-triage watch`: the thin face of `cxr_runtime.arrivals`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxr_cli.exit_status import ExitStatus
from cxr_cli.film_options import (
    AllowUncalibrated,
    Backend,
    Calibration,
    Dated,
    FollowLinks,
    Formats,
    Heat,
    Identity,
    LogFile,
    LogLines,
    LungOutline,
    Memory,
    Model,
    OperatingPoint,
    PreviewQuality,
    Quiet,
    RequireGpu,
    RequireSandbox,
    RequireSigned,
    ShareWith,
    Workers,
    opened_journal,
)
from cxr_cli.report_options import ColourScale, Language, PdfPages, Prevalence, WorklistSize, presentation_of
from cxr_cli.sending import (
    ALL_KINDS,
    OWN_TITLE,
    Aet,
    Login,
    TlsCa,
    TlsCert,
    TlsKey,
    To,
    What,
    beside,
    sending_route,
    sent_all,
    with_results,
)
from cxr_runtime.files import DEFAULT_FORMAT_LIST, PREVIEW_QUALITY

if TYPE_CHECKING:
    from cxr_runtime.arrivals.service import Service


def watch(
    folders: Annotated[
        list[str], typer.Argument(metavar="FOLDER...", help="Folders into which films are put.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the worklist and all other results.")],
    once: Annotated[bool, typer.Option("--once", help="End when all films that are there are done.")] = False,
    dated: Dated = False,
    model: Model = "default",
    calibration: Calibration = None,
    backend: Backend = "auto",
    operating_point: OperatingPoint = None,
    heat: Heat = "cam",
    lung_outline: LungOutline = False,
    preview_quality: PreviewQuality = PREVIEW_QUALITY,
    workers: Workers = None,
    memory: Memory = None,
    formats: Formats = DEFAULT_FORMAT_LIST,
    worklist_size: WorklistSize = None,
    allow_uncalibrated: AllowUncalibrated = False,
    require_gpu: RequireGpu = False,
    require_sandbox: RequireSandbox = False,
    require_signed: RequireSigned = False,
    identity: Identity = None,
    share_with: ShareWith = None,
    follow_links: FollowLinks = False,
    language: Language = None,
    colours: ColourScale = None,
    prevalence: Prevalence = None,
    pdf_pages: PdfPages = None,
    quiet: Quiet = False,
    log_file: LogFile = None,
    log_format: LogLines = "text",
    to: To = None,
    what: What = ALL_KINDS,
    aet: Aet = OWN_TITLE,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    login: Login = None,
) -> int:
    """Score each film that arrives in a folder, within seconds of its last byte, until you end it.

    Started again, it does what arrived meanwhile, and no film twice. Films that were moved or deleted keep
    their rows. Ctrl-C, or SIGTERM, finishes the films that have begun; a second one ends at once.

    Exit status: 0 ended as asked, whatever films were rejected or failed; 2 wrong usage, 1 could not go on,
    or not write reports, 3 (--once) an archive could not be reached, or refused results.
    """
    from cxr_runtime.memory import check_memory

    check_memory()
    from cxr_runtime.arrivals.service import Service, ServiceOptions
    from cxr_runtime.arrivals.watched import watched_folders
    from cxr_runtime.scanning.options import ScanOptions
    from cxr_runtime.workers.opener import Opener

    route = sending_route(to, what, aet, tls_ca, tls_cert, tls_key, login, identity)
    screening = ScanOptions.of_words(
        out,
        model=model,
        calibration=calibration,
        backend=backend,
        operating_point=operating_point,
        heat=heat,
        lung_outline=lung_outline,
        preview_quality=preview_quality,
        workers=workers,
        memory=memory,
        formats=formats,
        allow_uncalibrated=allow_uncalibrated,
        require_gpu=require_gpu,
        require_sandbox=require_sandbox,
        require_signed=require_signed,
        identity=identity,
        share_with=share_with,
        presentation=presentation_of(language, colours, prevalence, pdf_pages, worklist_size),
    )
    screening = with_results(screening, route)
    with opened_journal(log_file, log_format, on_screen=not quiet) as journal, Opener() as opener:
        watched = watched_folders(folders, out, journal, follow_links=follow_links, ask=opener.chunks)
        service = Service(
            watched, ServiceOptions(screening, tuple(folders), dated, once), journal, opener=opener
        )
        with beside(route, out, journal):
            service.run()
        if not quiet:
            typer.echo(told(service))
        if once and route is not None and not sent_all(route, out, journal, quiet=quiet):
            return ExitStatus.AMISS
    return status_of(service)


def status_of(service: "Service") -> ExitStatus:
    """How a service ended; reports that are missing are said."""
    from cxr_runtime.names import printable

    if service.has_reports:
        return ExitStatus.DONE
    out = printable(str(service.out))
    typer.echo(
        f"cxr-triage: reports of {out} could not be written; close programs that have them open, see that "
        f"the disk has room, and run `cxr-triage report {out}`",
        err=True,
    )
    return ExitStatus.FAILED


def told(service: "Service") -> str:
    """What a service that has ended says on the screen."""
    from cxr_runtime.names import printable

    counts = service.tally
    return (
        f"{counts.scored} scored ({counts.flagged} flagged), {counts.rejected} rejected, "
        f"{counts.failed} failed\nreports in {printable(str(service.out))}"
    )
