"""Options that `scan`, `watch` and `listen` share, and the journal that each of them writes."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from cxr_runtime.journal import Journal

Model = Annotated[
    str, typer.Option(metavar="NAME|DIR", help="A model that came with the program, or a model folder.")
]
Calibration = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        show_default="your own, or the model's",
        help="Use the calibration in this folder, as `cxr-triage calibrate --out` wrote it.",
    ),
]
Backend = Annotated[
    Literal["auto", "onnxruntime", "openvino", "cuda", "tensorrt"],
    typer.Option(help="What computes the scores; auto: the fastest that gives right ones on this machine."),
]
OperatingPoint = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        show_default="the calibration's own",
        help="Threshold from which films are flagged; `cxr-triage models` lists them.",
    ),
]
Heat = Annotated[
    Literal["cam", "strongest-channel"],
    typer.Option(help="Which heat map the reports show; the default model has cam alone."),
]
LungOutline = Annotated[
    bool,
    typer.Option("--lung-outline", help="Draw the outline of the lungs on the pictures in heatmaps/, too."),
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=256,
        show_default="one for each processor",
        help="Processes that read films; at most 8 run.",
    ),
]
Memory = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE", show_default="the machine's", help="Memory for the scan and its workers, e.g. 8G."
    ),
]
BatchSize = Annotated[int, typer.Option(min=1, max=1024, help="Films computed at once.")]
Formats = Annotated[
    str, typer.Option("--format", metavar="LIST", help="What to write: any of csv,html,pdf,png,npz,dicom.")
]
PreviewQuality = Annotated[
    int,
    typer.Option(
        min=60,
        max=95,
        help="JPEG quality of the films that the store keeps: 88 to 95 at 1024 pixels, below at 736.",
    ),
]
AllowUncalibrated = Annotated[
    bool, typer.Option("--allow-uncalibrated", help="Scan without a calibration; every report says so.")
]
RequireGpu = Annotated[bool, typer.Option("--require-gpu", help="Stop with an error if no GPU can be used.")]
RequireSigned = Annotated[
    bool,
    typer.Option("--require-signed", help="Stop with an error if a model from elsewhere is not signed."),
]
RequireSandbox = Annotated[
    bool,
    typer.Option(
        "--require-sandbox",
        help="Stop with an error if this system cannot confine the programs that read films.",
    ),
]
Identity = Annotated[
    Literal["none", "full", "pseudonym"] | None,
    typer.Option(
        show_default="none",
        help="What reports and store say of patients; DICOM results say what the film says.",
    ),
]
ShareWith = Annotated[
    str | None,
    typer.Option(
        metavar="GROUP",
        show_default="nobody",
        help="A group that may read DIR (Linux, macOS).",
    ),
]
FollowLinks = Annotated[
    bool, typer.Option("--follow-links", help="Follow links that lead out of INPUT, too.")
]
Dated = Annotated[
    bool, typer.Option("--dated", help="Put each day into a folder of its own, as DIR/2026-11-29.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]
LogFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        show_default="none",
        help="A log without names of films or patients; a new file begins at 10 MB, 5 earlier ones stay.",
    ),
]
LogLines = Annotated[Literal["text", "json"], typer.Option("--log-format", help="Lines of the log.")]


def opened_journal(log_file: Path | None, log_format: str, *, on_screen: bool) -> "Journal":
    """The journal of a command.

    Raises:
        CxrTriageError: the file cannot be written.
    """
    from cxr_runtime.journal import Journal, LogFormat

    return Journal.open(log_file, LogFormat(log_format), sys.stderr if on_screen else None)
