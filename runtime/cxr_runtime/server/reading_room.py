"""What all pages of a server share: the store, who is there, and what is being looked at."""

import getpass
import queue
import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cxr_runtime.language import ENGLISH, Language
from cxr_runtime.server.decoding import Decoder
from cxr_runtime.server.sessions import Brake, Sessions
from cxr_runtime.server.store_watch import StoreWatch
from cxr_runtime.store.accounts import Role
from cxr_runtime.store.desk import Desk
from cxr_runtime.store.listing import counts
from cxr_runtime.store.similar import SimilarFilms
from cxr_runtime.workers.opener import Opener

HERE_SECONDS = 45.0  # for which a film counts as open after the browser last said so
MOST_HERE = 10_000  # films that are open


@dataclass(frozen=True)
class RoomOptions:
    """How the room is kept."""

    needs_login: bool = False  # also before there are accounts
    is_secure: bool = False  # browsers reach it by TLS, here or at a proxy
    is_blinded: bool = False  # every reader reads before the score is shown
    language: Language = ENGLISH  # of every page


@dataclass(frozen=True)
class Visitor:
    """Who asks."""

    name: str
    role: Role
    token: str = field(repr=False)  # that pages send with every act
    kept: str = field(default="", repr=False)  # the cookie of a session; "" without login


class Presence:
    """Who has which film open, for nobody else to read it unawares."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._here: dict[tuple[str, str], tuple[str, float]] = {}  # (film, browser): reader, time

    def note(self, film: str, browser: str, reader: str) -> None:
        """A browser shows a film, and no other."""
        now = time.monotonic()
        with self._lock:
            fresh = {
                key: seen
                for key, seen in self._here.items()
                if now - seen[1] < HERE_SECONDS and key[1] != browser
            }
            if film and len(fresh) < MOST_HERE:
                fresh[film, browser] = (reader, now)
            self._here = fresh

    def others(self, film: str, reader: str) -> list[str]:
        """Other readers who have a film open."""
        now = time.monotonic()
        with self._lock:
            here = {
                name
                for (key, _), (name, seen) in self._here.items()
                if key == film and now - seen < HERE_SECONDS
            }
        return sorted(here - {reader})


class Streams:
    """How many streams of events are open."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = Counter[str]()

    def enter(self, client: str, most: int, most_of_one: int) -> bool:
        """Count one more, unless there are too many."""
        with self._lock:
            if self._open.total() >= most or self._open[client] >= most_of_one:
                return False
            self._open[client] += 1
            return True

    def leave(self, client: str) -> None:
        """One has ended."""
        with self._lock:
            self._open[client] -= 1
            if self._open[client] <= 0:
                del self._open[client]


class ReadingRoom:
    """One output folder with its readers."""

    def __init__(self, folder: Path, options: RoomOptions, opener: Opener) -> None:
        self.folder, self.options = folder, options
        self.opener = opener
        self.sessions, self.brake, self.presence = Sessions(), Brake(), Presence()
        self.hashing = threading.Semaphore(1)  # passwords, one at a time
        self._closing = ExitStack()
        self.desk = self._closing.enter_context(Desk.open(folder))
        self.similar = SimilarFilms()
        self.decoder = self._closing.enter_context(Decoder(opener))
        self._watching = self._closing.enter_context(Desk.open(folder, writes=False))
        self.watch = StoreWatch(self._state, lambda: counts(self._watching).all)
        self.streams, self.is_ending = Streams(), threading.Event()
        self._readers = queue.SimpleQueue[Desk]()
        self._local = Visitor(_user_name(), Role.ADMIN, secrets.token_urlsafe(32))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()
        while not self._readers.empty():
            self._readers.get().close()

    @contextmanager
    def reading(self) -> Iterator[Desk]:
        """A connection that only reads, for one thread at a time."""
        try:
            desk = self._readers.get_nowait()
        except queue.Empty:
            desk = Desk.open(self.folder, writes=False)
        try:
            yield desk
        finally:
            self._readers.put(desk)

    def _state(self) -> tuple[int, int]:
        return self._watching.version(), self._watching.count_films()

    def visitor(self, kept: str, *, is_use: bool = True) -> Visitor | None:
        """Who asks, by the cookie; None: he must log in. Without accounts, whoever is at this machine.

        Args:
            kept: the cookie.
            is_use: as of `Sessions.of`.
        """
        with self.reading() as desk:
            if not self.options.needs_login and not desk.has_accounts():
                return self._local
            session = self.sessions.of(kept, is_use=is_use) if kept else None
            if session is None:
                return None
            account = desk.accounts.get(session.account.name)
        if account is None or account != session.account:  # removed, another password, or added anew
            self.sessions.end(kept)
            return None
        return Visitor(account.name, account.role, session.token, kept)

    def may_know_all(self, visitor: Visitor) -> bool:
        """Whether somebody may know how all films stand; where everybody reads blinded, admins alone."""
        return not self.options.is_blinded or visitor.role is Role.ADMIN


def _user_name() -> str:
    """Of whoever started the server; verdicts without login are this user's."""
    try:
        return getpass.getuser()[:40]
    except (OSError, KeyError):
        return "this-machine"
