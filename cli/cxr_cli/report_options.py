"""Options that say how reports look and speak; every command that writes reports has them."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from cxr_runtime.language import Language as Spoken
    from cxr_runtime.presentation import Presentation, Wishes

Language = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE",
        show_default="en",
        help="Language of pages and PDF: en, fr, es, pt, ar, or a catalogue FILE.mo of your own.",
    ),
]
ColourScale = Annotated[
    Literal["jet", "inferno"] | None,
    typer.Option(
        "--colours",
        show_default="jet",
        help="Colours of the heat map; those of inferno grow brighter from step to step.",
    ),
]
Prevalence = Annotated[
    str | None,
    typer.Option(
        metavar="SHARE",
        show_default="as last stated",
        help="Share of your clinic's films that are abnormal, e.g. 5%: reports say what a score means there.",
    ),
]
PdfPages = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", show_default="300", help="Pages of films in the PDF, at most."),
]

WorklistSize = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE",
        show_default="60 MB",
        help="Most that worklist.html may take, e.g. 200M; films down the list get smaller pictures.",
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
