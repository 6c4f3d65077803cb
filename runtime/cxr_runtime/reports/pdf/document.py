"""report.pdf: a summary, then one page for every film that a reader is asked to look at."""

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from cxr_runtime.atomic import replacing
from cxr_runtime.outcome import Triage
from cxr_runtime.reports.exhibit import Exhibit
from cxr_runtime.reports.pdf.film_page import add_film_page
from cxr_runtime.reports.pdf.sheet import Sheet
from cxr_runtime.reports.pdf.summary import add_summary
from cxr_runtime.reports.tally import Tally
from cxr_runtime.store.run import RunFacts

WITH_A_PAGE = (Triage.FLAGGED, Triage.REVIEW)


def write_report(path: Path, run: RunFacts, counts: Tally, exhibits: Iterable[Exhibit]) -> None:
    """Write the report.

    Args:
        path: replaced when the report is whole; until then it is as it was.
        run: what the report says of the run.
        counts: of the same films.
        exhibits: films, most suspicious first, read once; only those flagged or to review get a page.

    Raises:
        OSError: the folder cannot be written, or the disk is full.
    """
    with closing(Sheet(run)) as sheet:
        add_summary(sheet, run, counts)
        for rank, exhibit in enumerate(exhibits, start=1):
            if exhibit.outcome.triage in WITH_A_PAGE:
                add_film_page(sheet, exhibit, run, rank)
        with replacing(path) as file:
            sheet.output(file)
