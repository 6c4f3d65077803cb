"""PDFs that hold pages of films and no summary of a run: of one film, or of those that somebody chose."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime

from cxr_runtime.outcome import Outcome
from cxr_runtime.reports import wording
from cxr_runtime.reports.exhibit import Exhibit, Picture
from cxr_runtime.reports.pdf.film_page import add_film_page
from cxr_runtime.reports.pdf.sheet import Sheet
from cxr_runtime.store.rows import RunFacts


def film_document(
    outcome: Outcome, picture: Picture, run: RunFacts, made: datetime, uid: str, owner: Sequence[str] = ()
) -> bytes:
    """A PDF of one page, which says nothing of where the film's file lay or of films beside it.

    Args:
        outcome: of a scored film.
        picture: of the film.
        run: what the page says of model and operating point.
        made: its date.
        uid: SOP Instance UID of the film, which stands in place of a file's name.
        owner: lines that say whose film it is.
    """
    heading = wording.NOT_FOR_DIAGNOSIS, f"film {uid}"
    shown = Exhibit(outcome, picture, "", heading, tuple(owner))
    return films_document(replace(run, finished=made), [shown])


def films_document(run: RunFacts, exhibits: Iterable[Exhibit]) -> bytes:
    """A PDF of a page for each film, in the language of this moment.

    Args:
        run: what its pages say of model and operating point.
        exhibits: scored films, in the order of the pages; at least one.
    """
    with closing(Sheet(run)) as sheet:
        for exhibit in exhibits:
            add_film_page(sheet, exhibit, run, None)
        return bytes(sheet.output())
