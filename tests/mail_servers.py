"""A mail server for tests, which speaks SMTP with STARTTLS and a login, and keeps what it is given."""

import base64
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

PLAIN_ANSWERS = {
    "MAIL": b"250 ok\r\n",
    "RCPT": b"250 ok\r\n",
    "QUIT": b"221 bye\r\n",
}
PATIENCE = 20.0  # seconds for what takes a moment


@dataclass
class PostOffice:
    """What came in."""

    port: int
    mails: list[str] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    were_secure: list[bool] = field(default_factory=list)  # of each mail: it came by TLS


@contextmanager
def post_office(certificate: Path, *, offers_tls: bool = True) -> Iterator[PostOffice]:
    """A server at a port that was free, for one connection after the other.

    Args:
        certificate: PEM with its key.
        offers_tls: False: one that knows no STARTTLS.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.2)
        office, ending = PostOffice(listening.getsockname()[1]), threading.Event()

        def serve() -> None:
            while not ending.is_set():
                with suppress(TimeoutError, ConnectionError, ssl.SSLError):
                    line, _ = listening.accept()
                    line.settimeout(PATIENCE)
                    with line:
                        _speak(office, line, context if offers_tls else None)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield office
        finally:
            ending.set()
            thread.join(PATIENCE)
            assert not thread.is_alive()


def _speak(
    office: PostOffice, line: socket.socket, context: ssl.SSLContext | None, *, is_secure: bool = False
) -> None:
    """One connection (RFC 5321, RFC 3207, RFC 4954)."""
    if not is_secure:
        line.sendall(b"220 post\r\n")
    with line.makefile("rb") as reading:
        while command := reading.readline().decode().strip():
            match command.split(" ")[0].upper():
                case "EHLO":
                    offered = "AUTH PLAIN" if is_secure else "STARTTLS" if context else "HELP"
                    line.sendall(f"250-post\r\n250 {offered}\r\n".encode())
                case "STARTTLS" if context is not None:
                    line.sendall(b"220 go on\r\n")
                    with context.wrap_socket(line, server_side=True) as secure:
                        _speak(office, secure, None, is_secure=True)
                    return
                case "AUTH":
                    _, name, password = base64.b64decode(command.split(" ")[2]).decode().split("\0")
                    office.logins.append((name, password))
                    line.sendall(b"235 welcome\r\n")
                case "DATA":
                    line.sendall(b"354 go on\r\n")
                    office.mails.append(b"".join(iter(reading.readline, b".\r\n")).decode())
                    office.were_secure.append(is_secure)
                    line.sendall(b"250 kept\r\n")
                case name:
                    line.sendall(PLAIN_ANSWERS.get(name, b"502 not known here\r\n"))
