"""A PDF of films that somebody chose: a page for each, without the summary of a run."""

from collections.abc import Iterable
from contextlib import closing

from cxr_runtime.reports.exhibit import Exhibit
from cxr_runtime.reports.pdf.film_page import add_film_page
from cxr_runtime.reports.pdf.sheet import Sheet
from cxr_runtime.store.rows import RunFacts


def selection(run: RunFacts, exhibits: Iterable[Exhibit]) -> bytes:
    """A PDF, in the language of this moment.

    Args:
        run: what its pages say of model and operating point.
        exhibits: scored films, in the order of the pages; at least one.
    """
    with closing(Sheet(run)) as sheet:
        for exhibit in exhibits:
            add_film_page(sheet, exhibit, run, None)
        return bytes(sheet.output())
