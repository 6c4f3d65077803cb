"""Servers of drawn stores, in a thread of the test, and what a browser would send them."""

import http.client
import json
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cxr_runtime.journal import Journal
from cxr_runtime.server.serving import ServeOptions, Serving
from cxr_runtime.store.accounts import Account, Role, hashed
from cxr_runtime.store.audit import Act
from cxr_runtime.store.desk import Desk
from cxr_runtime.workers.opener import Opener

PATIENCE = 30.0  # seconds for what takes a moment
PASSWORD = "four plain words here"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Browser:
    """Keeps its cookie and the token of its pages, as a browser with a page of ours does."""

    port: int
    cookie: str = ""
    token: str = ""
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, None, headers)

    def post(self, path: str, body: bytes | Any = b"", **headers: str) -> Answer:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        own = {"origin": f"http://{self.host}", "x-cxr-token": self.token}
        return self.ask(
            "POST", path, content, {**own, **{k.replace("_", "-"): v for k, v in headers.items()}}
        )

    def ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            sent = {"host": self.host, "accept": "text/html", "cookie": self.cookie, **self.extra, **headers}
            connection.request(method, path, body, {name: text for name, text in sent.items() if text})
            came = connection.getresponse()
            answer = Answer(
                came.status, {name.lower(): text for name, text in came.getheaders()}, came.read()
            )
        finally:
            connection.close()
        if set_cookie := answer.headers.get("set-cookie"):
            self.cookie = set_cookie.partition(";")[0]
        return answer

    def load(self) -> "Browser":
        """Open the list, and take its token."""
        found = re.search(r'data-token="([^"]+)"', self.get("/").text)
        assert found is not None
        self.token = found[1]
        return self

    def log_in(self, name: str, password: str = PASSWORD) -> Answer:
        form = f"name={name}&password={password.replace(' ', '+')}".encode()
        answer = self.post("/login", form, content_type="application/x-www-form-urlencoded")
        if answer.status == 303 and answer.headers["location"] == "/":
            self.load()
        return answer


@contextmanager
def served(folder: Path, **options: Any) -> Iterator[Browser]:
    """A server of an output folder at a port that was free, and a browser that has not opened it yet."""
    ready = threading.Event()
    with Opener() as opener:
        stated = replace(ServeOptions(folder, port=0), **options)
        serving = Serving(stated, opener, Journal(), lambda _: ready.set())
        thread = threading.Thread(target=serving.run)
        thread.start()
        try:
            assert ready.wait(PATIENCE)
            yield Browser(serving.port)
        finally:
            serving.end()
            thread.join(PATIENCE)
            assert not thread.is_alive()


def add_account(folder: Path, name: str, role: Role = Role.READER) -> None:
    with Desk.open(folder) as desk, desk.acting("root", Act.USER_ADDED, name) as now:
        desk.accounts.put(Account(name, role, hashed(PASSWORD), now))


def first_event(browser: Browser) -> bytes:
    """What the stream of events says first; it is not read on."""
    with socket.create_connection(("127.0.0.1", browser.port), timeout=PATIENCE) as line:
        head = f"GET /events HTTP/1.1\r\nhost: {browser.host}\r\ncookie: {browser.cookie}\r\n\r\n"
        line.sendall(head.encode())
        came = b""
        while b"\n\n" not in came.partition(b"event: change")[2]:
            chunk = line.recv(4096)
            assert chunk, came
            came += chunk
    return came


def raw(port: int, request: bytes, seconds: float = PATIENCE) -> bytes:
    """What comes back for bytes that no library would send."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as line:
        line.sendall(request)
        came = b""
        while chunk := line.recv(65536):
            came += chunk
    return came
