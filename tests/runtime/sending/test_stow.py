"""STOW-RS with a small service of the test's own; Orthanc's is in test_orthanc.py."""

import json
import ssl
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from cxr_runtime.journal import Journal, LogFormat
from cxr_runtime.sending.address import Address, tls_context
from cxr_runtime.sending.destination import KINDS, Answer, Outgoing, PeerError
from cxr_runtime.sending.sender import Sender
from cxr_runtime.sending.stow import MOST_ANSWER, WebArchive
from cxr_runtime.store.deliveries import State
from sent_results import Clock, folder_with_results

UID, CONTENT = "2.25.1", b"\0not quite\r\n--DICOM\xff" * 1000
Handle = Callable[[BaseHTTPRequestHandler, bytes], None]


@contextmanager
def service(handle: Handle, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A web service that answers as it is told; its port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            handle(self, self.rfile.read(int(self.headers["Content-Length"])))

        def log_message(self, *_: object) -> None:
            """Nothing is written out."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join(60)
        server.server_close()


def replying(status: int, body: bytes = b"", **headers: str) -> Handle:
    def reply(request: BaseHTTPRequestHandler, _: bytes) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return reply


def told(sequence: str, reason: str = "", code: int = 0, uid: str = UID) -> bytes:
    """The body of an answer (PS3.18 I.2)."""
    item: dict[str, Any] = {"00081155": {"vr": "UI", "Value": [uid]}}
    if reason:
        item[reason] = {"vr": "US", "Value": [code]}
    return json.dumps({sequence: {"vr": "SQ", "Value": [item]}}).encode()


def stored(handle: Handle, seconds: float = 30.0, login: str = "") -> Answer:
    with service(handle) as port:
        archive = WebArchive(Address.parse(f"http://127.0.0.1:{port}/dicom-web"), login, None, seconds)
        with archive.line() as line:
            return line.store(Outgoing(UID, CONTENT))


def test_a_result_is_one_part_of_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    got = list[tuple[str, str, bytes]]()

    def keep(request: BaseHTTPRequestHandler, body: bytes) -> None:
        message = message_from_bytes(
            b"Content-Type: " + request.headers["Content-Type"].encode() + b"\r\n\r\n"
        )
        boundary = str(message.get_param("boundary")).encode()
        (part,) = body.split(b"--" + boundary)[1:-1]
        head, _, content = part.partition(b"\r\n\r\n")
        got.append((request.path, head.decode().strip(), content))
        replying(200)(request, body)

    assert stored(keep) == Answer(State.SENT)
    assert got == [("/dicom-web/studies", "Content-Type: application/dicom", CONTENT + b"\r\n")]


def test_name_and_password_go_into_the_header() -> None:
    seen = list[str]()

    def keep(request: BaseHTTPRequestHandler, body: bytes) -> None:
        seen.append(b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode())
        replying(200)(request, body)

    stored(keep, login="clinic:s\u00e9cret")
    assert seen == ["clinic:s\u00e9cret"]


FAILED, STORED, FAILURE, WARNING = "00081198", "00081199", "00081197", "00081196"


@pytest.mark.parametrize(
    ("status", "body", "state", "said"),
    [
        (200, b"", State.SENT, ""),
        (200, f'<DicomAttribute tag="00081155"><Value number="1">{UID}</Value>'.encode(), State.SENT, ""),
        (200, b"[" + told(STORED) + b"]", State.SENT, ""),
        (200, told(STORED), State.SENT, ""),
        (202, told(STORED, WARNING, 0xB000), State.SENT, "warning"),
        (200, told(FAILED, FAILURE, 0xA900), State.REFUSED, "0xA900"),
        (202, told(FAILED, FAILURE, 0xA700), State.WAITING, "0xA700"),
        (409, told(FAILED, FAILURE, 0xC122), State.REFUSED, "0xC122"),
        (409, told(FAILED, FAILURE, 0xA700), State.WAITING, "0xA700"),
        (409, told(FAILED, FAILURE, 0x0111), State.SENT, "has the object already"),
        (202, told(FAILED, FAILURE, 0x0111), State.SENT, "has the object already"),
        (409, told(FAILED, FAILURE, 0xB000), State.REFUSED, "409"),
        (409, told(FAILED), State.REFUSED, "refuses"),
        (409, told(STORED), State.REFUSED, "409"),
        (409, b"", State.REFUSED, "409"),
        (415, b"", State.REFUSED, "415"),
        (400, b"[" * 100_000, State.REFUSED, "400"),
        (200, told(FAILED, FAILURE, 0xA900, uid="2.25.7"), State.REFUSED, "0xA900"),
        (200, b'{"00081198": {"Value": [{"00081197": {"Value": [42752]}}]}}', State.WAITING, "0xA700"),
    ],
)  # fmt: skip
def test_an_answer_is_taken_for_what_it_says(status: int, body: bytes, state: State, said: str) -> None:
    found = stored(replying(status, body))
    assert found.state is state
    assert said in found.said
    assert (found.said == "") == (said == "")


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (302, b"", "leads to another address"),
        (308, b"", "leads to another address"),
        (401, b"", "--login"),
        (403, b"", "--login"),
        (404, b"", "HTTP 404"),
        (500, b"", "HTTP 500"),
        (503, b"", "HTTP 503"),
        (202, b"", "does not say whether"),
        (200, b"<html>Sign in to the guest network</html>", "does not say whether"),
        (200, b"{}", "does not say whether"),
        (200, told(STORED, uid="2.25.7"), "does not say whether"),
        (200, f'<DicomAttribute tag="00081198"/> {UID}'.encode(), "does not say whether"),
        (200, b'{"00081198": {"Value": [3, null, "x"]}}', "does not say whether"),
    ],
)
def test_what_speaks_of_the_service_and_not_of_the_result_is_trouble(
    status: int, body: bytes, said: str
) -> None:
    with pytest.raises(PeerError, match=said):
        stored(replying(status, body))


def test_a_service_that_is_not_there_is_asked_less_and_less_often(tmp_path: Path) -> None:
    out, clock, log = folder_with_results(tmp_path / "out", 3), Clock(), StringIO()
    archive = WebArchive(Address.parse("http://127.0.0.1:1/dicom-web"))
    journal = Journal.open(None, LogFormat.TEXT, log)
    for _ in range(60):
        with Sender(lambda: [out], archive, frozenset(KINDS), journal, clock=clock) as sender:
            sender.round()
        clock.pass_minutes(1)
    assert [line.split()[1] for line in log.getvalue().splitlines()] == ["archive-away"] * 6


def test_a_redirect_is_not_followed() -> None:
    with service(replying(200)) as other, pytest.raises(PeerError, match="not followed"):
        stored(replying(307, Location=f"http://127.0.0.1:{other}/studies"))


def test_a_service_that_hangs_or_trickles_is_given_up() -> None:
    is_over = threading.Event()

    def hang(_: BaseHTTPRequestHandler, __: bytes) -> None:
        is_over.wait(60)

    def trickle(request: BaseHTTPRequestHandler, _: bytes) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not is_over.wait(0.05):
            try:
                request.wfile.write(b"X-More: x\r\n")
            except OSError:
                return

    for handle in (hang, trickle):
        with pytest.raises(PeerError, match="did not answer"):
            stored(handle, 1.0)
    is_over.set()


def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    def flood(request: BaseHTTPRequestHandler, _: bytes) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(1 << 40))
        request.end_headers()
        sent = 0
        try:
            while True:
                sent += request.wfile.write(bytes(1 << 16))
        except OSError:
            assert sent < 64 * MOST_ANSWER
        request.close_connection = True

    with pytest.raises(PeerError, match="not answer to the end"):
        stored(flood)


def test_half_an_answer_is_none() -> None:
    def half(request: BaseHTTPRequestHandler, _: bytes) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(told(STORED))
        request.close_connection = True

    with pytest.raises(PeerError, match="not answer to the end"):
        stored(half)


def test_a_service_that_closes_the_connection_between_two_results_gets_both() -> None:
    got = list[bytes]()

    def keep(request: BaseHTTPRequestHandler, body: bytes) -> None:
        got.append(body)
        replying(200)(request, body)
        request.close_connection = True

    with service(keep) as port, WebArchive(Address.parse(f"http://127.0.0.1:{port}")).line() as line:
        for _ in range(3):
            assert line.store(Outgoing(UID, CONTENT * 1_000)) == Answer(State.SENT)
    assert len(got) == 3


def test_a_service_that_breaks_off_or_talks_nonsense_is_trouble() -> None:
    def break_off(request: BaseHTTPRequestHandler, _: bytes) -> None:
        request.close_connection = True

    def nonsense(request: BaseHTTPRequestHandler, _: bytes) -> None:
        request.wfile.write(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
        request.close_connection = True

    for handle in (break_off, nonsense):
        with pytest.raises(PeerError, match="cannot be reached"):
            stored(handle)


@pytest.mark.parametrize(
    ("host", "is_trusted", "is_taken"),
    [("localhost", True, True), ("127.0.0.1", True, False), ("localhost", False, False)],
)
def test_a_service_behind_tls_must_be_the_one_that_is_named(
    host: str, is_trusted: bool, is_taken: bool, certificate: tuple[Path, Path]
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    with service(replying(200), context) as port:
        trusting = tls_context(certificate[0] if is_trusted else None, None, None)
        archive = WebArchive(Address.parse(f"https://{host}:{port}"), "", trusting)
        with archive.line() as line:
            if is_taken:
                assert line.store(Outgoing(UID, CONTENT)) == Answer(State.SENT)
            else:
                with pytest.raises(PeerError, match="certificate is not trusted"):
                    line.store(Outgoing(UID, CONTENT))
