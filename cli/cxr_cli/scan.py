"""`cxr-triage scan`: the thin face of `cxr_runtime.scan`."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxr_cli.exit_status import ExitStatus
from cxr_cli.film_options import (
    AllowUncalibrated,
    Backend,
    BatchSize,
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
    sending_route,
    sent_all,
    with_results,
)
from cxr_runtime.files import DEFAULT_FORMAT_LIST, PREVIEW_QUALITY

if TYPE_CHECKING:
    from cxr_runtime.scanning.scan import ScanSummary

MOST_NAMED = 3  # files that could not be written, by name


def scan(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...", show_default=False, help="Films, folders with all below them, zip files."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            show_default="NAME-cxr-triage beside the first INPUT",
            help="Folder for the worklist and all other results.",
        ),
    ] = None,
    model: Model = "default",
    calibration: Calibration = None,
    backend: Backend = "auto",
    operating_point: OperatingPoint = None,
    heat: Heat = "cam",
    lung_outline: LungOutline = False,
    preview_quality: PreviewQuality = PREVIEW_QUALITY,
    workers: Workers = None,
    memory: Memory = None,
    batch_size: BatchSize = 8,
    formats: Formats = DEFAULT_FORMAT_LIST,
    worklist_size: WorklistSize = None,
    allow_uncalibrated: AllowUncalibrated = False,
    require_gpu: RequireGpu = False,
    require_sandbox: RequireSandbox = False,
    require_signed: RequireSigned = False,
    identity: Identity = None,
    force: Annotated[
        bool, typer.Option("--force", help="Score all films again, also those that are finished.")
    ] = False,
    share_with: ShareWith = None,
    follow_links: FollowLinks = False,
    dated: Dated = False,
    exit_zero: Annotated[
        bool, typer.Option("--exit-zero", help="End with 0, not 3, if films were rejected or failed.")
    ] = False,
    language: Language = None,
    colours: ColourScale = None,
    prevalence: Prevalence = None,
    pdf_pages: PdfPages = None,
    part: Annotated[
        str | None,
        typer.Option(
            metavar="I/N",
            show_default="all",
            help="Scan the I-th of N parts of the films; `cxr-triage merge` joins the folders of all.",
        ),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS|local",
            show_default="this machine alone",
            help="Let the machines of a Ray cluster do the films; INPUT may then be s3://BUCKET/FOLDER, too.",
        ),
    ] = None,
    profile: Annotated[
        bool, typer.Option("--profile", help="Print what each stage of the scan was busy with.")
    ] = False,
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
    """Rank films by how likely they are abnormal and write heat-map reports.

    Run the same command again to continue a scan that was interrupted. Films that are finished are not scored
    again.

    Exit status: 0 every film scored, 3 some rejected or failed, 2 wrong usage, 1 could not run, could not
    write a report that another program has open, or could not send every result, 130 interrupted.
    """
    from cxr_runtime.memory import check_memory

    check_memory()  # under a low limit, what is imported next may end the process without a word
    from cxr_cli.progress import terminal_or_lines
    from cxr_runtime.progress import Silence
    from cxr_runtime.scanning.options import ScanOptions
    from cxr_runtime.scanning.profile import NoProfile, Profile
    from cxr_runtime.scanning.scan import scan as scan_films
    from cxr_runtime.sources.part import Part

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
    options = replace(
        with_results(screening, route),
        batch_size=batch_size,
        force=force,
        is_dated=dated,
        follow_links=follow_links,
        part=None if part is None else Part.parse(part),
    )
    measured = Profile() if profile else NoProfile()
    with opened_journal(log_file, log_format, on_screen=False) as journal:
        progress = Silence() if quiet else terminal_or_lines()
        if cluster is None:
            summary = scan_films(inputs, options, progress, journal, profile=measured)
        else:
            from cxr_runtime.cluster.scan import scan_on_cluster

            options = replace(options, cluster=cluster)
            summary = scan_on_cluster(inputs, options, progress, journal, measured)
        if not quiet:
            typer.echo(_told(summary))
        if isinstance(measured, Profile):
            typer.echo(f"\n{measured}")
        is_sent = route is None or sent_all(route, summary.out, journal, quiet=quiet)
    if summary.refused:
        typer.echo(f"cxr-triage: {about_refused(summary.refused)}", err=True)
        return ExitStatus.FAILED
    if not is_sent:
        return ExitStatus.FAILED
    is_not_scored = bool(summary.tally.rejected or summary.tally.failed)
    return ExitStatus.AMISS if is_not_scored and not exit_zero else ExitStatus.DONE


def _told(summary: "ScanSummary") -> str:
    from cxr_runtime.language import counted
    from cxr_runtime.names import printable
    from cxr_runtime.reports.wording import folders_of_results

    counts = summary.tally
    review = f", {counts.review} to review" if counts.review else ""
    told = (
        f"{counted(counts.films)}: {counts.scored} scored ({counts.flagged} flagged{review}), "
        f"{counts.rejected} rejected, {counts.failed} failed"
    )
    before = f"; {summary.finished_before} finished before" if summary.finished_before else ""
    others = f"; {counted(summary.passed_over, 'other file')} passed over" if summary.passed_over else ""
    results = f"; {folders_of_results(summary.results)}" if summary.results else ""
    anew = ""
    if summary.distrusted:
        anew = f"; {counted(summary.distrusted)} done anew: their rows were made elsewhere, or changed"
    study = ""
    if summary.without_study:
        study = (
            f"; no DICOM results for {counted(summary.without_study)} without a study that they could stand "
            "in: only DICOM has one, by its Study Instance UID"
        )
    seen = f"; {counted(summary.seen_before)} of earlier days left out" if summary.seen_before else ""
    where = f"{printable(str(summary.out))}{f' ({summary.backend})' if summary.backend else ''}"
    last = f"\n{summary.foreign}" if summary.foreign else ""
    return f"{told}{before}{seen}{others}{results}{anew}{study}\nreports in {where}{last}"


def about_refused(refused: Mapping[str, str]) -> str:
    """What to say of files that could not be written, given with the system's reasons."""
    named = [f"{name} ({reason})" for name, reason in list(refused.items())[:MOST_NAMED]]
    more = len(refused) - len(named)
    others = f" and {more} more" if more else ""
    return (
        f"{', '.join(named)}{others} could not be written; close the program that has it open, or mend what "
        "the system says: the same command then writes it, and does no film twice"
    )
