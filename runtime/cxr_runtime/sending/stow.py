"""Results by STOW-RS (PS3.18 10.5): one request for each, to one address, and never to another one."""

import json
import secrets
import socket
import ssl
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any

from cxr_runtime.sending.address import Address
from cxr_runtime.sending.destination import OUR_CERTIFICATE, Answer, Line, Outgoing, PeerError, within
from cxr_runtime.sending.status_codes import DUPLICATE_INSTANCE, SUCCESS, answer_of
from cxr_runtime.store.deliveries import State

SILENT_SECONDS = 30.0  # without a byte
OBJECT_SECONDS = 120.0  # for one result, with its answer
MOST_ANSWER = 1 << 20  # bytes that are read of an answer
OK, ACCEPTED = 200, 202
# What is wrong with the object, not with the way to the service (PS3.18, table 10.5.3-1; RFC 9110, 15.5).
_REFUSALS = {
    400: "it takes the object for a wrong one",
    409: "it refuses the object",
    413: "the object is too large for it",
    415: "it takes no such objects",
    422: "it cannot read the object",
}
_FAILED, _STORED = "00081198", "00081199"  # sequences of failed and of stored objects (PS3.18 I.2)
_FAILURE, _WARNING = "00081197", "00081196"  # their reasons
_UID = "00081155"  # Referenced SOP Instance UID


@dataclass(frozen=True)
class WebArchive:
    """An archive that speaks DICOMweb."""

    address: Address
    login: str = ""  # name:password; "": none
    tls: ssl.SSLContext | None = None  # of https
    object_seconds: float = OBJECT_SECONDS

    @property
    def name(self) -> str:
        """By which the store knows it."""
        return self.address.name

    @contextmanager
    def line(self) -> Iterator[Line]:
        """A connection; it is opened with the first result."""
        host, port = self.address.host, self.address.port
        connection = (
            HTTPSConnection(host, port, timeout=SILENT_SECONDS, context=self.tls)
            if self.address.is_https
            else HTTPConnection(host, port, timeout=SILENT_SECONDS)
        )
        try:
            yield _Connection(connection, self)
        finally:
            connection.close()


class _Connection:
    def __init__(self, connection: HTTPConnection, archive: WebArchive) -> None:
        self._connection, self._archive = connection, archive
        self._is_given_up = False

    def store(self, outgoing: Outgoing) -> Answer:
        """As of `Line`."""
        seconds = self._archive.object_seconds
        return within(seconds, lambda: self._stored(outgoing), self._cut)

    def _stored(self, outgoing: Outgoing) -> Answer:
        boundary = secrets.token_hex(24)
        headers = {
            "Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}',
            "Accept": "application/dicom+json",
        }
        if self._archive.login:
            headers["Authorization"] = f"Basic {b64encode(self._archive.login.encode()).decode()}"
        opened, closed = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n", f"\r\n--{boundary}--\r\n"
        body = opened.encode() + outgoing.content + closed.encode()
        try:
            response = self._response(body, headers)
            told = response.read(MOST_ANSWER)
        except ssl.SSLCertVerificationError as error:
            raise PeerError("its certificate is not trusted, or is another host's: see --tls-ca") from error
        except socket.gaierror as error:
            raise PeerError("its host is not known here") from error
        except (OSError, HTTPException) as error:
            self._connection.close()
            if isinstance(error, (ssl.SSLError, ConnectionError)) and self._archive.address.is_https:
                raise PeerError(f"ends the connection; {OUR_CERTIFICATE}") from error
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise PeerError(f"cannot be reached ({reason})") from error
        if not response.isclosed():  # an answer without end, or one that broke off
            self._connection.close()
            raise PeerError(f"does not answer to the end (HTTP {response.status})")
        return _answer(response, told, outgoing.uid)

    def _response(self, body: bytes, headers: Mapping[str, str]) -> HTTPResponse:
        """Send an object, once more where the service has closed the connection since the one before.

        Orthanc does so after a second of silence.

        Raises:
            OSError, HTTPException: there is no answer.
        """
        was_open = self._connection.sock is not None
        try:
            return self._asked(body, headers)
        except (ConnectionError, ssl.SSLEOFError):
            if self._is_given_up or not was_open:
                raise
            self._connection.close()
            return self._asked(body, headers)

    def _asked(self, body: bytes, headers: Mapping[str, str]) -> HTTPResponse:
        self._connection.request("POST", f"{self._archive.address.path}/studies", body, dict(headers))
        return self._connection.getresponse()

    def _cut(self) -> None:
        """Close the connection of a request that hangs."""
        self._is_given_up, opened = True, self._connection.sock
        if opened is not None:
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)


