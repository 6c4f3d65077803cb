"""Connections of pynetdicom 3.0.4, of senders and receivers: closed when they end, and never printed."""

from contextlib import suppress
from socket import SHUT_RDWR

from pynetdicom import _config
from pynetdicom.transport import AssociationSocket

_config.LOG_HANDLER_LEVEL = "none"  # its handlers would write out what is sent and what senders say


class ClosedConnection(AssociationSocket):
    """A connection that is closed in any case; the library leaves it open where its peer was first."""

    def _shutdown_socket(self) -> None:
        if self.socket is not None:
            with suppress(OSError):
                self.socket.shutdown(SHUT_RDWR)
            self.socket.close()
