"""Senders of films: well-behaved ones by pynetdicom, and raw connections that break the rules."""

import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from threading import Event
from typing import Any, Self

from pydicom import Dataset, dcmread
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.pdu import P_DATA_TF
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made when it is imported

from cxr_runtime.arrivals.receiver.receiver import Receiver, ReceiverOptions
from cxr_runtime.files import RECEIVED_FOLDER
from cxr_runtime.journal import Journal
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.sending.association import keep_answers
from dicom_files import dicom_file

DX = DigitalXRayImageStorageForPresentation
PATIENCE = 60.0  # seconds for what takes a moment
CONTEXT = 1  # id of the only presentation context of a raw peer


@contextmanager
def receiving(out: Path, journal: Journal | None = None, **options: Any) -> Iterator[Receiver]:
    """A receiver at a free port of this machine."""
    receiver = Receiver(out, ReceiverOptions(port=0, **options), journal or Journal())
    receiver.start(Event())
    try:
        yield receiver
    finally:
        receiver.close()


def names(out: Path) -> list[str]:
    """Everything that lies in the folder of received films."""
    return sorted(path.name for path in (out / RECEIVED_FOLDER).iterdir())


def film(seed: int = 1, **elements: Any) -> Dataset:
    """A small film; `elements` as of `dicom_files.dicom_dataset`."""
    content = dicom_file(draw_phantom(seed, hw=(64, 64)), **{"SOPInstanceUID": f"1.2.3.{seed}", **elements})
    return dcmread(BytesIO(content))


@contextmanager
def association(
    port: int, *, calling: str = "XRAY1", called: str = "CXR-TRIAGE", **options: Any
) -> Iterator[Association]:
    """An association for C-ECHO and uncompressed DX films; it may have been rejected."""
    ae = AE(calling)
    ae.add_requested_context(Verification)
    ae.add_requested_context(DX, ExplicitVRLittleEndian)
    opened = ae.associate("127.0.0.1", port, ae_title=called, **options)
    keep_answers(opened)
    try:
        yield opened
    finally:
        if opened.is_established:
            opened.release()
        else:
            opened.kill()


def store(port: int, *films: Dataset, calling: str = "XRAY1") -> list[int]:
    """Send films by one association; the statuses that were answered."""
    with association(port, calling=calling) as sender:
        assert sender.is_established
        return [sender.send_c_store(film).Status for film in films]


def echoes(port: int, **options: Any) -> bool:
    """Whether C-ECHO is answered."""
    with association(port, **options) as sender:
        return sender.is_established and sender.send_c_echo().Status == 0


class RawPeer:
    """A connection over which anything may be sent, with TLS if a context for it is given."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        if tls is not None:
            self._socket = tls.wrap_socket(self._socket)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, content: bytes) -> bool:
        """Send bytes; whether the connection still took them."""
        try:
            self._socket.sendall(content)
        except OSError:
            return False
        return True

    def answer(self) -> bytes:
        """The next PDU; empty where the connection is closed."""
        try:
            header = self._exactly(6)
            return header + self._exactly(struct.unpack(">2xL", header)[0])
        except (OSError, EOFError):
            return b""

    def associate(self, calling: str = "XRAY1") -> int:
        """Ask for an association; the type of the answer: 2 accepted, 3 rejected, 0 closed."""
        self.send(association_request(calling))
        return (self.answer() or b"\0")[0]

    def is_closed(self) -> bool:
        """Whether the other side closes the connection, whatever it says before."""
        while self.answer():
            pass
        return True

    def _exactly(self, size: int) -> bytes:
        content = b""
        while len(content) < size:
            part = self._socket.recv(size - len(content))
            if not part:
                raise EOFError
            content += part
        return content


def association_request(calling: str = "XRAY1", called: str = "CXR-TRIAGE") -> bytes:
    """An A-ASSOCIATE-RQ for uncompressed DX films (PS3.8 9.3.2)."""

    def item(kind: int, content: bytes) -> bytes:
        return struct.pack(">BxH", kind, len(content)) + content

    syntaxes = item(0x30, DX.encode()) + item(0x40, ExplicitVRLittleEndian.encode())
    user = item(0x51, struct.pack(">L", 16384)) + item(0x52, b"1.2.3")
    items = (
        item(0x10, b"1.2.840.10008.3.1.1.1")
        + item(0x20, bytes([CONTEXT, 0, 0, 0]) + syntaxes)
        + item(0x50, user)
    )
    titles = called.ljust(16).encode() + calling.ljust(16).encode()
    return pdu(1, struct.pack(">H2x", 1) + titles + bytes(32) + items)


def pdu(kind: int, content: bytes) -> bytes:
    """A PDU (PS3.8 9.3.1)."""
    return struct.pack(">BxL", kind, len(content)) + content


def fragment(content: bytes, header: int = 0) -> bytes:
    """A P-DATA-TF with one fragment; `header` 0: of a data set that goes on (PS3.8 9.3.5, E.2)."""
    return pdu(4, struct.pack(">LBB", len(content) + 2, CONTEXT, header) + content)


def store_command(instance: str = "1.2.3.4") -> bytes:
    """The command of a C-STORE whose data set is to follow, as PDUs."""
    request = C_STORE()
    request.MessageID, request.Priority = 1, 0
    request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = DX, instance
    request.DataSet = BytesIO(b"\0\0")
    message = C_STORE_RQ()
    message.primitive_to_message(request)
    command, *_ = message.encode_msg(CONTEXT, 16384)
    return bytes(P_DATA_TF(command).encode())
