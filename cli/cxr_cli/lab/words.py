"""`cxr-triage lab words`: the catalogues of the languages, brought up to date with the program."""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxr_cli.exit_status import ExitStatus

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

CATALOGUES = "runtime/cxr_runtime/languages"
FILE = "LC_MESSAGES/cxr-triage"
TEMPLATE = "cxr-triage.pot"
LINE = 110  # characters of a .po file's lines
_BEGUN = datetime(
    2026, 11, 29, tzinfo=UTC
)  # stated as the date of each, so that a change is a change of words


def update_words(
    checkout: Annotated[Path, typer.Argument(metavar="CHECKOUT", help="Root of a checkout.")] = Path(),
    language: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A language to begin, e.g. sw; may be repeated.")
    ] = None,
) -> int:
    """Gather every sentence of the program, and bring the catalogues up to date: .pot, .po and .mo.

    Sentences that the program does not say any more go. Those that a catalogue lacks are counted.

    Exit status: 0 no sentence is missing, 3 some are, 1 could not be done, 2 wrong usage.
    """
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import read_po

    folder = checkout / CATALOGUES
    template = gathered(checkout)
    (folder / TEMPLATE).parent.mkdir(parents=True, exist_ok=True)
    (folder / TEMPLATE).write_bytes(as_po(template))
    missing = 0
    names = {path.parents[1].name for path in folder.glob(f"*/{FILE}.po")} | set(language or ())
    for name in sorted(names):
        file = folder / name / f"{FILE}.po"
        if file.is_file():
            with file.open("rb") as opened:
                catalogue = read_po(opened, locale=name)
        else:
            catalogue = Catalog(locale=name, project="cxr-triage")
            file.parent.mkdir(parents=True, exist_ok=True)
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        file.write_bytes(as_po(catalogue))
        file.with_suffix(".mo").write_bytes(as_mo(catalogue))
        lacking = sum(1 for message in catalogue if message.id and not _is_whole(message.string))
        typer.echo(f"{name}: {len(catalogue)} sentences, {lacking} missing")
        missing += lacking
    return ExitStatus.AMISS if missing else ExitStatus.DONE


def gathered(checkout: Path) -> "Catalog":
    """A catalogue of every sentence, none of them translated."""
    from babel.messages.catalog import Catalog

    from cxr_cli.lab.sentences import sentences

    template = Catalog(project="cxr-triage", charset="utf-8", fuzzy=False)
    for sentence in sentences(checkout):
        is_filled = "{" in str(sentence.text)
        flags = ("python-brace-format",) if is_filled else ()
        template.add(
            sentence.text, locations=[(sentence.place, 0)], flags=flags, auto_comments=sentence.comments
        )
    return template


def as_po(catalogue: "Catalog") -> bytes:
    """The catalogue as translators read it."""
    from babel.messages.pofile import write_po

    catalogue.creation_date = catalogue.revision_date = _BEGUN
    catalogue.header_comment = f"# {catalogue.locale or 'Sentences'} of cxr-triage; see docs/languages.md"
    catalogue.fuzzy = False
    catalogue.version, catalogue.msgid_bugs_address = "0.2.0", ""
    catalogue.last_translator = catalogue.language_team = ""
    for message in catalogue:  # in one order, whichever file was looked at first
        message.locations = sorted(message.locations)
    written = BytesIO()
    write_po(written, catalogue, width=LINE, sort_by_file=True, include_lineno=False)
    return written.getvalue()


def as_mo(catalogue: "Catalog") -> bytes:
    """The catalogue as the program reads it."""
    from babel.messages.mofile import write_mo

    written = BytesIO()
    write_mo(written, catalogue)
    return written.getvalue()


def _is_whole(translated: object) -> bool:
    return all(translated) if isinstance(translated, tuple | list) else bool(translated)
