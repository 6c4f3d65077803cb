"""The list beside the film: one page of it, as a reader has narrowed and sorted it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from cxr_runtime.heat.colours import legend
from cxr_runtime.language import _, day, later, number
from cxr_runtime.names import folder_and_name, printable
from cxr_runtime.outcome import Status
from cxr_runtime.reports import verdicts, wording
from cxr_runtime.server import page_frame
from cxr_runtime.server.door import room_of, visitor_of
from cxr_runtime.server.labels import script_labels
from cxr_runtime.server.reading_room import ReadingRoom, Visitor
from cxr_runtime.store.desk import Desk
from cxr_runtime.store.listing import (
    MOST_ON_A_PAGE,
    MOST_TEXT,
    Listed,
    Order,
    Query,
    Read,
    Show,
    counts,
    listed,
)
from cxr_runtime.store.rows import time_of
from cxr_runtime.store.verdicts import FilmVerdicts

Choice = TypeVar("Choice", bound=StrEnum)
SHOWS = {
    Show.ALL: later("All films"),
    Show.FLAGGED: later("Flagged"),
    Show.REVIEW: later("Review"),
    Show.NOT_FLAGGED: later("Not flagged"),
    Show.UNSCORED: later("Without a score"),
}
READS = {
    Read.ANY: later("Read or not"),
    Read.UNREAD: later("Not read yet"),
    Read.MINE: later("Not read by me"),
    Read.ABNORMAL: later("Called abnormal"),
    Read.NORMAL: later("Called normal"),
    Read.CANNOT_TELL: later("Cannot tell"),
    Read.DISPUTED: later("Readers disagree"),
    Read.TESTED: later("With a test result"),
}
BLINDED_READS = (Read.ANY, Read.UNREAD, Read.MINE)  # that say nothing of what others found
ORDERS = {
    Order.SUSPICION: later("Most suspicious first"),
    Order.NEWEST: later("Newest first"),
    Order.OLDEST: later("Oldest first"),
    Order.NAME: later("By file name"),
}

WORDS: dict[str, Any] = {
    "verdict_words": verdicts.VERDICT_WORDS,
    "test_words": verdicts.TEST_WORDS,
    "source_words": verdicts.SOURCE_WORDS,
}


@dataclass(frozen=True)
class Row:
    """One film of the list, as the template shows it."""

    film: Listed
    owner: str  # whose film it is; "" where that is not kept
    verdicts: FilmVerdicts
    is_seen: bool  # by this reader
    others: tuple[str, ...]  # who else has it open
    is_hidden: bool  # score and result are shown after the verdict

    @property
    def name(self) -> str:
        """Of the file."""
        return folder_and_name(printable(self.film.outcome.file))[1]

    @property
    def day(self) -> str:
        """On which the film was scored, as the language writes it."""
        return day(time_of(self.film.finished))

    @property
    def has_picture(self) -> bool:
        """Whether there was one to keep: of a film that could not be read there was none."""
        return self.film.outcome.status is not Status.FAILED

    @property
    def result(self) -> str:
        """Of its mark."""
        outcome = self.film.outcome
        if self.is_hidden:
            return "hidden"
        return outcome.status.value if outcome.triage is None else outcome.triage.value

    @property
    def result_word(self) -> str:
        """How it ended, in a word."""
        return _("Not read by you yet") if self.is_hidden else wording.result_word(self.film.outcome)

    @property
    def score(self) -> str:
        """0 to 100, as it stands in all reports."""
        score = self.film.outcome.score
        return "" if score is None or self.is_hidden else number(score, 2)


@dataclass(frozen=True)
class WorklistPage:
    """One page of the list."""

    rows: tuple[Row, ...]
    query: Query
    has_more: bool
    is_blinded: bool

    def link(self, **change: object) -> str:
        """The address of another page of the same list."""
        stated = {name: value for name, value in {**stated_of(self.query), **change}.items() if value}
        stated |= {"blinded": "1"} if self.is_blinded else {}
        return f"/?{urlencode(stated)}"

    @property
    def all_films(self) -> str:
        """The address of the list without what narrows it; blinded as it is."""
        return "/?blinded=1" if self.is_blinded else "/"

    def export(self, name: str) -> str:
        """The address of the films of this list, all pages of it, as a file."""
        stated = {key: value for key, value in stated_of(self.query).items() if key != "page"}
        return f"/export/{name}?{urlencode(stated)}"

    @property
    def first(self) -> int:
        """Number of the first film, from 1."""
        return 1 + MOST_ON_A_PAGE * (self.query.page - 1)


def stated_of(query: Query) -> dict[str, object]:
    """What differs from the usual list, as addresses have it."""
    usual, names = Query(), ("text", "show", "read", "order", "page")
    given = {name: getattr(query, name) for name in names if getattr(query, name) != getattr(usual, name)}
    dates = {"since": query.since, "until": query.until}
    return given | {name: day.isoformat() for name, day in dates.items() if day is not None}


def query_of(asked: Mapping[str, str]) -> Query:
    """What an address asks for; what it states wrongly is as usual."""
    page = asked.get("page", "1")
    return Query(
        text=asked.get("text", "").strip()[:MOST_TEXT],
        show=_choice(Show, asked.get("show"), Show.ALL),
        read=_choice(Read, asked.get("read"), Read.ANY),
        since=_day(asked.get("since", "")),
        until=_day(asked.get("until", "")),
        order=_choice(Order, asked.get("order"), Order.SUSPICION),
        page=int(page) if page.isdecimal() and 0 < len(page) < 7 and int(page) > 0 else 1,
    )


def _choice(kind: type[Choice], text: str | None, usual: Choice) -> Choice:
    return kind(text) if text in set(kind) else usual


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _blinded(query: Query) -> Query:
    """What of a query says nothing of scores, nor of what others found: films as they arrived."""
    read = query.read if query.read in BLINDED_READS else Read.ANY
    return replace(query, show=Show.ALL, read=read, order=Order.OLDEST)


def worklist_page_of(request: Request, room: ReadingRoom, desk: Desk, visitor: Visitor) -> WorklistPage:
    """The page of the list that an address asks for."""
    query = query_of(request.query_params)
    is_blinded = room.options.is_blinded or request.query_params.get("blinded") == "1"
    if is_blinded and visitor.role.may_say:
        query = _blinded(query)
    label = desk.label()
    films = listed(desk, query, visitor.name, label)
    rows = (_row(film, room, desk, visitor, label, is_blinded=is_blinded) for film in films[:MOST_ON_A_PAGE])
    return WorklistPage(tuple(rows), query, len(films) > MOST_ON_A_PAGE, is_blinded)


def _row(
    film: Listed, room: ReadingRoom, desk: Desk, visitor: Visitor, label: str, *, is_blinded: bool
) -> Row:
    digest = film.outcome.sha256
    said = desk.verdicts.of_films([digest]).get(digest, FilmVerdicts(())) if digest else FilmVerdicts(())
    is_seen = any(reader == visitor.name for reader, _ in desk.seen_by(film.key))
    identity = desk.identities.of(digest, label) if digest and label else None
    owner = next(iter(wording.owner(identity)), "") if identity else ""
    is_hidden = (
        is_blinded and visitor.role.may_say and not is_seen and film.outcome.status is not Status.FAILED
    )
    others = tuple(room.presence.others(film.key, visitor.name))
    return Row(film, owner, FilmVerdicts(()) if is_hidden else said, is_seen, others, is_hidden)


def rows(request: Request) -> Response:
    """GET /rows?...: the list alone, for a page that is open already."""
    room, visitor = room_of(request), visitor_of(request)
    with room.reading() as desk:
        worklist = worklist_page_of(request, room, desk, visitor)
    return HTMLResponse(page_frame.template("rows.html").render(worklist=worklist, **WORDS))


def count(request: Request) -> Response:
    """GET /counts: how many films there are of each kind; to a blinded reader how many in all."""
    room = room_of(request)
    with room.reading() as desk:
        found = counts(desk)
    kinds = Show if room.may_know_all(visitor_of(request)) else (Show.ALL,)
    return JSONResponse({kind.value: getattr(found, kind.value) for kind in kinds})


def page(request: Request) -> Response:
    """GET /: the list beside the most suspicious film."""
    room, visitor = room_of(request), visitor_of(request)
    with room.reading() as desk:
        worklist = worklist_page_of(request, room, desk, visitor)
        run = desk.latest_facts()
    is_blind = worklist.is_blinded and visitor.role.may_say
    return page_frame.page(
        request,
        "room.html",
        styles=("viewer.css", "room.css"),
        scripts=("viewer.js", "room.js"),
        worklist=worklist,
        run=run,
        legend=legend(run.heat_threshold, run.presentation.colours) if run else (),
        labels=script_labels(),
        wording=wording,
        shows={Show.ALL: SHOWS[Show.ALL]} if is_blind else SHOWS,
        **WORDS,
        reads={read: READS[read] for read in BLINDED_READS} if is_blind else READS,
        orders={Order.OLDEST: ORDERS[Order.OLDEST]} if is_blind else ORDERS,
        is_forced=room.options.is_blinded,
    )
