"""One film as the browser asks for it: its facts, its pictures, its pixels at full depth."""

from functools import partial
from typing import Any

from isal import igzip
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from cxr_runtime.heat.overlay import recoloured
from cxr_runtime.language import _, number
from cxr_runtime.names import folder_and_name, printable
from cxr_runtime.outcome import Status
from cxr_runtime.presentation import Colours
from cxr_runtime.reports import meaning, wording
from cxr_runtime.reports.shown_films import shown
from cxr_runtime.server.asked_film import found, hides_score
from cxr_runtime.server.door import TOKEN_HEADER, acting, room_of, visitor_of
from cxr_runtime.server.reading_room import Visitor
from cxr_runtime.server.related_films import earlier
from cxr_runtime.server.whereabouts import sources
from cxr_runtime.store.accounts import Role
from cxr_runtime.store.desk import Desk
from cxr_runtime.store.listing import Listed
from cxr_runtime.store.rows import StoredPicture
from cxr_runtime.store.verdicts import FilmVerdicts, Said, standing

SQUEEZE = 1  # level of gzip: 16-bit films become a third smaller in a tenth of a second


def facts(request: Request) -> Response:
    """GET /film/KEY: all that a page says of a film, in words."""
    room, visitor, key = room_of(request), visitor_of(request), request.path_params["key"]
    with room.reading() as desk:
        film = found(desk, key)
        said = standing(desk.verdicts.of(film.outcome.sha256)) if film.outcome.sha256 else FilmVerdicts(())
        hides = partial(hides_score, request, room, desk, visitor)
        is_hidden, picture = hides(film), desk.picture(film.result)
        told = {
            **_words(desk, film, picture, is_hidden=is_hidden),
            **verdicts_of(said, visitor, is_hidden=is_hidden),
            "seen": [] if is_hidden else [list(each) for each in desk.seen_by(film.key)],
            "hasPicture": picture is not None,
            "hasHeat": picture is not None and picture.heat_png is not None and not is_hidden,
            "outlines": [] if picture is None else [list(outline) for outline in picture.lung_outlines],
            "earlier": None if is_hidden else earlier(desk, film, hides),
            "isHidden": is_hidden,
        }
    return JSONResponse(told)


def _is_own(said: Said, visitor: Visitor) -> bool:
    return said.reader == visitor.name


def verdicts_of(said: FilmVerdicts, visitor: Visitor, *, is_hidden: bool) -> dict[str, Any]:
    """All that stands, or was withdrawn; where the score is hidden only what the reader said himself."""
    every = (*said.standing, *said.withdrawn)
    shown = [each for each in every if not is_hidden or _is_own(each, visitor)]
    return {
        "verdicts": [_said_of(each, visitor) for each in shown],
        "isDisputed": said.is_disputed and not is_hidden,
    }


def _said_of(said: Said, visitor: Visitor) -> dict[str, Any]:
    """A verdict as the page's script knows it."""
    return {
        "reader": said.reader,
        "time": said.time,
        "verdict": said.verdict.value,
        "findings": [finding.value for finding in said.findings],
        "note": printable(said.note),
        "source": said.source.value,
        "isBlinded": said.is_blinded,
        "isOurs": said.is_ours,
        "isMine": _is_own(said, visitor),
    }


def _words(desk: Desk, film: Listed, picture: StoredPicture | None, *, is_hidden: bool) -> dict[str, Any]:
    outcome, run = film.outcome, desk.latest_facts()
    folder, name = folder_and_name(printable(outcome.file))
    identity = desk.identities.of(outcome.sha256, desk.label()) if outcome.sha256 else None
    told = {
        "key": film.key,
        "name": name,
        "folder": folder,
        "owner": list(wording.owner(identity)) if identity else [],
        "view": outcome.view,
        "finished": film.finished,
    }
    if is_hidden:
        return {
            **told,
            "result": "hidden",
            "resultWord": "",
            "score": "",
            "meaning": "",
            "where": "",
            "remarks": [],
        }
    return {
        **told,
        "result": outcome.status.value if outcome.triage is None else outcome.triage.value,
        "resultWord": wording.result_word(outcome),
        "score": "" if outcome.score is None else number(outcome.score, 2),
        "meaning": "" if run is None else meaning.films_like_this(outcome, run),
        "where": "" if run is None or picture is None else wording.where_heat_lies(shown(picture, run)),
        "remarks": list(wording.remarks(outcome)),
    }


