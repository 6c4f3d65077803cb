"""The port for senders: pynetdicom's server, within limits.

pynetdicom 3.0.4 negotiates TLS where connections are accepted, so that one silent sender holds up all others;
and it begins two threads for each connection, however many there are.
"""

import logging
import select
import socket
import ssl
import sys
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from copy import deepcopy
from socketserver import TCPServer
from typing import Any, cast

from pynetdicom import AE, evt
from pynetdicom.transport import RequestHandler, ThreadedAssociationServer

from cxr_runtime.arrivals.receiver.association import Connection, FilmAssociation
from cxr_runtime.arrivals.receiver.inbox import Answer, Inbox, Limits, Received
from cxr_runtime.arrivals.receiver.peers import AllowList

WAITING = 64  # connections that the system holds until they are accepted

Heard = Callable[[str, str], None]  # a reason for a refusal, and the address of the sender


class _Handler(RequestHandler):
    """Makes an association of a connection."""

    def _create_association(self) -> FilmAssociation:
        server = cast("FilmServer", self.server)
        association = FilmAssociation(server)
        association.name = "AcceptorThread"  # by this the library finds it
        association.set_socket(Connection(association, client_socket=cast("socket.socket", self.request)))
        acceptor = association.acceptor
        acceptor.maximum_length = server.ae.maximum_pdu_size
        acceptor.ae_title, acceptor.address_info = server.ae_title, self.local
        acceptor.implementation_class_uid = server.ae.implementation_class_uid
        acceptor.implementation_version_name = server.ae.implementation_version_name
        acceptor.supported_contexts = deepcopy(server.contexts)
        association.requestor.address_info = self.remote
        return association


class FilmServer(ThreadedAssociationServer):
    """Accepts connections within limits, and gives what comes to an inbox.

    Args:
        ae: our title and what we take.
        address: host and port.
        inbox: of the films.
        allowed: who may send.
        context: of TLS; None: without.
        refused: hears of what is refused.
        received: hears of each film that was stored.
    """

    request_queue_size = WAITING
    daemon_threads = True

    def __init__(
        self,
        ae: AE,
        address: tuple[str, int],
        inbox: Inbox,
        allowed: AllowList,
        context: ssl.SSLContext | None,
        refused: Heard,
        received: Callable[[Received], None],
    ) -> None:
        _silence()
        self.inbox, self.allowed, self.refused, self._received = inbox, allowed, refused, received
        self.limits: Limits = inbox.limits
        self._connections, self._associations, self._lock = 0, 0, threading.Lock()
        super().__init__(ae, address, ae.ae_title, ae.supported_contexts, context, request_handler=_Handler)

    def stored(self, event: evt.Event) -> int:
        """Answer a C-STORE, once its film is on the disk."""
        association = cast("FilmAssociation", event.assoc)
        became = association.films.stored()
        if became.answer is Answer.STORED:
            self._received(became)
        else:
            self.refused(became.reason, str(association.requestor.address))
        return int(became.answer)

    def has_place_for(self, association: FilmAssociation) -> bool:
        """Give an association a place, if there is one."""
        with self._lock:
            association.has_place = self._associations < self.limits.associations
            self._associations += association.has_place
        return association.has_place

    def left(self, association: FilmAssociation | None = None) -> None:
        """A connection has ended, and its association if it came to one."""
        with self._lock:
            self._connections -= 1
            self._associations -= association is not None and association.has_place

    def server_bind(self) -> None:
        """Take the port; the way of the library lets another program of Windows take films there, too."""
        if sys.platform != "win32":
            super().server_bind()
            return
        assert self.socket is not None
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        self.socket.settimeout(self.ae.network_timeout)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; TLS is negotiated in its own thread."""
        assert self.socket is not None
        return self.socket.accept()

    def verify_request(self, request: object, client_address: Any) -> bool:  # noqa: ARG002 - as of the library
        """Whether a connection is kept: its host may send, and there is a place."""
        if not self.allowed.knows_host(client_address[0]):
            self.refused("host", client_address[0])
            return False
        with self._lock:
            has_place = self._connections < self.limits.connections
            self._connections += has_place
        if not has_place:
            self.refused("too-many", client_address[0])
        return has_place

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Begin an association in a thread of its own."""
        try:
            request.settimeout(self.limits.idle_seconds)
            if self.ssl_context is not None:
                request = _secured(request, self.ssl_context, self.limits.request_seconds)
            self.finish_request(request, client_address)
        except Exception as error:  # noqa: BLE001 - of TLS, of a peer that has gone, of a system without threads
            self.left()
            self.refused("tls" if isinstance(error, ssl.SSLError) else "connection", client_address[0])
            self.shutdown_request(request)

    def shutdown(self) -> None:
        """Accept no connection any more, and give back the port."""
        TCPServer.shutdown(self)  # the library's own expects that it began the server itself
        self.server_close()

    def handle_error(self, request: object, client_address: Any) -> None:  # noqa: ARG002 - as of the library
        """A connection for which there was no thread."""
        self.left()
        self.refused("connection", client_address[0])

    def associations(self) -> list[FilmAssociation]:
        """Those that are open."""
        return [each for each in self.ae.active_associations if isinstance(each, FilmAssociation)]


def _secured(connection: socket.socket, context: ssl.SSLContext, seconds: float) -> ssl.SSLSocket:
    """Negotiate TLS within so many seconds.

    Raises:
        OSError: it failed, or took longer.
    """
    secured = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
    secured.setblocking(False)
    end = time.monotonic() + seconds
    with ExitStack() as failed:
        failed.callback(secured.close)
        while (left := end - time.monotonic()) > 0:
            try:
                secured.do_handshake()
            except ssl.SSLWantReadError:
                select.select([secured], [], [], left)
            except ssl.SSLWantWriteError:
                select.select([], [secured], [], left)
            else:
                failed.pop_all()
                return secured
    raise TimeoutError("TLS that was not negotiated in time")


def _silence() -> None:
    """Have the libraries print nothing: their lines hold what senders say, names of patients among it."""
    log = logging.getLogger("pynetdicom")
    log.handlers, log.propagate = [logging.NullHandler()], False
    log.setLevel(logging.CRITICAL)
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module=r"pydicom|pynetdicom")
