"""Options that say how reports look and speak; every command that writes reports has them."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from cxr_runtime.language import Language as Spoken
    from cxr_runtime.presentation import Presentation, Wishes

LATEST = "as in the latest scan"  # default where a store is shown again


def _language(default: str) -> Any:  # Any: what typer.Option gives
    return typer.Option(
        metavar="NAME|FILE",
        show_default=default,
        help="Language of pages and PDF: en, fr, es, pt, ar, or a catalogue FILE.mo of your own.",
    )


def _colours(default: str) -> Any:
    return typer.Option(
        "--colours",
        show_default=default,
        help="Colours of the heat map; those of inferno grow brighter from step to step. Small pictures in "
        "the list keep the colours in which the film was scored.",
    )


def _pdf_pages(default: str) -> Any:
    return typer.Option(min=1, metavar="N", show_default=default, help="Pages of films in the PDF, at most.")


def _worklist_size(default: str) -> Any:
    return typer.Option(
        metavar="SIZE",
        show_default=default,
        help="Most that worklist.html may take, e.g. 200M; films down the list get smaller pictures.",
    )


Language = Annotated[str | None, _language("en")]
LatestLanguage = Annotated[str | None, _language(LATEST)]
ColourScale = Annotated[Literal["jet", "inferno"] | None, _colours("jet")]
LatestColours = Annotated[Literal["jet", "inferno"] | None, _colours(LATEST)]
PdfPages = Annotated[int | None, _pdf_pages("300")]
LatestPdfPages = Annotated[int | None, _pdf_pages(LATEST)]
WorklistSize = Annotated[str | None, _worklist_size("60 MB")]
LatestWorklistSize = Annotated[str | None, _worklist_size(LATEST)]
Prevalence = Annotated[
    str | None,
    typer.Option(
        metavar="SHARE",
        show_default="as last stated",
        help="Share of your clinic's films that are abnormal, e.g. 5%: reports say what a score means there.",
    ),
]


def wishes_of(
    language: str | None,
    colours: str | None,
    prevalence: str | None,
    pdf_pages: int | None,
    worklist_size: str | None = None,
) -> "Wishes":
    """The options as they were typed; a prevalence that is stated is kept with the user's data.

    Raises:
        UsageError: there is no such language, or the prevalence is none.
    """
    from cxr_runtime.language import language as language_named
    from cxr_runtime.machine_memory import bytes_of
    from cxr_runtime.presentation import Colours, Wishes, keep_prevalence, parse_prevalence

    if language is not None:
        language_named(language)
    share = None if prevalence is None else parse_prevalence(prevalence)
    if share is not None:
        keep_prevalence(share)
    size = None if worklist_size is None else bytes_of(worklist_size, "--worklist-size")
    return Wishes(language, None if colours is None else Colours(colours), share, pdf_pages, size)


def presentation_of(
    language: str | None,
    colours: str | None,
    prevalence: str | None,
    pdf_pages: int | None,
    worklist_size: str | None = None,
) -> "Presentation":
    """How the reports of a scan look and speak; raises as `wishes_of`."""
    from cxr_runtime.language import language as language_named
    from cxr_runtime.presentation import usual_presentation

    found = wishes_of(language, colours, prevalence, pdf_pages, worklist_size).over(usual_presentation())
    language_named(found.language)
    return found


def page_language(language: str | None) -> "AbstractContextManager[Spoken]":
    """Speak the language of a page within: the one that is asked for, else the usual one.

    Raises:
        UsageError: there is no such language.
    """
    from cxr_runtime.language import language as language_named
    from cxr_runtime.language import speaking
    from cxr_runtime.presentation import usual_presentation

    return speaking(language_named(language or usual_presentation().language))
