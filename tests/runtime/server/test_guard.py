"""What no page of ours would send is refused, and takes nothing from those who read."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from cxr_runtime.server import connection, exports, guard
from cxr_runtime.server.guard import names_of
from drawn_stores import Drawn, ask, write_store
from served_rooms import PATIENCE, Browser, raw, served

LARGE = 40_000_000  # bytes; more than systems keep for a browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_store(tmp_path_factory.mktemp("out"), [Drawn("a.png", 0.9), Drawn("b.png", 0.1)])


@pytest.fixture(scope="module")
def browser(folder: Path) -> Iterator[Browser]:
    with served(folder) as found:
        yield found.load()


def key(browser: Browser) -> str:
    return browser.get("/rows").text.partition('data-key="')[2].partition('"')[0]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "", "10.0.0.1", "a b"]
)
def test_a_name_that_somebody_gave_to_this_address_opens_nothing(browser: Browser, host: str) -> None:
    answer = raw(browser.port, f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith((b"HTTP/1.1 421", b"HTTP/1.1 400"))
    assert b"a.png" not in answer


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])
def test_this_machine_s_own_names_open_the_list(browser: Browser, host: str) -> None:
    assert browser.get("/", host=f"{host}:{browser.port}").status == 200


def test_two_hosts_in_one_request_are_refused(browser: Browser) -> None:
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    assert raw(browser.port, request).startswith((b"HTTP/1.1 421", b"HTTP/1.1 400"))


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "https://127.0.0.1"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"x_cxr_token": "guessed"},
        {"x_cxr_token": ""},
    ],
)
def test_an_act_that_no_page_of_ours_sent_is_refused_and_leaves_nothing(
    browser: Browser, folder: Path, headers: dict[str, str]
) -> None:
    said = {"verdict": "normal", "findings": [], "note": "", "source": "reading"}
    assert browser.post(f"/film/{key(browser)}/verdict", said, **headers).status == 403
    assert ask(folder, "SELECT count(*) FROM verdicts") == [(0,)]


def test_another_page_cannot_show_our_pictures_in_itself(browser: Browser) -> None:
    path = f"/film/{key(browser)}/preview.jpg"
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}
    assert browser.ask("GET", path, None, headers).status == 403
    assert browser.get(path).status == 200


def test_every_answer_forbids_what_is_inline_foreign_or_framed(browser: Browser) -> None:
    for path in ("/", "/nothing", f"/film/{key(browser)}", "/rows"):
        headers = browser.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers


@pytest.mark.parametrize(
    "path",
    [
        "/static/../../../etc/passwd",
        "/static/x/..%2f..%2fetc%2fpasswd",
        "/static/0123456789abcdef/room.css",
        "/film/..%2f..%2fetc%2fpasswd",
        "/film/../../etc/passwd/pixels",
        "/film/%2e%2e/preview.jpg",
        "/film/a.png",
        "/film/n1",
        "/film/" + "a" * 64,
        "/film/%00",
        "/film/' OR 1 --/preview.jpg".replace(" ", "%20"),
        "//etc/passwd",
        "/triage.sqlite",
        "/%ff%fe",
    ],
)
def test_no_path_leads_to_a_file(browser: Browser, path: str) -> None:
    answer = browser.get(path)
    assert answer.status == 404
    assert b"root:" not in answer.body


def test_a_body_that_is_too_large_is_not_read(browser: Browser) -> None:
    path = f"/film/{key(browser)}/verdict"
    with suppress(ConnectionResetError, BrokenPipeError):  # it may hang up before all of it is sent
        assert browser.post(path, b"x" * (guard.MOST_BODY + 1)).status == 413
    head = f"POST {path} HTTP/1.1\r\nHost: {browser.host}\r\nOrigin: http://{browser.host}\r\n"
    claimed = f"{head}Content-Length: 99999999999\r\n\r\n".encode()
    assert raw(browser.port, claimed).startswith(b"HTTP/1.1 413")
    chunks = f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    assert raw(browser.port, chunks + b"8001\r\n" + b"x" * 0x8001 + b"\r\n").startswith(b"HTTP/1.1 413")


def test_a_head_without_end_is_refused(browser: Browser) -> None:
    endless = b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"x: " + b"y" * 100_000
    assert raw(browser.port, endless).startswith((b"HTTP/1.1 400", b"HTTP/1.1 431"))


@pytest.mark.parametrize(
    "request_", [b"\x16\x03\x01\x02\x00\x01", b"GET\r\n\r\n", b"\0" * 2000, b"PRI * HTTP/2.0\r\n\r\n"]
)
def test_what_is_no_request_ends_its_connection(browser: Browser, request_: bytes) -> None:
    assert raw(browser.port, request_ + b"\r\n\r\n").startswith(b"HTTP/1.1 4")
    assert browser.get("/").status == 200


def test_who_never_ends_a_request_is_not_waited_for(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "REQUEST_SECONDS", 0.3)
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.3)
    began = time.monotonic()
    assert raw(browser.port, b"GET / HTTP/1.1\r\nHost: loc") == b""
    head = f"POST /leave HTTP/1.1\r\nHost: {browser.host}\r\nOrigin: http://{browser.host}\r\n"
    assert raw(browser.port, f"{head}Content-Length: 9\r\n\r\n".encode()).startswith(b"HTTP/1.1 408")
    assert time.monotonic() - began < 20


def table_asked_for(browser: Browser) -> bytes:
    head = f"GET /export/results.csv HTTP/1.1\r\nHost: {browser.host}\r\n"
    return f"{head}Cookie: {browser.cookie}\r\n\r\n".encode()


def test_who_takes_a_large_answer_slowly_gets_all_of_it(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A film over a line of 1 Mbit/s takes minutes; only silence ends it."""
    monkeypatch.setattr(connection, "REQUEST_SECONDS", 1.5)
    monkeypatch.setattr(exports, "results_text", lambda _: "x" * LARGE)
    with socket.create_connection(("127.0.0.1", browser.port), timeout=PATIENCE) as line:
        line.sendall(table_asked_for(browser))
        came = [line.recv(1 << 16)]
        threading.Event().wait(2.5)  # longer than a head may take
        while sum(map(len, came)) < LARGE and (piece := line.recv(1 << 20)):
            came.append(piece)
    assert b"".join(came).count(b"x" * 1000) >= LARGE // 1000 - 3  # the head was counted, too


