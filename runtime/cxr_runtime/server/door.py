"""Who comes in: every request has a visitor with rights, or is sent to the login."""

from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from cxr_runtime.language import _, speaking
from cxr_runtime.server.guard import App, Receive, Scope, Send
from cxr_runtime.server.reading_room import ReadingRoom, Visitor
from cxr_runtime.server.sessions import ABSOLUTE_SECONDS, is_same
from cxr_runtime.store.accounts import Role

LOGIN = "/login"
BACK = "back"  # what is asked of the list, to be asked again after the login
PUBLIC = (LOGIN, "/static/")
FILM, OF_ITSELF = "/film/", ("/events", "/rows", "/counts")  # what open pages ask for by themselves
TOKEN_HEADER, TOKEN_FIELD = "x-cxr-token", "token"


class Door:
    """Knows the visitor of each request before any page does."""

    def __init__(self, app: App, room: ReadingRoom) -> None:
        self._app, self._room = app, room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, in the language of the room."""
        with speaking(self._room.options.language):
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        cookie, is_use = cookie_of(scope, self._room), _is_use(scope)
        visitor = await run_in_threadpool(lambda: self._room.visitor(cookie, is_use=is_use))
        scope["visitor"], scope["room"] = visitor, self._room
        if visitor is None and not scope["path"].startswith(PUBLIC):
            answer: Response = PlainTextResponse(_("Please log in again.") + "\n", 401)
            if scope["method"] == "GET" and "text/html" in Request(scope).headers.get("accept", ""):
                answer = RedirectResponse(_login_of(scope), 303)
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_use(scope: Scope) -> bool:
    """Whether somebody did something; an open page asks for what is new without anybody there."""
    asked = Request(scope)
    is_picture = scope["method"] == "GET" and scope["path"].startswith(FILM)
    return not (is_picture or scope["path"] in OF_ITSELF or asked.query_params.get("again") == "1")


def _login_of(scope: Scope) -> str:
    """The login, which leads back to the film and the filters of a list."""
    asked = scope["query_string"].decode("latin-1") if scope["path"] == "/" else ""
    return f"{LOGIN}?{urlencode({BACK: asked})}" if asked else LOGIN


def cookie_name(room: ReadingRoom) -> str:
    """Of the session's cookie; with TLS no page of another name can set it (RFC 6265bis, 4.1.3.2)."""
    return "__Host-cxr-triage" if room.options.is_secure else "cxr-triage"


def cookie_of(scope: Scope, room: ReadingRoom) -> str:
    """What the browser keeps of its session; "" where it keeps nothing."""
    header = next((value for name, value in scope["headers"] if name == b"cookie"), b"")
    try:
        found = SimpleCookie(header.decode("latin-1")).get(cookie_name(room))
    except CookieError:
        return ""
    return "" if found is None else found.value


def keep(answer: Response, room: ReadingRoom, kept: str) -> None:
    """Have the browser keep a session; "" takes it away."""
    answer.set_cookie(
        cookie_name(room),
        kept,
        max_age=int(ABSOLUTE_SECONDS) if kept else 0,
        path="/",
        secure=room.options.is_secure,
        httponly=True,
        samesite="strict",
    )


def room_of(request: Request) -> ReadingRoom:
    """The room of a request."""
    room: ReadingRoom = request.scope["room"]
    return room


def visitor_of(request: Request) -> Visitor:
    """Who asks; a page that anybody may see does not ask this."""
    visitor: Visitor | None = request.scope["visitor"]
    if visitor is None:
        raise HTTPException(401, _("Please log in again."))
    return visitor


def acting(request: Request, token: Any, *, least: Role = Role.READER) -> Visitor:
    """Who acts: with the token of his own pages, and the right to.

    Raises:
        HTTPException: the token is another one, or the account may not.
    """
    visitor = visitor_of(request)
    if not isinstance(token, str) or not is_same(token, visitor.token):
        raise HTTPException(403, _("This page is too old. Load it again."))
    ranks = (Role.READ_ONLY, Role.READER, Role.ADMIN)
    if ranks.index(visitor.role) < ranks.index(least):
        raise HTTPException(403, _("This account may not do that."))
    return visitor
