"""`cxr-triage listen`: the thin face of `cxr_runtime.arrivals`."""

from pathlib import Path
from typing import Annotated

import typer

from cxr_cli.film_options import (
    AllowUncalibrated,
    Backend,
    Calibration,
    Dated,
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
    Login,
    TlsCa,
    To,
    What,
    beside,
    sending_route,
    with_results,
)
from cxr_cli.watching import status_of, told
from cxr_runtime.files import DEFAULT_FORMAT_LIST, PREVIEW_QUALITY


def listen(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the worklist and all other results.")],
    host: Annotated[
        str,
        typer.Option(metavar="HOST", help="Address to listen at; 0.0.0.0: all of this machine's."),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen at.")] = 11112,
    aet: Annotated[str, typer.Option(metavar="AET", help="AE title that senders call.")] = "CXR-TRIAGE",
    allow: Annotated[
        list[str] | None,
        typer.Option(
            metavar="AET[@HOST]",
            show_default="anybody on this machine",
            help="Who may send: a calling AE title, at one host or at any; may be repeated.",
        ),
    ] = None,
    tls_cert: Annotated[
        Path | None,
        typer.Option(metavar="FILE", show_default="no TLS", help="Our certificate, PEM; with it, TLS alone."),
    ] = None,
    tls_key: Annotated[
        Path | None,
        typer.Option(metavar="FILE", show_default="in --tls-cert", help="Key of the certificate, PEM."),
    ] = None,
    tls_client_ca: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            show_default="senders need none",
            help="Who signs the certificates that senders must show, PEM.",
        ),
    ] = None,
    associations: Annotated[
        int, typer.Option(min=1, max=200, metavar="N", help="Senders at once; others are asked to try later.")
    ] = 16,
    keep_free: Annotated[
        str, typer.Option(metavar="SIZE", help="Room that stays free on the disk; films are refused before.")
    ] = "1G",
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
    drop_uncopied: Annotated[
        bool,
        typer.Option(
            "--drop-uncopied",
            help="Delete films that cannot be copied without names; else they stay in DIR/received/whole.",
        ),
    ] = False,
    allow_uncalibrated: AllowUncalibrated = False,
    require_gpu: RequireGpu = False,
    require_sandbox: RequireSandbox = False,
    require_signed: RequireSigned = False,
    identity: Identity = None,
    share_with: ShareWith = None,
    language: Language = None,
    colours: ColourScale = None,
    prevalence: Prevalence = None,
    pdf_pages: PdfPages = None,
    quiet: Quiet = False,
    log_file: LogFile = None,
    log_format: LogLines = "text",
    to: To = None,
    what: What = ALL_KINDS,
    tls_ca: TlsCa = None,
    login: Login = None,
) -> int:
    """Receive films by DICOM and score each within seconds, until you end it.

    Takes C-ECHO, and C-STORE of CR, DX and Secondary Capture. A film is acknowledged when it is on the disk,
    in DIR/received. Started again, it scores what it had received, and no film twice. Ctrl-C, or SIGTERM,
    finishes the films that have begun; a second one ends at once.

    Exit status: 0 ended as asked, whatever films were rejected or failed; 2 wrong usage, 1 could not go on,
    or not write reports.
    """
    from cxr_runtime.memory import check_memory

    check_memory()
    from cxr_runtime.arrivals.receiver.copies import copies_beside
    from cxr_runtime.arrivals.receiver.receiver import Receiver
    from cxr_runtime.arrivals.receiver.receiving import Receiving
    from cxr_runtime.arrivals.service import Service, ServiceOptions
    from cxr_runtime.machine_memory import bytes_of
    from cxr_runtime.scanning.options import ScanOptions
    from cxr_runtime.sending.address import ae_title

    asked = Receiving(
        host=host,
        port=port,
        title=ae_title(aet, "--aet"),
        allow=tuple(allow or ()),
        tls_cert=tls_cert,
        tls_key=tls_key,
        tls_client_ca=tls_client_ca,
        associations=associations,
        free_bytes=bytes_of(keep_free, "--keep-free"),
    )
    receiving = asked.options()
    own = (tls_cert, tls_key) if tls_ca is not None else (None, None)
    route = sending_route(to, what, aet, tls_ca, *own, login, identity)
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
    with opened_journal(log_file, log_format, on_screen=not quiet) as journal:
        copies = copies_beside(screening.identity, out, journal, keeps_whole=not drop_uncopied)
        receiver = Receiver(out, receiving, journal)
        options = ServiceOptions(screening, (asked.shown,), dated)
        service = Service([receiver], options, journal, companions=(copies,))
        with beside(route, out, journal):
            service.run()
    if not quiet:
        typer.echo(told(service))
    return status_of(service)
