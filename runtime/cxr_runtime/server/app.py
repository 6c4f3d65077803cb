"""The addresses of the server, and what answers at each."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from cxr_runtime.errors import CxrTriageError
from cxr_runtime.server import events, exports, films, login, related_films, static, verdicts, worklist_page
from cxr_runtime.server.door import LOGIN, Door
from cxr_runtime.server.guard import App, Guard, Names
from cxr_runtime.server.reading_room import ReadingRoom

_FILM = "/film/{key:str}"


def application(room: ReadingRoom, names: Names) -> App:
    """The whole server, as uvicorn runs it."""
    get, post = ["GET"], ["POST"]
    routes = [
        Route("/", worklist_page.page, methods=get),
        Route("/rows", worklist_page.rows, methods=get),
        Route("/counts", worklist_page.count, methods=get),
        Route(_FILM, films.facts, methods=get),
        Route(f"{_FILM}/verdict", verdicts.say, methods=post),
        Route("/events", events.events, methods=get),
        Route(f"{_FILM}/open", films.opened, methods=post),
        Route(f"{_FILM}/preview.jpg", films.preview, methods=get),
        Route(f"{_FILM}/thumb.jpg", films.thumbnail, methods=get),
        Route(f"{_FILM}/heat.png", films.heat, methods=get),
        Route(f"{_FILM}/similar", related_films.similar, methods=get),
        Route(f"{_FILM}/pixels", films.pixels, methods=get),
        Route(LOGIN, login.login_page, methods=get),
        Route(LOGIN, login.log_in, methods=post),
        Route("/logout", login.log_out, methods=post),
        Route("/accounts", login.accounts_page, methods=get),
        Route("/accounts", login.change_accounts, methods=post),
        Route("/audit", login.audit_page, methods=get),
        Route("/tally", exports.tally, methods=get),
        Route("/export/results.csv", exports.results, methods=get),
        Route("/export/verdicts.csv", exports.verdicts, methods=get),
        Route("/export/labels.csv", exports.labels, methods=get),
        Route("/export/report.pdf", exports.pages, methods=get),
        Route("/export/tally.csv", exports.tally_table, methods=get),
        Route("/export/tally.pdf", exports.tally_page, methods=get),
        Route("/static/{digest:str}/{name:str}", static.part, methods=get),
    ]
    inner = Starlette(routes=routes, exception_handlers={HTTPException: _refused, CxrTriageError: _failed})
    return Guard(Door(inner, room), names, is_secure=room.options.is_secure)


def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return PlainTextResponse(f"{error.detail}\n", error.status_code)


def _failed(_request: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", 503)
