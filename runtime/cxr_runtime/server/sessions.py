"""Who is logged in: sessions in memory, with limits of time, and the brake on guessing passwords."""

import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from cxr_runtime.store.accounts import Account

IDLE_SECONDS = 30 * 60.0
ABSOLUTE_SECONDS = 12 * 3600.0
MOST_SESSIONS = 1000  # the one that was idle longest goes
SECONDS_A_TRY = 30.0  # after those that are free
MOST_TRACKED = 10_000  # addresses and names whose tries are known


@dataclass
class Session:
    """One login."""

    account: Account  # as it was at the login
    token: str = field(repr=False)  # that its pages send with every act, against forged requests
    began: float = 0.0
    used: float = 0.0


class Sessions:
    """Sessions by the digest of what the browser keeps; they end with the server.

    Args:
        clock: seconds that are never set back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions = OrderedDict[str, Session]()

    def begin(self, account: Account) -> str:
        """A new session, which no earlier cookie can name; what the browser is to keep."""
        kept, now = secrets.token_urlsafe(32), self._clock()
        with self._lock:
            self._sessions[_digest(kept)] = Session(account, secrets.token_urlsafe(32), now, now)
            while len(self._sessions) > MOST_SESSIONS:
                self._sessions.popitem(last=False)
        return kept

    def of(self, kept: str, *, is_use: bool = True) -> Session | None:
        """The session of a cookie; None where there is none, or it has ended.

        Args:
            kept: what the browser keeps.
            is_use: somebody did something; False: a page asked by itself, which keeps no session alive.
        """
        now, digest = self._clock(), _digest(kept)
        with self._lock:
            session = self._sessions.get(digest)
            if session is None:
                return None
            if now - session.used > IDLE_SECONDS or now - session.began > ABSOLUTE_SECONDS:
                del self._sessions[digest]
                return None
            if is_use:
                session.used = now
                self._sessions.move_to_end(digest)
            return session

    def end(self, kept: str) -> None:
        """Log out."""
        with self._lock:
            self._sessions.pop(_digest(kept), None)


class Brake:
    """Lets a few tries through at once, then one every `SECONDS_A_TRY`: of an address, or for a name."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._full_at = OrderedDict[str, float]()  # when all free tries are there again

    def wait(self, keys: Mapping[str, int]) -> float:
        """Seconds until a try may be made; 0: now, and it counts for each key.

        Args:
            keys: each with the number of tries that may come at once.
        """
        now = self._clock()
        with self._lock:
            due = {key: max(self._full_at.get(key, now), now) + SECONDS_A_TRY for key in keys}
            wait = max(due[key] - free * SECONDS_A_TRY - now for key, free in keys.items())
            if wait > 0:
                return wait
            for key, full in due.items():
                self._full_at[key] = full
                self._full_at.move_to_end(key)
            while len(self._full_at) > MOST_TRACKED:
                self._full_at.popitem(last=False)
        return 0.0

    def forgive(self, *keys: str) -> None:
        """Forget the tries of who has logged in."""
        with self._lock:
            for key in keys:
                self._full_at.pop(key, None)


def is_same(token: str, other: str) -> bool:
    """Whether two secrets are the same, in a time that says nothing of them."""
    return hmac.compare_digest(token.encode(), other.encode())


def _digest(kept: str) -> str:
    return sha256(kept.encode()).hexdigest()
