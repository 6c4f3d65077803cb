"""`cxr-triage report`, `backup`, `restore`, `merge` and `prune`: a scan's store over the years."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cxr_cli.exit_status import ExitStatus
from cxr_cli.report_options import (
    LatestColours,
    LatestLanguage,
    LatestPdfPages,
    LatestWorklistSize,
    Prevalence,
    wishes_of,
)
from cxr_cli.scan import about_refused
from cxr_runtime.files import DEFAULT_FORMAT_LIST

if TYPE_CHECKING:
    from cxr_runtime.presentation import Wishes
    from cxr_runtime.reports.again import Reported, ReportOptions
    from cxr_runtime.store.trust import Taken

_FORMATS = "csv,html,pdf,png,npz"  # what a store alone can give
_UNITS = (("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10))

Formats = Annotated[str, typer.Option("--format", metavar="LIST", help=f"What to write: any of {_FORMATS}.")]
Trust = Annotated[
    bool,
    typer.Option("--trust", help="Take rows that were made on another machine, or changed, as they are."),
]
ShareWith = Annotated[
    str | None,
    typer.Option(metavar="GROUP", show_default="nobody", help="A group that may read DIR (Linux, macOS)."),
]


def _folder(about: str) -> Any:  # Any: what typer.Argument gives
    return typer.Argument(metavar="DIR", show_default=False, help=about)


def report(
    folder: Annotated[Path, _folder("Output folder of scans.")],
    formats: Formats = DEFAULT_FORMAT_LIST,
    trust: Trust = False,
    share_with: ShareWith = None,
    language: LatestLanguage = None,
    colours: LatestColours = None,
    prevalence: Prevalence = None,
    pdf_pages: LatestPdfPages = None,
    worklist_size: LatestWorklistSize = None,
) -> int:
    """Make the reports of all films in a store again: one row a film, in the order of arrival.

    A scan's own reports show the films of that scan alone; these show all that were ever scanned into DIR.

    Exit status: 0 done, 1 could not be made, or a report could not be written, 2 wrong usage.
    """
    from cxr_runtime.reports.again import report_again

    return _told(
        report_again(
            folder,
            _options(
                formats, trust, share_with, wishes_of(language, colours, prevalence, pdf_pages, worklist_size)
            ),
        )
    )


def backup(
    folder: Annotated[Path, _folder("Output folder of scans; a scan may run meanwhile.")],
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", show_default=False, help="The backup; an earlier one is replaced."),
    ],
) -> int:
    """Copy a store into one file and read it back.

    FILE holds all rows, and the pictures they are shown with. It does not hold the reports and the files in
    heatmaps/, which `restore` makes again.

    Exit status: 0 done, 1 could not be written, 2 wrong usage.
    """
    from cxr_runtime.language import counted
    from cxr_runtime.names import printable
    from cxr_runtime.store.backup import back_up

    made = back_up(folder, file)
    runs = counted(made.runs, "scan")
    typer.echo(f"{counted(made.films)} of {runs} in {printable(str(file))} ({_size(made.size)}), read back")
    return 0


def restore(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", show_default=False, help="Made by `cxr-triage backup`.")
    ],
    folder: Annotated[Path, _folder("New output folder.")],
    formats: Formats = DEFAULT_FORMAT_LIST,
    trust: Trust = False,
    share_with: ShareWith = None,
    language: LatestLanguage = None,
    colours: LatestColours = None,
    prevalence: Prevalence = None,
    pdf_pages: LatestPdfPages = None,
) -> int:
    """Make an output folder of a backup, with all reports.

    Every value is checked before it is taken. Rows of another machine are taken with --trust only.

    Exit status: 0 done, 1 could not be restored, or a report could not be written, 2 wrong usage.
    """
    from cxr_runtime.reports.again import restore as restore_backup

    return _told(
        restore_backup(
            file,
            folder,
            _options(formats, trust, share_with, wishes_of(language, colours, prevalence, pdf_pages)),
        )
    )


def merge(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="DIR...", show_default=False, help="Output folders of scans."),
    ],
    out: Annotated[
        Path,
        typer.Option(metavar="DIR", show_default=False, help="Folder of all of them; may be one of them."),
    ],
    formats: Formats = DEFAULT_FORMAT_LIST,
    trust: Trust = False,
    share_with: ShareWith = None,
    language: LatestLanguage = None,
    colours: LatestColours = None,
    prevalence: Prevalence = None,
    pdf_pages: LatestPdfPages = None,
) -> int:
    """Make one store of several, with reports of all films: one row a film.

    Merging the same folders again adds only what is new in them. Rows of another machine are taken with
    --trust only.

    Exit status: 0 done, 1 could not be merged (nothing was taken), or a report could not be written, 2 wrong
    usage.
    """
    from cxr_runtime.reports.again import merge as merge_folders

    return _told(
        merge_folders(
            folders,
            out,
            _options(formats, trust, share_with, wishes_of(language, colours, prevalence, pdf_pages)),
        )
    )


def prune(
    folder: Annotated[Path, _folder("Output folder of scans; a scan may run meanwhile.")],
    older_than: Annotated[
        str | None,
        typer.Option(metavar="AGE", show_default="any", help="Films scored longer ago, e.g. 90d, 12w or 2y."),
    ] = None,
    keep_under: Annotated[
        str | None,
        typer.Option(metavar="SIZE", show_default="any", help="Oldest films until DIR is below, e.g. 20GB."),
    ] = None,
) -> int:
    """Drop what is old: pictures, DICOM results that archives have, and received films. Every row stays.

    Results that are not sent yet stay, and so do received films without a row. The reports stay as
    they are; the next ones show these films without pictures.

    Exit status: 0 done, 3 DIR is still above --keep-under (rows and reports stay), 1 could not be done, 2
    wrong usage.
    """
    from cxr_runtime.language import counted
    from cxr_runtime.machine_memory import bytes_of
    from cxr_runtime.names import printable
    from cxr_runtime.store.pruning import parse_age, prune_days

    most = None if keep_under is None else bytes_of(keep_under, "--keep-under")
    pruned = prune_days(folder, None if older_than is None else parse_age(older_than), most)
    typer.echo(
        f"pictures of {counted(pruned.films)} dropped, of {pruned.pictures_left} kept; "
        f"{counted(pruned.results, 'DICOM result')} and {counted(pruned.received, 'received film')} dropped; "
        f"{printable(str(folder))} had {_size(pruned.before)} and has {_size(pruned.after)}"
    )
    if not pruned.is_shrunk:
        typer.echo(
            "the store keeps its size for now (a scan uses it, or the disk is full); new films fill it"
        )
    is_still_larger = most is not None and pruned.is_shrunk and pruned.after > most
    return ExitStatus.AMISS if is_still_larger else ExitStatus.DONE


def _options(formats: str, trust: bool, share_with: str | None, wishes: "Wishes") -> "ReportOptions":
    from cxr_runtime.access import PRIVATE, shared_with
    from cxr_runtime.errors import UsageError
    from cxr_runtime.files import parse_formats
    from cxr_runtime.reports.again import ReportOptions

    access = PRIVATE if share_with is None else shared_with(share_with)
    try:
        wanted = parse_formats(formats)
    except UsageError:
        raise UsageError(f"--format is {formats!r}; expected any of {_FORMATS}") from None
    return ReportOptions(wanted, trust, access, wishes=wishes)


def _told(reported: "Reported") -> int:
    """Say what was done; the exit status."""
    from cxr_runtime.language import counted
    from cxr_runtime.names import printable

    for taken in reported.taken:
        for line in _about(taken):
            typer.echo(f"{printable(taken.name)}: {line}")
    if reported.on_trust:
        typer.echo(
            f"{counted(reported.on_trust, 'row')} taken on trust: made on another machine, or changed since "
            "they were made"
        )
    where = printable(str(reported.out))
    if reported.publication is None:
        typer.echo(
            f"cxr-triage: what is above was taken, but no scan into {where} has ended, so that nothing is "
            f"known of its model; the reports are made by one scan with --out {where}",
            err=True,
        )
        return ExitStatus.FAILED
    counts = reported.publication.tally
    typer.echo(
        f"{counted(counts.films)}: {counts.scored} scored ({counts.flagged} flagged), "
        f"{counts.rejected} rejected, {counts.failed} failed\nreports in {where}"
    )
    if reported.publication.refused:
        typer.echo(f"cxr-triage: {about_refused(reported.publication.refused)}", err=True)
        return ExitStatus.FAILED
    return 0


def _about(taken: "Taken") -> list[str]:
    from cxr_runtime.language import counted

    places = f"{counted(taken.rows, 'place')} new, {taken.on_trust} of them on trust"
    new = f"{counted(taken.films)} new; {places}"
    stay = ("stays", "stay")
    said = (
        (taken.known, f"{counted(taken.known)} known already"),
        (
            taken.differing,
            f"{counted(taken.differing)} ended otherwise in the stores before; the first row stays",
        ),
        (taken.judged, f"{counted(taken.judged)} judged anew, as by a later scan there"),
        (
            taken.replaced,
            f"{counted(taken.replaced, 'row')} without a right seal left out: later rows there bear one",
        ),
        (
            taken.without_pictures,
            f"pictures of {counted(taken.without_pictures)} left out: they are not those of the row",
        ),
        (taken.accounts, f"{counted(taken.accounts, 'account')} added, changed or removed, as there"),
        (
            taken.accounts_left,
            f"{counted(taken.accounts_left, 'account')} {stay[taken.accounts_left > 1]} as here, though not "
            "so there: `cxr-triage user` changes accounts",
        ),
        (
            taken.audit,
            f"{counted(taken.audit, 'entry', 'entries')} of its audit {stay[taken.audit > 1]} there: keep "
            "that folder",
        ),
    )
    return [new if taken.rows else "nothing new", *(line for count, line in said if count)]


def _size(count: int) -> str:
    for unit, size in _UNITS:
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
