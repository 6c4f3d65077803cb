"""What readers say comes in here, one verdict a request."""

import json
from dataclasses import replace
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from cxr_runtime.language import _
from cxr_runtime.server.asked_film import found, hides_score
from cxr_runtime.server.door import TOKEN_HEADER, acting, room_of
from cxr_runtime.server.films import verdicts_of
from cxr_runtime.server.reading_room import Visitor
from cxr_runtime.store.audit import Act
from cxr_runtime.store.verdicts import MOST_NOTE, Finding, Said, Source, Verdict, standing


async def say(request: Request) -> Response:
    """POST /film/KEY/verdict: `{verdict, findings, note, source}`; what stands comes back."""
    visitor = acting(request, request.headers.get(TOKEN_HEADER))
    try:
        told = json.loads(await request.body())
    except (ValueError, RecursionError):
        raise HTTPException(400, _("This cannot be read as a verdict.")) from None
    return await run_in_threadpool(_kept, request, visitor, told)


def _kept(request: Request, visitor: Visitor, told: Any) -> Response:
    room, key = room_of(request), request.path_params["key"]
    with room.reading() as desk:
        film = found(desk, key)
        sha256 = film.outcome.sha256
        if not sha256:
            raise HTTPException(404, _("This film could not be read, so that nothing can be said of it."))
        was_hidden = hides_score(request, room, desk, visitor, film)
        stands = standing(desk.verdicts.of(sha256))
    said = _said(told, sha256, visitor.name, is_blinded=was_hidden)
    if said.verdict is Verdict.WITHDRAWN and not any(_is_about_same(said, each) for each in stands.standing):
        return JSONResponse(verdicts_of(stands, visitor, is_hidden=was_hidden))
    with room.desk.acting(visitor.name, Act.SAID, f"{sha256} {said.source} {said.verdict}") as now:
        room.desk.verdicts.add(replace(said, time=now))
        if said.source is Source.READING:
            room.desk.mark_seen(visitor.name, sha256, now)
    with room.reading() as desk:
        stands = standing(desk.verdicts.of(sha256))
        is_hidden = hides_score(request, room, desk, visitor, film)
    return JSONResponse(verdicts_of(stands, visitor, is_hidden=is_hidden))


def _said(told: Any, sha256: str, reader: str, *, is_blinded: bool) -> Said:
    match told:
        case {"verdict": str(verdict), "findings": [*findings], "note": str(note), "source": str(source)}:
            try:
                found = tuple(dict.fromkeys(Finding(each) for each in findings))
                said = Said(sha256, reader, "", Verdict(verdict), found, note.strip(), Source(source))
            except (ValueError, TypeError):
                raise HTTPException(400, _("This cannot be read as a verdict.")) from None
            if len(note) > MOST_NOTE or not _is_text(note):
                raise HTTPException(400, _("The note is too long, or has characters that cannot be kept."))
            if said.verdict is Verdict.WITHDRAWN:
                return replace(said, findings=(), note="")
            return replace(said, is_blinded=is_blinded and said.source is Source.READING)
        case _:
            raise HTTPException(400, _("This cannot be read as a verdict."))


def _is_about_same(said: Said, other: Said) -> bool:
    """Whether of two words the later one holds: a reader's on a film, anybody's on a test."""
    is_test = said.source is not Source.READING
    return said.source is other.source and (is_test or said.reader == other.reader)


def _is_text(note: str) -> bool:
    try:
        note.encode()
    except UnicodeEncodeError:
        return False
    return True
