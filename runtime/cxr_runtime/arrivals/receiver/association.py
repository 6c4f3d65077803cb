"""One sender's association, within limits.

What pynetdicom 3.0.4 leaves open is closed here: a PDU may claim 4 GB and is read whole, however slowly it
comes; and a connection that ends before its request holds its place until a timeout.
"""

import time
from typing import TYPE_CHECKING, cast

from pynetdicom import evt
from pynetdicom._globals import MODE_ACCEPTOR
from pynetdicom.acse import ACSE
from pynetdicom.association import Association
from pynetdicom.dul import DULServiceProvider
from pynetdicom.pdu_primitives import A_ASSOCIATE, A_P_ABORT

from cxr_runtime.arrivals.receiver.messages import FilmMessages
from cxr_runtime.sending.connection import ClosedConnection

if TYPE_CHECKING:
    from pynetdicom.pdu import _PDUType

    from cxr_runtime.arrivals.receiver.server import FilmServer

CHUNK = 1 << 16  # bytes read from a connection at once
OVER = 12  # bytes by which some senders exceed the longest PDU: they do not count its headers
A_ASSOCIATE_RQ, TITLES = b"\x01", slice(10, 42)  # type of its PDU, and where both titles stand (PS3.8 9.3.2)
# Result, source and reason of a rejection (PS3.8 table 9-21).
CALLING_TITLE, CALLED_TITLE = (1, 1, 3), (1, 1, 7)  # is not recognised: for good
TOO_MANY = (2, 3, 2)  # local limit exceeded: for now


class Connection(ClosedConnection):
    """A connection whose reads have an end, too."""

    def recv(self, nr_bytes: int) -> bytearray:
        """Read so many bytes, or fewer where the sender closes the connection.

        Raises:
            OSError: they are more than a PDU may have, or do not come in time.
        """
        limits = cast("FilmAssociation", self.assoc).limits
        if nr_bytes > limits.pdu_bytes + OVER:
            raise ConnectionAbortedError(f"a PDU of {nr_bytes} bytes")
        seconds = limits.idle_seconds if self.assoc.is_established else limits.request_seconds
        end, received = time.monotonic() + seconds, bytearray()
        assert self.socket is not None
        while len(received) < nr_bytes:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError("a PDU that does not end")
            self.socket.settimeout(left)
            part = self.socket.recv(min(CHUNK, nr_bytes - len(received)))
            if not part:
                break
            received += part
        self.socket.settimeout(limits.idle_seconds)  # for what is sent
        return received


class _UpperLayer(DULServiceProvider):
    """The thread of a connection; an error in it ends the association without a word on the screen."""

    def run_reactor(self) -> None:
        """Serve the connection until it ends."""
        try:
            super().run_reactor()
        except Exception:  # noqa: BLE001 - the association notices that this thread has ended
            self.kill_dul()

    def _decode_pdu(self, bytestream: bytearray) -> "tuple[_PDUType, str]":
        """A PDU; one that cannot be read ends the association, and is told of."""
        if bytestream[:1] == A_ASSOCIATE_RQ:  # some devices fill titles up with zeros
            bytestream[TITLES] = bytestream[TITLES].replace(b"\0", b" ")
        try:
            return super()._decode_pdu(bytestream)
        except Exception:
            cast("FilmAssociation", self.assoc).refuse("malformed")
            raise


class _Admission(ACSE):
    """Association requests: only from those who may send, and to our own title."""

    def _negotiate_as_acceptor(self) -> None:
        request = self.requestor.primitive
        if not isinstance(request, A_ASSOCIATE):  # the connection has ended
            self.assoc.kill()
            return
        server = cast("FilmServer", self.assoc._server)
        address = str(self.requestor.address)
        if not server.allowed.admits(request.calling_ae_title or "", address):
            self._reject("calling-title", CALLING_TITLE)
        elif (request.called_ae_title or "").strip() != server.ae_title:
            self._reject("called-title", CALLED_TITLE)
        elif not server.has_place_for(cast("FilmAssociation", self.assoc)):
            self._reject("too-many", TOO_MANY)
        else:
            super()._negotiate_as_acceptor()
            if self.assoc.is_established and not self.assoc.accepted_contexts:
                cast("FilmAssociation", self.assoc).refuse("no-class")

    def _reject(self, reason: str, answer: tuple[int, int, int]) -> None:
        cast("FilmAssociation", self.assoc).refuse(reason)
        self.send_reject(*answer)
        self.assoc.kill()


class FilmAssociation(Association):
    """One sender."""

    def __init__(self, server: "FilmServer") -> None:
        self.limits = server.limits
        self.has_place = False  # among the associations
        super().__init__(server.ae, MODE_ACCEPTOR)
        self._server = server
        self.acse = _Admission(self)
        self.dul = _UpperLayer(self)
        self.dul.daemon = True
        self.dimse = self.films = FilmMessages(self, server.inbox)
        self.acse_timeout = self.limits.request_seconds  # of the new upper layer, as the next
        self.network_timeout = self.limits.idle_seconds
        self.bind(evt.EVT_C_STORE, server.stored)
        self.bind(evt.EVT_CONN_CLOSE, self._closed)

    def run_reactor(self) -> None:
        """Serve the sender until its association ends."""
        try:
            super().run_reactor()
        finally:
            self.films.drop()
            cast("FilmServer", self._server).left(self)

    def refuse(self, reason: str) -> None:
        """Have it told that something of this sender is not taken.

        Args:
            reason: a word for it.
        """
        cast("FilmServer", self._server).refused(reason, str(self.requestor.address))

    def _closed(self, _event: evt.Event) -> None:
        if not self.is_established:  # whoever waits for a request waits no longer
            self.dul.to_user_queue.put(A_P_ABORT())
