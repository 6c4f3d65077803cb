"""One connection of a browser: whoever is slow to say what he wants is not waited for."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS = (
    10.0  # in which the head of a request must be whole, from the connection or the answer before
)
LAST_SECONDS = 40.0  # that what has been handed over of an answer may take; the guard gives up before


class PromptProtocol(H11Protocol):
    """uvicorn's own, with limits of time for a request's head and for what is not taken of an answer.

    uvicorn waits for ever (its issue 157), and asyncio closes no connection that has something left to send.
    """

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A browser is there."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """It has gone."""
        self._stop()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Something came; once it is a whole head, its answer has all the time it needs."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            self._stop()

    def on_response_complete(self) -> None:
        """The answer is out; the next request is waited for."""
        super().on_response_complete()
        self._wait_if_answered()

    def pause_writing(self) -> None:
        """An answer comes faster than the browser takes it."""
        super().pause_writing()
        self._wait()

    def resume_writing(self) -> None:
        """It has taken most of that."""
        super().resume_writing()
        self._stop()
        self._wait_if_answered()

    def _wait_if_answered(self) -> None:
        if self.cycle is None or self.cycle.response_complete or self.transport.is_closing():
            self._wait()

    def _wait(self) -> None:
        self._stop()
        is_idle = not self.transport.get_write_buffer_size()
        seconds = REQUEST_SECONDS if is_idle else LAST_SECONDS
        self._deadline = self.loop.call_later(seconds, self._close)

    def _stop(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _close(self) -> None:
        transport: Any = self.transport
        transport.abort()
