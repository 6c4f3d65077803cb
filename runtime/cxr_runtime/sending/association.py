"""Results by C-STORE (PS3.4 annex B): one association for all that is due."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom.uid import (
    UID,
    ComprehensiveSRStorage,
    EncapsulatedPDFStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
)
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.transport import AddressInformation, AssociationSocket

from cxr_runtime.sending.address import Address
from cxr_runtime.sending.connection import ClosedConnection
from cxr_runtime.sending.destination import OUR_CERTIFICATE, Answer, Line, Outgoing, PeerError, within
from cxr_runtime.sending.status_codes import answer_of
from cxr_runtime.store.deliveries import State

if TYPE_CHECKING:
    from pynetdicom.dimse import _QueueItem

CLASSES = (SecondaryCaptureImageStorage, EncapsulatedPDFStorage, ComprehensiveSRStorage)
SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
CONNECTING_SECONDS = 20.0
REACHING_SECONDS = 45.0  # with finding its host and negotiating
OBJECT_SECONDS = 120.0  # for one result: 4 MB at 280 kbit/s
RELEASING_SECONDS = 10.0


@dataclass(frozen=True)
class Archive:
    """An archive that speaks DICOM."""

    address: Address
    title: str = "CXR-TRIAGE"  # our own AE title
    tls: ssl.SSLContext | None = None
    object_seconds: float = OBJECT_SECONDS
    reaching_seconds: float = REACHING_SECONDS

    @property
    def name(self) -> str:
        """By which the store knows it."""
        return self.address.name

    @contextmanager
    def line(self) -> Iterator[Line]:
        """An association.

        Raises:
            PeerError: there is none to be had.
        """
        association = within(self.reaching_seconds, self._associated, lambda: None)
        try:
            yield _Association(association, self.object_seconds)
        finally:
            with suppress(PeerError):
                within(RELEASING_SECONDS, association.release, lambda: _cut(association))

    def _associated(self) -> Association:
        entity = _Entity(self.title)
        entity.connection_timeout = min(CONNECTING_SECONDS, self.reaching_seconds / 2)
        entity.acse_timeout = self.reaching_seconds / 2  # it gives up before it is given up
        entity.dimse_timeout = entity.network_timeout = self.object_seconds
        for sop_class in CLASSES:
            entity.add_requested_context(sop_class, list(SYNTAXES))
        connected = list[evt.Event]()
        tls = None if self.tls is None else (self.tls, self.address.host)
        try:
            association = entity.associate(
                self.address.host,
                self.address.port,
                ae_title=self.address.title,
                tls_args=tls,
                evt_handlers=[(evt.EVT_CONN_OPEN, connected.append)],
            )
        except socket.gaierror as error:
            raise PeerError("its host is not known here") from error
        except OSError as error:
            raise PeerError(f"cannot be reached ({error.strerror or type(error).__name__})") from error
        if association.is_established:
            keep_answers(association)
            return association
        if association.is_rejected:
            raise PeerError(
                f"rejects the association; it must know our AE title {self.title} and be called "
                f"{self.address.title}"
            )
        if connected:
            raise PeerError(
                f"takes no association; {OUR_CERTIFICATE if self.tls else 'if it wants TLS, give --tls-ca'}"
            )
        what = "no TLS with a certificate that is trusted" if self.tls else "nobody"
        raise PeerError(f"cannot be reached: {what} answers at {self.address.host}:{self.address.port}")


class _Answers(DIMSEServiceProvider):
    """What a peer says; only whoever waits for an answer gets it."""

    def get_msg(self, block: bool = False) -> "_QueueItem":
        """The next message; nothing for the association's own thread, which asks without waiting."""
        return super().get_msg(block=True) if block else (None, None)


def keep_answers(association: Association) -> None:
    """Have every answer reach the one who waits for it; to be called before anything is sent.

    The association of pynetdicom 3.0.4 has a thread that takes messages, too. It is paused while somebody
    sends, but a thread that was interrupted at the wrong moment takes the answer, and throws it away.
    """
    association.dimse = _Answers(association)


class _Entity(AE):
    def _create_socket(
        self,
        assoc: Association,
        address: AddressInformation,
        tls_args: tuple[ssl.SSLContext, str] | None,
    ) -> AssociationSocket:
        made = ClosedConnection(assoc, address=address)
        assert made.socket is not None
        made.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else 40 ms a result are waited
        made.tls_args = tls_args
        return made


class _Association:
    def __init__(self, association: Association, seconds: float) -> None:
        self._association, self._seconds = association, seconds

    def store(self, outgoing: Outgoing) -> Answer:
        """As of `Line`."""
        taken = {context.abstract_syntax for context in self._association.accepted_contexts}
        if UID(outgoing.dataset.SOPClassUID) not in taken:
            return Answer(State.REFUSED, "it takes no objects of this kind")
        if not self._association.is_established:
            raise PeerError("ended the association")
        status = within(self._seconds, lambda: self._stored(outgoing), lambda: _cut(self._association))
        if status is None:
            raise PeerError("ended the association without an answer")
        return answer_of(status)

    def _stored(self, outgoing: Outgoing) -> int | None:
        try:
            answer = self._association.send_c_store(outgoing.dataset)
        except RuntimeError as error:  # the association ended just before
            raise PeerError("ended the association") from error
        return int(answer.Status) if "Status" in answer else None


def _cut(association: Association) -> None:
    """Close the connection of an association whose thread hangs."""
    connection = association.dul.socket
    if connection is not None and connection.socket is not None:
        with suppress(OSError):
            connection.socket.shutdown(socket.SHUT_RDWR)
