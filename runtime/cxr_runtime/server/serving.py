"""`cxr-triage serve`: whether it may serve there, and the server itself, which ends when asked."""

import asyncio
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn

from cxr_runtime.errors import CxrTriageError, UsageError
from cxr_runtime.journal import Journal
from cxr_runtime.language import Language, language, language_or_english
from cxr_runtime.names import printable
from cxr_runtime.presentation import usual_presentation
from cxr_runtime.server.app import application
from cxr_runtime.server.connection import PromptProtocol
from cxr_runtime.server.guard import is_host_name, is_loopback, names_of
from cxr_runtime.server.reading_room import ReadingRoom, RoomOptions
from cxr_runtime.store.audit import Act
from cxr_runtime.store.desk import Desk
from cxr_runtime.store.folder import about_days
from cxr_runtime.workers.opener import Opener

MOST_CONNECTIONS = 300  # browsers keep up to six each
MOST_HEAD = 16_384  # bytes of a request's head
KEEP_ALIVE_SECONDS = 5
ENDING_SECONDS = 5  # for answers that have begun
LAST_SECONDS = 0.05  # in which connections are closed that were cut


@dataclass(frozen=True)
class ServeOptions:
    """Where and how to serve."""

    folder: Path
    host: str = "127.0.0.1"
    port: int = 8080
    certificate: Path | None = None  # PEM
    key: Path | None = None  # PEM; else in `certificate`
    is_behind_proxy: bool = False  # which speaks TLS, on this machine
    names: tuple[str, ...] = ()  # more names by which browsers call it
    is_blinded: bool = False
    language: str | None = None  # None: that of the latest scan

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach it by TLS."""
        return self.certificate is not None or self.is_behind_proxy

    @property
    def is_for_others(self) -> bool:
        """Whether other machines can reach it."""
        return self.is_behind_proxy or not is_loopback(self.host)


def check(options: ServeOptions) -> None:
    """See that the folder holds a store, and that nobody but who may can read its films.

    Raises:
        UsageError: others could reach it without TLS or accounts, a certificate cannot be used, or the folder
            holds one of each day.
        StoreError: the folder holds no store that can be used.
    """
    check_options(options)
    _refuse_days(options.folder)
    with Desk.open(options.folder) as desk:
        has_accounts = next(desk.accounts.every(), None) is not None
    if options.is_for_others and not has_accounts:
        raise UsageError(
            "other machines could see the films without a login: there is no account yet; add one by "
            f"`cxr-triage user add {printable(str(options.folder))} NAME --role admin`"
        )


def _refuse_days(folder: Path) -> None:
    if about := about_days(folder):
        raise UsageError(f"{about}, and scan without --dated from then on: the list can be narrowed to a day")


def check_options(options: ServeOptions) -> None:
    """The same without a look at the store.

    Raises:
        UsageError: others could reach it without TLS, a name is none, or a certificate cannot be used.
    """
    for name in options.names:
        if not is_host_name(name):
            raise UsageError(
                f"browsers cannot call this machine {printable(name)!r}; expected a name alone, such as "
                "triage.clinic.example, without https:// and without a port"
            )
    if options.key is not None and options.certificate is None:
        raise UsageError("--key is the key of a certificate; give --certificate FILE too")
    if options.certificate is not None:
        _check_certificate(options.certificate, options.key)
    if options.is_for_others and not options.is_secure:
        raise UsageError(
            f"--host {printable(options.host)} lets other machines in, and films would go over the network "
            "unencrypted; give --certificate FILE --key FILE, or --behind-proxy where a proxy speaks TLS, or "
            "leave --host out to serve this machine alone"
        )


def _check_certificate(certificate: Path, key: Path | None) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_no_password)
    except OSError as error:  # ssl.SSLError is one
        raise UsageError(
            f"the certificate {printable(str(certificate))} cannot be used with its key "
            f"({error.strerror or error}); expected PEM files that belong together, the key without password"
        ) from error


def _no_password() -> str:
    raise UsageError("the key is protected by a password; expected one without, readable by this user alone")


@dataclass
class Serving:
    """The server of one folder: works until `end` is called."""

    options: ServeOptions
    opener: Opener
    journal: Journal
    ready: Callable[[str], None] = field(default=lambda _: None)  # told the address, once it can be opened
    port: int = 0  # at which it listens, once it does
    _server: uvicorn.Server | None = None
    _room: ReadingRoom | None = None
    _ending: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Serve.

        Raises:
            CxrTriageError: the address cannot be used, or the store.
        """
        options = self.options
        room_options = RoomOptions(
            options.is_for_others, options.is_secure, options.is_blinded, _language(options)
        )
        bound = self._bound()
        self.port = int(bound.getsockname()[1])
        with bound, ReadingRoom(options.folder, room_options, self.opener) as room:
            self._room = room
            names = names_of(options.host, options.names, _own_names())
            self._server = _Server(_config(application(room, names), options), lambda: self._is_ready(room))
            if not self._ending.is_set():
                self._server.run([bound])
        self.journal.note("serve-ended")

    def end(self) -> None:
        """Have it end; may be called from any thread."""
        self._ending.set()
        if self._room is not None:
            self._room.is_ending.set()
        if self._server is not None:
            self._server.should_exit = True

    def _is_ready(self, room: ReadingRoom) -> None:
        room.desk.note("serve", Act.SERVED, self.options.host)
        self.journal.note("serving", port=self.port)
        self.ready(self.address)

    @property
    def address(self) -> str:
        """What to type into a browser of this machine."""
        options = self.options
        host = f"[{options.host}]" if ":" in options.host else options.host
        return f"{'https' if options.certificate else 'http'}://{host}:{self.port}/"

    def _bound(self) -> socket.socket:
        options = self.options
        try:
            family, *_, address = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)[0]
            return socket.create_server(address[:2], family=family, backlog=128)
        except OSError as error:
            raise CxrTriageError(
                f"port {options.port} of {printable(options.host)} cannot be used "
                f"({error.strerror or error}); another program may have it: give --port another one"
            ) from error


class _Server(uvicorn.Server):
    """Without handlers of signals, which belong to whoever runs it; says when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    def run(self, sockets: Sequence[socket.socket] | None = None) -> None:
        asyncio.run(self._run(list(sockets or [])))

    async def _run(self, sockets: list[socket.socket]) -> None:
        await self._serve(sockets)
        for connection in list(self.server_state.connections):  # of browsers that would not go
            connection.transport.abort()
        await asyncio.sleep(LAST_SECONDS)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            self._ready()


def _config(app: object, options: ServeOptions) -> uvicorn.Config:
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # it would quote addresses and requests
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        http=PromptProtocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=options.is_behind_proxy,
        forwarded_allow_ips="127.0.0.1",
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=ENDING_SECONDS,
        h11_max_incomplete_event_size=MOST_HEAD,
        ssl_certfile=options.certificate,
        ssl_keyfile=options.key,
    )


def _language(options: ServeOptions) -> Language:
    """The language that is asked for, else that of the store's latest scan.

    Raises:
        UsageError: the one that is asked for does not exist.
    """
    if options.language is not None:
        return language(options.language)
    with Desk.open(options.folder, writes=False) as desk:
        run = desk.latest_facts()
    return language_or_english(usual_presentation().language if run is None else run.presentation.language)


def _own_names() -> list[str]:
    name = socket.gethostname()
    return [name, name.partition(".")[0]]