def _answer(response: HTTPResponse, told: bytes, uid: str) -> Answer:
    """What a service said of one object.

    Raises:
        PeerError: it did not speak of the object, but of the request or of itself.
    """
    status, body = response.status, _parsed(told)
    failed = _failed(body, uid)
    if status in _REFUSALS:
        return failed or _refusal(status)
    if 300 <= status < 400:
        raise PeerError(
            f"leads to another address (HTTP {status}), which is not followed; give that with --to"
        )
    if status in (401, 403):
        raise PeerError(f"lets nobody in without the right name and password (HTTP {status}): see --login")
    if status not in (OK, ACCEPTED):
        raise PeerError(f"does not store (HTTP {status})")
    said = failed or _stored(body, uid) or _failed(body)
    if said is not None:
        return said
    # 200 says that all is stored (PS3.18, table 10.5.3-1), but not who says so: a proxy's page has it, too.
    if status == OK and (not told or _names_as_stored(told, uid)):
        return Answer(State.SENT)
    raise PeerError(f"does not say whether it has the object (HTTP {status})")


def _refusal(status: int) -> Answer:
    return Answer(State.REFUSED, f"{_REFUSALS[status]} (HTTP {status})")


def _parsed(told: bytes) -> Any:
    """The answer's body (PS3.18 I.2), also as the only one of a list; None where it is none in JSON."""
    try:
        found = json.loads(told)
    except (ValueError, RecursionError):
        return None
    return found[0] if isinstance(found, list) and len(found) == 1 else found


def _names_as_stored(told: bytes, uid: str) -> bool:
    """Whether a body in another form than JSON speaks of the object, and of nothing that failed."""
    return uid.encode() in told and _FAILED.encode() not in told


def _failed(body: Any, uid: str | None = None) -> Answer | None:
    """What the body says of an object that was not stored; None where it names it nowhere as such.

    Args:
        body: of the answer.
        uid: of the object; None: of any with a reason, as no other one was sent.
    """
    code = _code(body, _FAILED, _FAILURE, uid)
    if code is None:
        return None
    failed = answer_of(code)
    return _refusal(409) if failed.state is State.SENT and code != DUPLICATE_INSTANCE else failed


def _stored(body: Any, uid: str) -> Answer | None:
    """What the body says of an object that was stored; None where it names it nowhere as such."""
    code = _code(body, _STORED, _WARNING, uid)
    return None if code is None else Answer(State.SENT, answer_of(code).said)


def _code(body: Any, sequence: str, reason: str, uid: str | None) -> int | None:
    """The reason that stands beside an object in a sequence, SUCCESS if none does; None: it is not there."""
    for item in _values(body, sequence):
        codes = [code for code in _values(item, reason) if isinstance(code, int)]
        if codes if uid is None else uid in _values(item, _UID):
            return codes[0] if codes else SUCCESS
    return None


def _values(item: Any, tag: str) -> list[Any]:
    """The values of an element in the JSON model (PS3.18 F.2.2); none where it is otherwise."""
    element = item.get(tag) if isinstance(item, Mapping) else None
    values = element.get("Value") if isinstance(element, Mapping) else None
    return values if isinstance(values, list) else []
