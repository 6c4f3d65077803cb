"""Pages that are filled in: what all of them share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Template
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from cxr_runtime.language import later
from cxr_runtime.reports.templates import templates
from cxr_runtime.server import static
from cxr_runtime.server.door import room_of
from cxr_runtime.server.reading_room import ReadingRoom, Visitor
from cxr_runtime.store.accounts import Role


@dataclass(frozen=True)
class Place:
    """Another page."""

    address: str
    word: str  # in English


def template(name: str) -> Template:
    """A template of `pages/`; every value in it is escaped."""
    return templates("cxr_runtime.server").get_template(f"pages/{name}")


def page(
    request: Request,
    name: str,
    *,
    styles: Sequence[str],
    scripts: Sequence[str] = (),
    status: int = 200,
    **values: Any,
) -> Response:
    """A whole page.

    Args:
        request: whose visitor it is for.
        name: of its template.
        styles: parts of `static`.
        scripts: parts of `static`.
        status: of HTTP.
        values: that only this template knows.
    """
    room = room_of(request)
    visitor: Visitor | None = request.scope["visitor"]
    content = template(name).render(
        styles=styles,
        scripts=scripts,
        static=static.address,
        visitor=visitor,
        folder=room.folder.resolve().name,
        needs_login=visitor is not None and bool(visitor.kept),
        places=places(room, visitor),
        **values,
    )
    return HTMLResponse(content, status)


def places(room: ReadingRoom, visitor: Visitor | None) -> tuple[Place, ...]:
    """The pages that a visitor may see, besides the list."""
    if visitor is None:
        return ()
    of_all_films = _OF_ALL_FILMS if room.may_know_all(visitor) else ()
    return (*of_all_films, *(_FOR_ADMINS if visitor.role is Role.ADMIN else ()))


_OF_ALL_FILMS = (Place("/tally", later("Tally, exports")),)
_FOR_ADMINS = (Place("/accounts", later("Accounts")), Place("/audit", later("Audit")))
