"""The appliance: its parts, who keeps them running, and the health of the whole."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from cxr_runtime.access import PRIVATE, make_folder
from cxr_runtime.appliance.disk import DiskGuard, free_bytes
from cxr_runtime.appliance.health import ApplianceHealth, State, amiss, write_health
from cxr_runtime.appliance.kept_arrivals import KeptArrivals
from cxr_runtime.appliance.orders import Orders
from cxr_runtime.appliance.restarting import Part, Standing, Supervised, Waits
from cxr_runtime.appliance.retention import Kept, Retention
from cxr_runtime.arrivals.ending import ending_on_signals
from cxr_runtime.arrivals.queue import Arrivals
from cxr_runtime.arrivals.receiver.copies import Copies
from cxr_runtime.arrivals.service import Health, Service, ServiceOptions
from cxr_runtime.arrivals.watched import watched_folder
from cxr_runtime.errors import StoreError
from cxr_runtime.journal import Journal
from cxr_runtime.pseudonyms import Stranger
from cxr_runtime.sending.sender import Sender
from cxr_runtime.workers.opener import Opener

TEND_SECONDS = 0.5  # between two looks at what is to be begun again
ENDING_SECONDS = 10.0  # that a thread has to end, when the scoring has ended
_LOCK_FILE = ".appliance.lock"


@dataclass
class Tools:
    """What an appliance works with; a test brings its own."""

    journal: Journal
    opener: Opener  # of films and lists of zip files
    tell: Callable[[str], None]  # shows a sentence to whoever looks after the machine
    free: Callable[[Path], int] = free_bytes
    waits: Waits = field(default_factory=Waits)
    clock: Callable[[], datetime] = lambda: datetime.now().astimezone()


class Appliance:
    """Films from all places go through one session into one store; what dies is begun again."""

    def __init__(self, orders: Orders, tools: Tools) -> None:
        self._orders, self._tools = orders, tools
        self._ending = threading.Event()
        self._began = tools.clock()
        self._guard = DiskGuard(orders.out, orders.stop_below, tools.journal, tools.free)
        self._ways = {
            name: KeptArrivals(make, self._standing(name), self._guard, self._ending)
            for name, make in self._places().items()
        }
        self._scoring = Supervised(self._new_service, self._standing("scoring"))
        self._aside = {name: Supervised(make, self._standing(name)) for name, make in self._others().items()}
        self._service: Service | None = None
        self._sender: Sender | None = None
        self._retention: Retention | None = None
        self._before = Health(0, 0, 0, None, 0)  # of scorings that have left
        self._moved = 0, time.monotonic()  # films done, and when these were so many, or none waited

    def run(self) -> None:
        """Work until `end` is called, or a signal asks for it; films that have begun are finished.

        Raises:
            StoreError: another appliance has the folder, or it cannot be written.
            CxrTriageError: it could not end in order.
            KeyboardInterrupt: a second signal came; what was done is kept.
        """
        with ExitStack() as closing:
            closing.enter_context(self._alone())
            closing.enter_context(ending_on_signals(self.end, self._tools.journal))
            closing.enter_context(self._tended())
            for name, part in self._aside.items():
                closing.callback(part.join, ENDING_SECONDS)
                closing.callback(part.end)
                part.start(name)
            try:
                self._scoring.run()
            finally:
                self._ending.set()
                for way in self._ways.values():
                    way.close()

    def end(self) -> None:
        """Have it end; may be called from any thread, and from a signal."""
        self._ending.set()
        self._scoring.end()

    def health(self, state: State | None = None) -> ApplianceHealth:
        """How it is just now; `state`: as which it is shown, None: as is found."""
        orders, now, scoring = self._orders, self._tools.clock(), self._counted()
        standings = [self._scoring.standing, *(each.standing for each in self._kept())]
        parts = tuple(standing.health() for standing in standings)
        if not scoring.waiting or scoring.films != self._moved[0]:
            self._moved = scoring.films, time.monotonic()
        queue = None if self._sender is None else self._sender.queue
        wrong = amiss(
            parts,
            time.monotonic() - self._moved[1],
            is_disk_full=self._guard.is_full(),
            away=[name for name, way in self._ways.items() if way.is_away],
            queue=queue,
            unkept=0 if self._retention is None else len(self._retention.failing),
        )
        return ApplianceHealth(
            state or (State.AMISS if wrong else State.WELL),
            wrong,
            time=now,
            began=self._began,
            process=os.getpid(),
            every_seconds=orders.health_seconds,
            films=scoring.films,
            waiting=scoring.waiting,
            to_be_tried_again=scoring.to_be_tried_again,
            last_film=scoring.last_film,
            free_bytes=self._guard.free(),
            stops_below_bytes=orders.stop_below,
            queue=queue,
            parts=parts,
        )

    def _kept(self) -> list[KeptArrivals | Supervised]:
        return [*self._ways.values(), *self._aside.values()]

    def _standing(self, name: str) -> Standing:
        tools = self._tools
        return Standing(name, tools.journal, tools.tell, tools.waits)

    def _places(self) -> dict[str, Callable[[], Arrivals]]:
        """Where films come from."""

        def watching(number: int) -> Callable[[], Arrivals]:
            orders, tools = self._orders, self._tools
            return lambda: watched_folder(
                number,
                orders.folders,
                orders.out,
                tools.journal,
                follow_links=orders.follow_links,
                ask=tools.opener.chunks,
            )

        places = {f"watch-{number}": watching(number) for number in range(1, len(self._orders.folders) + 1)}
        receiving = self._orders.receiving
        if receiving is not None:
            places["listen"] = lambda: receiving.receiver(self._orders.out, self._tools.journal)
        return places

    def _others(self) -> dict[str, Callable[[], Part]]:
        """Parts that work beside the scoring."""
        orders, tools, parts = self._orders, self._tools, dict[str, Callable[[], Part]]()
        if orders.sending is not None:
            parts["send"] = self._new_sender
        if orders.receiving is not None and (stranger := Stranger.of(orders.screening.identity)):
            parts["copies"] = lambda: Copies(orders.out, stranger, tools.journal, orders.keeps_whole)
        if orders.kept != Kept():
            parts["retention"] = self._new_retention
        access = orders.screening.access
        return parts | orders.readers.parts(orders.out, access, tools.opener, tools.journal)

    def _new_sender(self) -> Sender:
        assert self._orders.sending is not None
        orders, tools = self._orders, self._tools
        self._sender = self._orders.sending.sender(orders.out, tools.journal)
        return self._sender

    def _new_retention(self) -> Retention:
        orders, tools = self._orders, self._tools
        archive = orders.sending.archive if orders.sending is not None else None
        self._retention = Retention(orders.out, orders.kept, tools.journal, tools.clock, archive)
        return self._retention

    def _new_service(self) -> Service:
        orders, tools = self._orders, self._tools
        self._before = self._counted()
        options = ServiceOptions(orders.screening, orders.inputs, orders.is_dated, hears_signals=False)
        self._service = Service(
            list(self._ways.values()), options, tools.journal, tools.clock, opener=tools.opener
        )
        return self._service

    def _counted(self) -> Health:
        """Of all scorings together."""
        before = self._before
        if self._service is None:
            waiting = sum(way.waiting() for way in self._ways.values())
            return Health(before.films, waiting, 0, before.last_film, 0)
        now = self._service.health()
        last = now.last_film or before.last_film
        return Health(before.films + now.films, now.waiting, now.to_be_tried_again, last, now.free_bytes)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        out = self._orders.out
        try:
            make_folder(out, self._orders.screening.access)
            lock = FileLock(out / _LOCK_FILE, mode=PRIVATE.file_mode)
            lock.acquire(blocking=False)
        except Timeout as error:
            raise StoreError(
                f"{out} is in use by another appliance; end that one, or give this one another `out`"
            ) from error
        except OSError as error:
            raise StoreError(
                f"{out} cannot be written ({error.strerror}); give a folder that can as `out`"
            ) from error
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _tended(self) -> Iterator[None]:
        """What died is begun again, and health is written, by a thread; and once more when all has ended."""
        done = threading.Event()
        thread = threading.Thread(target=self._tend, args=(done,), name="tending", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join(ENDING_SECONDS)
            self._write_health(State.ENDED)

    def _tend(self, done: threading.Event) -> None:
        written = -self._orders.health_seconds
        while not done.is_set():
            for way in self._ways.values():
                way.tend()
            if time.monotonic() - written >= self._orders.health_seconds:
                written = time.monotonic()
                self._write_health()
            done.wait(TEND_SECONDS)

    def _write_health(self, state: State | None = None) -> None:
        try:
            write_health(self._orders.health_file, self.health(state))
        except OSError:
            self._tools.journal.note("health-not-written")
