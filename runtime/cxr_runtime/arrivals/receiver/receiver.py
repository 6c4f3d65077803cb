"""A DICOM receiver as a way of arriving: C-ECHO, and C-STORE of radiographs (PS3.4 annex B)."""

import ssl
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
)
from pynetdicom import AE
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made when it is imported

from cxr_runtime.arrivals.receiver.inbox import Inbox, Limits, Received
from cxr_runtime.arrivals.receiver.peers import AllowList, addresses
from cxr_runtime.arrivals.receiver.server import FilmServer
from cxr_runtime.errors import CxrTriageError
from cxr_runtime.journal import Journal
from cxr_runtime.names import SHA_DIGITS
from cxr_runtime.reading.dicom.syntaxes import SYNTAXES, Codec, Syntax
from cxr_runtime.sources.film_source import FileOnDisk

CLASSES = (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    SecondaryCaptureImageStorage,
)
ENDING_SECONDS = 2.0  # that senders have to notice that they are cut off
TOLD_EVERY = 10.0  # seconds between two lines of the journal on refusals of one kind


@dataclass(frozen=True)
class ReceiverOptions:
    """Where a receiver listens, and to whom."""

    host: str = "127.0.0.1"
    port: int = 11112  # 0: any that is free
    title: str = "CXR-TRIAGE"  # our AE title; senders must call it
    allowed: AllowList = field(default_factory=AllowList)
    tls: ssl.SSLContext | None = None
    limits: Limits = field(default_factory=Limits)


class Receiver:
    """Takes films from the network, and gives each once it is on the disk.

    Args:
        out: output folder of the service; films lie in its `received`.
        options: where it listens.
        journal: hears what was received and what was refused.
    """

    def __init__(self, out: Path, options: ReceiverOptions, journal: Journal) -> None:
        self._options, self._journal = options, journal
        self._inbox = Inbox(out, options.limits, self._arrived)
        self._ready: deque[str] = deque()
        self._bell = threading.Event()
        self._server: FilmServer | None = None
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._refusals = _Refusals(journal)

    @property
    def port(self) -> int:
        """Where it listens; 0 before it does."""
        return 0 if self._server is None else int(self._server.server_address[1])

    def start(self, bell: threading.Event) -> None:
        """Take up what was received before, and begin to listen.

        Raises:
            CxrTriageError: the folder cannot be made, or the port is taken.
        """
        self._bell = bell
        try:
            self._ready.extend(self._inbox.open())
        except OSError as error:
            raise CxrTriageError(
                f"the folder {self._inbox.folder} cannot be used ({error.strerror}); films that arrive are "
                "stored there: make it a folder of this user's own"
            ) from error
        self._server = self._listening()
        self._thread = threading.Thread(target=self._server.serve_forever, name="receiver", daemon=True)
        self._thread.start()
        self._journal.note("listening", port=self.port, waiting=len(self._ready))
        bell.set()

    def take(self) -> Iterator[FileOnDisk]:
        """Films that are on the disk and were not given yet.

        Raises:
            CxrTriageError: nothing is listened to any more, though nobody has closed the receiver.
        """
        self._refusals.tell()
        while self._ready:
            yield self._inbox.film(self._ready.popleft())
        if self._thread is not None and not self._thread.is_alive() and not self._is_closed:
            raise CxrTriageError("the receiver has stopped; start it again")

    def waiting(self) -> int:
        """Films that were not taken yet, and those on their way."""
        senders = [] if self._server is None else self._server.associations()
        return len(self._ready) + sum(sender.films.is_receiving for sender in senders)

    def close(self) -> None:
        """Listen no more; a film that is not whole yet has to be sent again."""
        self._is_closed = True
        if self._server is None:
            return
        self._server.shutdown()
        senders = self._server.associations()
        for sender in senders:
            sender.abort(block=False)
        end = time.monotonic() + ENDING_SECONDS
        for sender in senders:
            sender.join(max(0.0, end - time.monotonic()))
            sender.films.drop()
        self._refusals.tell(all_of_them=True)

    def _listening(self) -> FilmServer:
        options, limits = self._options, self._options.limits
        ae = AE(options.title)
        ae.maximum_associations = limits.connections  # the server counts them itself
        ae.maximum_pdu_size = limits.pdu_bytes
        ae.acse_timeout, ae.network_timeout = limits.request_seconds, limits.idle_seconds
        ae.add_supported_context(Verification)
        for each in CLASSES:
            ae.add_supported_context(each, accepted_syntaxes())
        address = addresses(options.host, "--host")[0], options.port
        try:
            return FilmServer(
                ae, address, self._inbox, options.allowed, options.tls, self._refusals.note, self._received
            )
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise CxrTriageError(
                f"port {options.port} of {options.host} cannot be listened to ({reason}); end the "
                "program that has it, or give another --port or --host"
            ) from error

    def _arrived(self, name: str) -> None:
        self._ready.append(name)
        self._bell.set()

    def _received(self, film: Received) -> None:
        digits, kilobytes = film.sha256[:SHA_DIGITS], -(-film.size // 1024)
        self._journal.note("received", sha256=digits, kilobytes=kilobytes, seconds=round(film.seconds, 3))


class _Refusals:
    """Tells of refusals, at most every few seconds of each kind: somebody hostile may cause many."""

    def __init__(self, journal: Journal) -> None:
        self._journal, self._lock = journal, threading.Lock()
        self._untold = Counter[str]()  # by reason
        self._latest: dict[str, str] = {}  # address by reason
        self._told: dict[str, float] = {}  # when, by reason

    def note(self, reason: str, address: str) -> None:
        """Something was refused.

        Args:
            reason: a word for it.
            address: of the sender; the journal has `-` for its dots and colons.
        """
        with self._lock:
            self._untold[reason] += 1
            self._latest[reason] = address
        self.tell()

    def tell(self, *, all_of_them: bool = False) -> None:
        """Tell of what was not told yet.

        Args:
            all_of_them: also of kinds that were told of a moment ago.
        """
        now = time.monotonic()
        with self._lock:
            due = {
                reason: self._untold.pop(reason)
                for reason in list(self._untold)
                if all_of_them or now - self._told.get(reason, -TOLD_EVERY) >= TOLD_EVERY
            }
            self._told.update(dict.fromkeys(due, now))
        for reason, times in due.items():
            self._journal.note("refused", reason=reason, times=times, host=_word(self._latest[reason]))


def _word(address: str) -> str:
    return address.replace(".", "-").replace(":", "-").strip("-")


def accepted_syntaxes() -> list[UID]:
    """The transfer syntaxes that are read, lossless ones first: the first that a sender offers is taken."""
    return [UID(each.uid) for each in sorted(SYNTAXES.values(), key=_preference)]


def _preference(syntax: Syntax) -> tuple[bool, bool, bool]:
    is_compressed = syntax.codec is not Codec.NATIVE
    is_lossy = is_compressed and syntax.codec is not Codec.RLE and not _is_lossless(syntax)
    return is_lossy, is_compressed, syntax.uid != ExplicitVRLittleEndian


def _is_lossless(syntax: Syntax) -> bool:
    return "Lossless" in syntax.name and "Lossy" not in syntax.name
