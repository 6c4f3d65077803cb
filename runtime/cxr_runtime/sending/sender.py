"""The loop that sends: what is due goes out, and what an archive said of it is noted at once.

A result is noted as sent after the archive has said that it has it. If the process is killed between the two,
the same object is sent once more, with the same UID: an archive takes it for the object that it has.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from cxr_runtime.journal import Journal
from cxr_runtime.names import SHA_DIGITS
from cxr_runtime.sending.destination import Answer, Destination, Line, PeerError
from cxr_runtime.sending.outbox import Outbox
from cxr_runtime.sending.outboxes import Outboxes
from cxr_runtime.sending.status import Queue
from cxr_runtime.store.deliveries import Outstanding, State, is_ahead

LOOK_SECONDS = 2.0  # between two looks at what is due
RESTS_FOR_ONE = 19  # after a look at a long queue, so many times its length: it takes 5 % of the time
AFTER_FAILURE_SECONDS = 60.0  # when a store cannot be used
FILE_GONE = "its file is gone, or was changed since it was made: scan the film again"


@dataclass
class Sent:
    """What a round came to."""

    sent: int = 0
    warned: int = 0  # of them, those that the archive took with a warning
    refused: int = 0
    left: int = 0  # results that are not sent, and not refused
    trouble: str = ""  # why the archive could not be reached; "" where it could
    is_away: bool = False  # it could not be reached when it was last tried

    def followed_by(self, later: "Sent") -> "Sent":
        """Both rounds together."""
        return replace(
            later,
            sent=self.sent + later.sent,
            warned=self.warned + later.warned,
            refused=self.refused + later.refused,
        )


@dataclass
class Sender:
    """Sends the results of output folders to one archive; of each folder one sender at a time."""

    folders: Callable[[], Iterable[Path]]  # those that are there now
    destination: Destination
    kinds: frozenset[str]
    journal: Journal
    retries_refused: bool = False  # what it refused for good is sent once more
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    queue: Queue = field(default_factory=Queue)  # after the latest round of `run`
    _outboxes: Outboxes = field(init=False)
    _ending: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        name = self.destination.name
        self._outboxes = Outboxes(self.folders, name, self.kinds, self.journal, self.retries_refused)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self) -> None:
        """Send until `end` is called; nothing that befalls the archive or the store ends it earlier."""
        try:
            rest = 0.0
            while not self._ending.wait(rest):
                started, rest = time.monotonic(), LOOK_SECONDS
                try:
                    if self._has_work() and not self._counted(self._send_all(at_once=False)).sent:
                        rest = max(rest, RESTS_FOR_ONE * (time.monotonic() - started))
                except Exception as error:  # noqa: BLE001  # a service goes on, whatever befell this round
                    self.journal.note("sending-failed", error=type(error).__name__.lower())
                    rest = AFTER_FAILURE_SECONDS
        finally:
            self.close()

    def end(self) -> None:
        """Have `run` end after the result in hand; may be called from any thread."""
        self._ending.set()

    def keep_on(self, done: Sent) -> Sent:
        """Go on after a round until everything is sent or refused; what all rounds came to.

        Raises:
            StoreError: as of `round`.
        """
        while done.left and not self._ending.wait(LOOK_SECONDS):
            if self._has_work():
                done = done.followed_by(self.round())
        return done

    def close(self) -> None:
        """Let others send from the folders."""
        self._outboxes.close()

    def round(self, *, at_once: bool = False) -> Sent:
        """Send what is due, each result once.

        Args:
            at_once: what waits to be tried again is due, too.

        Raises:
            StoreError: a folder holds no store, or another program sends from it; or its store cannot be
                used. What is due of the other folders was sent.
            OSError: the same, where the disk fails.
        """
        done = self._send_all(at_once=at_once)
        failures = list(self._outboxes.failing.values())
        if failures:
            raise failures[0].error
        return done

    def _send_all(self, *, at_once: bool) -> Sent:
        """As `round`; a folder that cannot be sent from is left out."""
        began, done = self.clock(), Sent()
        now, again = None if at_once else began, began + timedelta(seconds=AFTER_FAILURE_SECONDS)
        self._outboxes.each(lambda outbox: self._send_from(outbox, now, done), now, again)
        return done

    def _send_from(self, outbox: Outbox, now: datetime | None, done: Sent) -> None:
        """Send what is due of one folder, unless the archive is away."""
        outbox.note()  # what could not be noted before
        due = outbox.away.next_try
        is_awaited = now is not None and due is not None and is_ahead(due, now)
        if not is_awaited and not done.trouble:
            self._send(outbox, now, done)
        done.left += outbox.left()
        done.is_away |= outbox.away.tries > 0

    def _send(self, outbox: Outbox, now: datetime | None, done: Sent) -> None:
        tried = set[str]()
        due = outbox.due(now, tried)
        if not due:
            return
        try:
            with self.destination.line() as line:
                while due and not self._ending.is_set():
                    for each in due:
                        self._hand_over(outbox, line, each, done)
                    tried.update(each.made.uid for each in due)
                    due = outbox.due(now, tried)
        except PeerError as error:
            done.trouble = str(error)
            self._away(outbox, done)

    def _hand_over(self, outbox: Outbox, line: Line, each: Outstanding, done: Sent) -> None:
        if self._ending.is_set():
            return
        outgoing = outbox.read(each)
        if outgoing is None:
            self._note(outbox, each, Answer(State.WAITING, FILE_GONE), done)
            return
        try:
            answer = line.store(outgoing)
        except PeerError as error:  # the archive may have it; the same object again does no harm
            outbox.note(each.delivery.tried_in_vain(self.clock(), str(error)))
            raise
        self._answered(outbox)
        self._note(outbox, each, answer, done)

    def _note(self, outbox: Outbox, each: Outstanding, answer: Answer, done: Sent) -> None:
        """Note what an archive said of a result."""
        now = self.clock()
        if answer.state is State.WAITING:
            outbox.note(each.delivery.tried_in_vain(now, answer.said))
        else:
            outbox.note(each.delivery.ended(answer.state, now, answer.said))
        done.sent += answer.state is State.SENT
        done.warned += answer.state is State.SENT and bool(answer.said)
        done.refused += answer.state is State.REFUSED
        event = {State.SENT: "result-sent", State.REFUSED: "result-refused", State.WAITING: "result-waits"}
        digits, tries = each.made.sha256[:SHA_DIGITS], each.delivery.tries + 1
        warned = {"warned": 1} if answer.state is State.SENT and answer.said else {}
        self.journal.note(event[answer.state], sha256=digits, kind=each.made.kind, tries=tries, **warned)

    def _away(self, outbox: Outbox, done: Sent) -> None:
        """The archive could not be reached, or broke off: nothing is tried for a while."""
        now = self.clock()
        after = outbox.away.tried_in_vain(now, done.trouble)
        outbox.note(after)
        minutes = round((datetime.fromisoformat(after.due) - now).total_seconds() / 60)
        self.journal.note("archive-away", tries=after.tries, next_minutes=minutes)

    def _answered(self, outbox: Outbox) -> None:
        """The archive does its work: the next wait is the shortest one again."""
        away = outbox.away
        if away.tries:
            outbox.note(replace(away, tries=0, due="", said=""))
            self.journal.note("archive-back")

    def _counted(self, done: Sent) -> Sent:
        failing = len(self._outboxes.failing)
        self.queue = Queue(done.left, self.queue.refused + done.refused, done.is_away, failing)
        return done

    def _has_work(self) -> bool:
        return self._outboxes.have_work(self.clock())
