"""What happens in the store, told to open pages as it happens (HTML, 9.2: server-sent events)."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from cxr_runtime.language import _, number, plural
from cxr_runtime.server.door import cookie_of, room_of, visitor_of
from cxr_runtime.server.reading_room import ReadingRoom
from cxr_runtime.server.store_watch import LOOK_SECONDS

ALIVE_SECONDS = 15.0  # after which something is said in any case
LIFE_SECONDS = 600.0  # of one stream; the browser then asks again
MOST_STREAMS = 100
MOST_STREAMS_OF_ONE = 4  # browsers open 6 connections to a server (HTTP/1.1); two are left for all else


async def events(request: Request) -> Response:
    """GET /events: `change` with `{words, isBusy}` whenever the store has changed."""
    room, visitor = room_of(request), visitor_of(request)
    client = visitor.kept or (request.client.host if request.client else "")
    if not room.streams.enter(client, MOST_STREAMS, MOST_STREAMS_OF_ONE):
        raise HTTPException(503, "Too many pages are open.", {"retry-after": "30"})
    return StreamingResponse(_told(request, room, client), media_type="text/event-stream")


def _is_welcome(request: Request, room: ReadingRoom) -> bool:
    return room.visitor(cookie_of(request.scope, room), is_use=False) is not None


def _words(room: ReadingRoom) -> str:
    films = room.watch.films
    if room.watch.is_busy:
        return _("Films are being scored: {count} so far", count=number(films))
    return plural("{count} film", "{count} films", films)


async def _told(request: Request, room: ReadingRoom, client: str) -> AsyncIterator[str]:
    seen, began, spoke = -1, time.monotonic(), 0.0
    try:
        yield "retry: 3000\n\n"
        while time.monotonic() - began < LIFE_SECONDS:
            await run_in_threadpool(room.watch.look)
            if room.is_ending.is_set() or not await run_in_threadpool(_is_welcome, request, room):
                return
            if room.watch.number != seen:
                seen, spoke = room.watch.number, time.monotonic()
                told = {"words": _words(room), "isBusy": room.watch.is_busy}
                yield f"event: change\ndata: {json.dumps(told)}\n\n"
            elif time.monotonic() - spoke > ALIVE_SECONDS:
                spoke = time.monotonic()
                yield ":\n\n"
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        room.streams.leave(client)
