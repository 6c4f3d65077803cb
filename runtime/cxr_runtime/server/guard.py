"""What stands before every page: whose names this server bears, who may ask, how much and how slowly."""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_BODY = 1 << 16  # bytes of a request
BODY_SECONDS = 15.0  # in which a request's body must be whole
PIECE = 1 << 16  # bytes of an answer that go out together
SEND_SECONDS = 30.0  # that a browser may take for a piece of an answer, however many there are
SAFE = ("GET", "HEAD")
# Of every answer; W3C Content Security Policy 3: nothing inline, nothing from elsewhere.
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data: blob:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "referrer-policy": "same-origin",  # without any, browsers hide the origin of a form, too
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


@dataclass(frozen=True)
class Names:
    """By which names this server may be called.

    A page elsewhere can give its own name this server's address, and would then be of its origin (DNS
    rebinding). A plain address cannot be rebound.
    """

    names: frozenset[str]  # in lower case
    is_local: bool  # of addresses only those of this machine itself

    def allow(self, host: str) -> bool:
        """Whether a Host header names this server."""
        try:
            name = (urlsplit(f"//{host}").hostname or "").lower()
        except ValueError:
            return False
        if name in self.names:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or not self.is_local


class Guard:
    """Refuses requests that no page of ours sends, and adds the headers of every answer.

    Args:
        app: what is guarded.
        names: of this server.
        is_secure: browsers reach it by TLS, here or at a proxy.
    """

    def __init__(self, app: App, names: Names, *, is_secure: bool) -> None:
        self._app, self._names, self._is_secure = app, names, is_secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        out = self._sending(send)
        refused = self._refused(scope, headers)
        if refused is not None:
            await _say(out, *refused)
            return
        if scope["method"] in SAFE:
            await self._app(scope, receive, out)
            return
        try:
            body = await asyncio.wait_for(_whole(receive), BODY_SECONDS)
        except TimeoutError:
            await _say(out, 408, "The request did not come in time.")
            return
        if body is None:
            await _say(out, 413, "The request is too large.")
            return
        await self._app(scope, _given(body, receive), out)

    def _refused(self, scope: Scope, headers: Mapping[str, str]) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if not self._names.allow(host) or _count(scope, b"host") != 1:
            return 421, "This server is not called so. Use its own name, or start it with --name."
        length = headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > 9 or int(length) > MOST_BODY:
            return 413, "The request is too large."
        site = headers.get("sec-fetch-site", "none")
        if scope["method"] in SAFE:
            is_visit = (
                headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
            )
            is_ours = site in ("same-origin", "none") or is_visit
            return None if is_ours else (403, "A page elsewhere asked for this.")
        origin = f"{'https' if self._is_secure else 'http'}://{host}".lower()
        if headers.get("origin", "").lower() != origin or site not in ("same-origin", "none"):
            return 403, "A page elsewhere asked for this."
        return None

    def _sending(self, send: Send) -> Send:
        async def patient(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message.get("headers", [])}
                added = {
                    **HEADERS,
                    **({"strict-transport-security": "max-age=31536000"} if self._is_secure else {}),
                }
                own = [
                    (name.encode(), value.encode())
                    for name, value in added.items()
                    if name.encode() not in given
                ]
                message["headers"] = [*message.get("headers", []), *own]
            for piece in _pieces(message):
                await asyncio.wait_for(send(piece), SEND_SECONDS)

        return patient


def _pieces(message: Message) -> Iterator[Message]:
    """A message to a browser in small ones; each waits until most of those before it has left.

    An answer that was handed over as a whole would count as given, and its connection as idle.
    """
    body = message.get("body", b"")
    last = max(0, len(body) - 1) // PIECE * PIECE
    for at in range(0, last, PIECE):
        yield {**message, "body": body[at : at + PIECE], "more_body": True}
    yield {**message, "body": body[last:]} if last else message


def _count(scope: Scope, name: bytes) -> int:
    return sum(each.lower() == name for each, _ in scope["headers"])


async def _whole(receive: Receive) -> bytes | None:
    """All of a body; None where it is too large."""
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return body
        body += bytes(message.get("body", b""))
        if len(body) > MOST_BODY:
            return None
        if not message.get("more_body", False):
            return body


def _given(body: bytes, receive: Receive) -> Receive:
    waiting = [body]

    async def once() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return once


async def _say(send: Send, status: int, sentence: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{sentence}\n".encode()})


def names_of(host: str, more: Collection[str], own: Collection[str]) -> Names:
    """By which names a server at an address may be called.

    Args:
        host: address or name that it listens at.
        more: names that were given beside it.
        own: of this machine.
    """
    is_local = is_loopback(host)
    known = {"localhost", *more} if is_local else {"localhost", host, *own, *more}
    return Names(frozenset(name.lower() for name in known if name), is_local)


def is_host_name(name: str) -> bool:
    """Whether a Host header could name it: no scheme, no port, no path."""
    try:
        return urlsplit(f"//{name}").hostname == name.lower()
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