def opened(request: Request) -> Response:
    """POST /film/KEY/open: a reader has a film before him; noted once a time it is opened."""
    room, key = room_of(request), request.path_params["key"]
    visitor = acting(request, request.headers.get(TOKEN_HEADER), least=Role.READ_ONLY)
    browser = f"{visitor.name} {request.headers.get('x-cxr-window', '')[:40]}"
    with room.reading() as desk:
        film = found(desk, key)
        is_hidden = hides_score(request, room, desk, visitor, film)
    if request.query_params.get("again") != "1":
        room.desk.opened(visitor.name, film.key, marks=not is_hidden)
    room.presence.note(film.key, browser, visitor.name)
    return JSONResponse({"others": room.presence.others(film.key, visitor.name)})


def preview(request: Request) -> Response:
    """GET /film/KEY/preview.jpg: the film as the store keeps it, at reading size or smaller."""
    return Response(_picture(request).preview_jpeg, media_type="image/jpeg")


def thumbnail(request: Request) -> Response:
    """GET /film/KEY/thumb.jpg: small, with its heat; without, where the score is hidden."""
    picture, small = _picture(request), None
    if not _is_hidden(request):
        small = picture.thumbnail_jpeg
    return Response(small or picture.preview_jpeg, media_type="image/jpeg")


def heat(request: Request) -> Response:
    """GET /film/KEY/heat.png: colours that lie over the whole film."""
    layer = _picture(request).heat_png
    if _is_hidden(request):
        raise HTTPException(403, _("The heat map is shown after the verdict."))
    if layer is None:
        raise HTTPException(404, _("This film has no heat map."))
    with room_of(request).reading() as desk:
        run = desk.latest_facts()
    shown_in = Colours.JET if run is None else run.presentation.colours
    return Response(recoloured(layer, shown_in), media_type="image/png")


def pixels(request: Request) -> Response:
    """GET /film/KEY/pixels: the film at full size and depth, row after row, little-endian.

    Headers say rows, columns, bits (8 or 16), window (centre and width) and spacing (millimetres, or "").
    404 where its file is gone or has changed: the page then shows the preview, if it is kept.
    """
    room, key = room_of(request), request.path_params["key"]
    with room.reading() as desk:
        film = found(desk, key)
        picture = desk.picture(film.result)
        deep = None
        if film.outcome.status is not Status.FAILED:
            places = sources(desk, room.folder, film.outcome.sha256, room.opener.chunks)
            preview_jpeg = None if picture is None else picture.preview_jpeg
            deep = room.decoder.film(film.outcome.sha256, places, preview_jpeg)
    if deep is None:
        raise HTTPException(404, _("The film's file is not where it was scored."))
    headers = {
        "x-rows": str(deep.rows),
        "x-columns": str(deep.columns),
        "x-bits": str(deep.bits),
        "x-window": f"{deep.window[0]:.3f} {deep.window[1]:.3f}",
        "x-spacing": "" if deep.spacing_mm is None else f"{deep.spacing_mm:.6f}",
    }
    body = deep.pixels
    if "gzip" in request.headers.get("accept-encoding", ""):
        body, headers["content-encoding"] = igzip.compress(body, SQUEEZE), "gzip"
    return Response(body, media_type="application/octet-stream", headers=headers)


def _is_hidden(request: Request) -> bool:
    room, visitor = room_of(request), visitor_of(request)
    with room.reading() as desk:
        return hides_score(request, room, desk, visitor, found(desk, request.path_params["key"]))


def _picture(request: Request) -> StoredPicture:
    with room_of(request).reading() as desk:
        picture = desk.picture(found(desk, request.path_params["key"]).result)
    if picture is None:
        raise HTTPException(404, _("The store keeps no picture of this film."))
    return picture
