"""What is taken out of the room: tables and pages; each is noted in the audit."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from cxr_runtime.identity import IdentityKind
from cxr_runtime.language import _
from cxr_runtime.names import printable, safe_name
from cxr_runtime.outcome import Status
from cxr_runtime.reports import wording
from cxr_runtime.reports.exhibit import Exhibit
from cxr_runtime.reports.monthly import headings, months, tally_csv, tally_pdf
from cxr_runtime.reports.results_csv import csv_text, results_text
from cxr_runtime.reports.shown_films import shown
from cxr_runtime.server import page_frame
from cxr_runtime.server.asked_film import found
from cxr_runtime.server.door import room_of, visitor_of
from cxr_runtime.server.reading_room import ReadingRoom
from cxr_runtime.server.worklist_page import query_of
from cxr_runtime.store.audit import Act
from cxr_runtime.store.desk import Desk
from cxr_runtime.store.listing import Listed, Query, listed
from cxr_runtime.store.rows import RunFacts

MOST_PAGES = 200  # films of a PDF
AT_ONCE = 500  # films that are read from the store at a time
VERDICTS = (
    "file",
    "sha256",
    "reader",
    "time",
    "verdict",
    "findings",
    "note",
    "source",
    "blinded",
    "made_here",
)
LABELS = ("file", "sha256", "label")


def results(request: Request) -> Response:
    """GET /export/results.csv: the films of the list as it is narrowed, with the columns of results.csv."""
    query, room, visitor = query_of(request.query_params), _room(request), visitor_of(request)
    with room.reading() as desk:
        outcomes = [film.outcome for film in _every(desk, query, visitor.name)]
    return _taken(request, "results.csv", results_text(outcomes).encode())


def verdicts(request: Request) -> Response:
    """GET /export/verdicts.csv: all that was ever said, in the order in which it was."""
    with _room(request).reading() as desk:
        names = _names(desk)
        rows = [
            (
                names.get(said.sha256, ""), said.sha256, said.reader, said.time, said.verdict.value,
                " ".join(said.findings), printable(said.note), said.source.value, int(said.is_blinded),
                int(said.is_ours),
            )
            for said in desk.verdicts.all()
        ]  # fmt: skip
    return _taken(request, "verdicts.csv", csv_text([VERDICTS, *rows]).encode())


def labels(request: Request) -> Response:
    """GET /export/labels.csv: what is known of films, as `calibrate --labels` takes it."""
    with _room(request).reading() as desk:
        names = _names(desk)
        known = [(sha256, film.is_abnormal) for sha256, film in desk.verdicts.every()]
    rows = [(names.get(sha256, ""), sha256, int(truth)) for sha256, truth in known if truth is not None]
    return _taken(request, "labels.csv", csv_text([LABELS, *rows]).encode())


def pages(request: Request) -> Response:
    """GET /export/report.pdf: one film (`film=KEY`), or those of the list as it is narrowed, 200 at most."""
    from cxr_runtime.reports.pdf.film_document import films_document

    query, room, visitor = query_of(request.query_params), _room(request), visitor_of(request)
    key = request.query_params.get("film", "")
    with room.reading() as desk:
        run = desk.latest_facts()
        films = [found(desk, key)] if key else list(islice(_every(desk, query, visitor.name), MOST_PAGES))
        scored = [film for film in films if film.outcome.status is Status.SCORED]
        if run is None or not scored:
            raise HTTPException(404, _("There is no film with a score to make a page of."))
        content = films_document(run, (_exhibit(desk, film, run) for film in scored))
    return _taken(request, "report.pdf", content)


def tally(request: Request) -> Response:
    """GET /tally: the months."""
    with _room(request).reading() as desk:
        every = months(desk)
    return page_frame.page(request, "tally.html", styles=("room.css",), months=every, headings=headings())


def tally_table(request: Request) -> Response:
    """GET /export/tally.csv."""
    with _room(request).reading() as desk:
        content = tally_csv(months(desk))
    return _taken(request, "tally.csv", content.encode())


def tally_page(request: Request) -> Response:
    """GET /export/tally.pdf."""
    with _room(request).reading() as desk:
        content = tally_pdf(desk, months(desk))
    return _taken(request, "tally.pdf", content)


def _exhibit(desk: Desk, film: Listed, run: RunFacts) -> Exhibit:
    outcome, picture, label = film.outcome, desk.picture(film.result), desk.label()
    identity = desk.identities.of(outcome.sha256, label) if label != IdentityKind.NONE else None
    seen = None if picture is None else shown(picture, run)
    owner = wording.owner(identity) if identity else ()
    return Exhibit(outcome, seen, safe_name(outcome.file, outcome.sha256), owner=owner)


def _every(desk: Desk, query: Query, reader: str) -> Iterator[Listed]:
    """The films of all pages of a list."""
    label, page = desk.label(), 1
    while True:
        films = listed(desk, replace(query, page=page), reader, label, AT_ONCE)
        yield from films[:AT_ONCE]
        if len(films) <= AT_ONCE:
            return
        page += 1


def _names(desk: Desk) -> dict[str, str]:
    return {row.sha256: printable(row.file) for row in desk.outcomes(None) if row.sha256}


def _room(request: Request) -> ReadingRoom:
    """The room of a request, where its visitor may take out what is known of all films.

    Raises:
        HTTPException: everybody reads blinded, and this is no admin.
    """
    room = room_of(request)
    if not room.may_know_all(visitor_of(request)):
        said = _("Scores and verdicts are hidden here until films are read; an admin can take them out.")
        raise HTTPException(403, said)
    return room


def _taken(request: Request, name: str, content: bytes) -> Response:
    room_of(request).desk.note(visitor_of(request).name, Act.EXPORTED, name)
    kind = "application/pdf" if name.endswith(".pdf") else "text/csv; charset=utf-8"
    return Response(
        content, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'}
    )