def test_who_takes_nothing_of_an_answer_is_not_waited_for(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "SEND_SECONDS", 0.2)
    monkeypatch.setattr(connection, "LAST_SECONDS", 0.4)
    monkeypatch.setattr(exports, "results_text", lambda _: "x" * LARGE)
    with socket.create_connection(("127.0.0.1", browser.port), timeout=PATIENCE) as line:
        line.sendall(table_asked_for(browser))
        until, is_closed = time.monotonic() + PATIENCE, False
        while not is_closed and time.monotonic() < until:
            threading.Event().wait(0.05)
            try:
                line.send(b"x")
            except OSError:
                is_closed = True
    assert is_closed


def test_two_hundred_who_say_nothing_keep_nobody_out(browser: Browser) -> None:
    idle = [socket.create_connection(("127.0.0.1", browser.port)) for _ in range(200)]
    try:
        assert browser.get("/").status == 200
    finally:
        for line in idle:
            line.close()


def test_a_server_for_others_is_called_by_its_own_names_and_addresses() -> None:
    names = names_of("0.0.0.0", ["triage.clinic.example"], ["ward3"])
    assert [names.allow(host) for host in ("triage.clinic.example:8080", "ward3", "10.1.2.3:8080")] == [
        True
    ] * 3
    assert not names.allow("evil.example")
    assert not names_of("127.0.0.1", [], ["ward3"]).allow("10.1.2.3")
