"""Who comes in, and who does not: passwords, sessions, roles, and ten thousand guesses."""

import shutil
import subprocess
import urllib.parse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cxr_runtime.errors import UsageError
from cxr_runtime.server.serving import ServeOptions, check
from cxr_runtime.server.sessions import (
    ABSOLUTE_SECONDS,
    IDLE_SECONDS,
    SECONDS_A_TRY,
    Brake,
    Session,
    Sessions,
)
from cxr_runtime.store.accounts import Account, Role
from cxr_runtime.store.audit import Act
from cxr_runtime.store.desk import Desk
from drawn_stores import Drawn, ask, change, write_store
from served_rooms import PASSWORD, Browser, add_account, first_event, served

PAGES = ("/", "/rows", "/counts", "/events", "/accounts", "/audit")
ANN = Account("ann", Role.READER, "digest")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_store(tmp_path_factory.mktemp("out"), [Drawn("a.png", 0.9)])
    for name, role in (("ann", Role.READER), ("ada", Role.ADMIN), ("eve", Role.READ_ONLY)):
        add_account(folder, name, role)
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Browser]:
    with served(folder) as found:
        yield found


@pytest.fixture
def browser(server: Browser) -> Browser:
    return Browser(server.port)


def film(browser: Browser) -> str:
    return browser.get("/rows").text.partition('data-key="')[2].partition('"')[0]


def test_without_a_login_nothing_is_seen_and_nothing_done(browser: Browser, folder: Path) -> None:
    key = str(ask(folder, "SELECT sha256 FROM results")[0][0])
    paths = (
        *PAGES,
        f"/film/{key}",
        *(f"/film/{key}/{part}" for part in ("preview.jpg", "heat.png", "pixels")),
    )
    for path in paths:
        answer = browser.get(path)
        assert (answer.status, answer.headers["location"]) == (303, "/login")
        assert b"a.png" not in answer.body
        assert browser.ask("GET", path, None, {"accept": "*/*"}).status == 401
    assert browser.post(f"/film/{key}/verdict", {}).status == 401


def test_who_logs_in_sees_the_list_and_logs_out_again(browser: Browser) -> None:
    answer = browser.log_in("ann")
    assert (answer.status, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert all(part in cookie for part in ("httponly", "samesite=strict", "path=/", "max-age=43200"))
    assert "a.png" in browser.get("/").text
    kept = browser.cookie
    assert browser.post("/logout", b"token=wrong").status == 403
    assert browser.post("/logout", f"token={browser.token}".encode()).headers["location"] == "/login"
    browser.cookie = kept
    assert browser.get("/").status == 303


def test_a_login_leads_back_to_the_film_and_the_filters_and_to_no_other_site(browser: Browser) -> None:
    asked = browser.get("/?film=abc&blinded=1").headers["location"]
    assert asked == "/login?back=film%3Dabc%26blinded%3D1"
    assert 'name="back" value="film=abc&amp;blinded=1"' in browser.get(asked).text
    form = {"name": "ann", "password": PASSWORD}
    for back in ("film=abc&blinded=1", "//evil.example"):
        given = urllib.parse.urlencode({**form, "back": back}).encode()
        assert browser.post("/login", given).headers["location"] == f"/?{back}"


def test_a_session_that_somebody_prepared_is_not_taken_over(browser: Browser) -> None:
    browser.cookie = "cxr-triage=chosen-by-a-stranger"
    browser.log_in("ann")
    assert "chosen-by-a-stranger" not in browser.cookie
    stranger = Browser(browser.port, cookie="cxr-triage=chosen-by-a-stranger")
    assert stranger.get("/").status == 303


def test_logging_in_again_ends_the_session_before(browser: Browser) -> None:
    browser.log_in("ann")
    before = browser.cookie
    browser.log_in("ann")
    assert browser.cookie != before
    assert Browser(browser.port, cookie=before).get("/").status == 303


def test_the_same_is_said_of_a_wrong_password_and_of_a_name_that_is_none(folder: Path) -> None:
    with served(folder) as browser:
        wrong, nobody = browser.log_in("ann", "wrong"), browser.log_in("nobody", "wrong")
    assert (wrong.status, wrong.text) == (nobody.status, nobody.text)
    assert wrong.status == 403
    with Desk.open(folder) as desk:
        assert [entry.actor for entry in desk.audit.latest(2)] == ["unknown", "ann"]


def test_a_role_does_what_it_may_and_nothing_more(server: Browser) -> None:
    said = {"verdict": "normal", "findings": [], "note": "", "source": "reading"}
    expected = {"eve": (403, 403), "ann": (200, 403), "ada": (200, 200)}
    for name, statuses in expected.items():
        browser = Browser(server.port)
        browser.log_in(name)
        assert browser.get(f"/film/{film(browser)}").status == 200
        found = browser.post(f"/film/{film(browser)}/verdict", said).status, browser.get("/audit").status
        assert found == statuses
        assert browser.get("/accounts").status == statuses[1]
        forged = browser.post("/accounts", f"token={browser.token}&act=remove&name=ann".encode()).status
        assert forged == (303 if name == "ada" else 403)
    change_back = Browser(server.port)
    change_back.log_in("ada")
    form = f"token={change_back.token}&act=add&name=ann&role=reader&password={PASSWORD.replace(' ', '+')}"
    assert change_back.post("/accounts", form.encode()).status == 303


def test_the_token_of_one_reader_does_not_serve_another(server: Browser) -> None:
    ann, ada = Browser(server.port), Browser(server.port)
    ann.log_in("ann")
    ada.log_in("ada")
    ann.token = ada.token
    assert ann.post(f"/film/{film(ann)}/open").status == 403


def test_an_account_that_is_removed_or_changed_is_out_at_once(tmp_path: Path) -> None:
    folder = write_store(tmp_path, [Drawn("a.png", 0.9)])
    add_account(folder, "ann")
    with served(folder) as browser:
        browser.log_in("ann")
        change(folder, "UPDATE users SET role = 'admin'")  # by a stranger: the seal does not fit
        assert browser.get("/").status == 303


def test_a_session_ends_with_the_password_of_its_login_also_where_a_command_changed_it(
    tmp_path: Path,
) -> None:
    folder = write_store(tmp_path, [Drawn("a.png", 0.9)])
    add_account(folder, "ann")
    with served(folder) as browser:
        browser.log_in("ann")
        add_account(folder, "ann")  # another digest, though of the same password
        assert browser.get("/").status == 303
        browser.log_in("ann")
        with Desk.open(folder) as desk, desk.acting("root", Act.USER_REMOVED, "ann"):
            desk.accounts.remove("ann")
        add_account(folder, "ann", Role.ADMIN)  # somebody else
        assert browser.get("/accounts").status == 303


def test_to_remove_an_account_that_is_not_there_is_refused_and_not_noted(tmp_path: Path) -> None:
    folder = write_store(tmp_path, [Drawn("a.png", 0.9)])
    add_account(folder, "ada", Role.ADMIN)
    with served(folder) as browser:
        browser.log_in("ada")
        answer = browser.post("/accounts", f"token={browser.token}&act=remove&name=bob".encode())
    assert (answer.status, "there is no account bob" in answer.text) == (400, True)
    assert ask(folder, "SELECT count(*) FROM audit WHERE act = 'user-removed'") == [(0,)]


def test_the_first_account_closes_the_door_of_a_server_that_runs(tmp_path: Path) -> None:
    folder = write_store(tmp_path, [Drawn("a.png", 0.9)])
    with served(folder) as browser:
        assert browser.get("/").status == 200
        add_account(folder, "ann")
        assert browser.get("/").status == 303


def test_a_forged_login_from_another_page_is_refused(browser: Browser) -> None:
    form = f"name=ann&password={PASSWORD.replace(' ', '+')}".encode()
    assert browser.post("/login", form, origin="http://evil.example").status == 403
    assert browser.cookie == ""


def test_of_ten_thousand_guesses_a_handful_are_tried() -> None:
    now = 0.0
    brake = Brake(lambda: now)
    tried = sum(brake.wait({"address a": 5, "name ann": 20}) == 0 for _ in range(10_000))
    assert tried == 5
    now = 10 * SECONDS_A_TRY
    assert sum(brake.wait({"address a": 5, "name ann": 20}) == 0 for _ in range(10_000)) == 5
    spread = sum(brake.wait({f"address {number}": 5, "name ben": 20}) == 0 for number in range(10_000))
    assert spread == 20  # from whatever addresses


def test_a_guesser_waits_and_the_others_work(folder: Path) -> None:
    with served(folder) as browser:
        statuses = [browser.log_in("ann", f"guess {number}").status for number in range(8)]
        assert statuses == [403] * 5 + [429] * 3
        assert ask(folder, "SELECT max(id) FROM audit")[0][0] is not None


def test_sessions_end_after_a_while_of_silence_and_after_a_day_s_work() -> None:
    now = 0.0
    sessions = Sessions(lambda: now)
    kept = sessions.begin(ANN)
    now = IDLE_SECONDS
    assert sessions.of(kept) is not None
    now += IDLE_SECONDS + 1
    assert sessions.of(kept) is None
    busy, began = sessions.begin(ANN), now
    while now - began <= ABSOLUTE_SECONDS:
        now += IDLE_SECONDS
        sessions.of(busy)
    assert sessions.of(busy) is None


def test_a_page_that_is_left_open_keeps_no_session_alive() -> None:
    now = 0.0
    sessions = Sessions(lambda: now)
    kept = sessions.begin(ANN)
    now = IDLE_SECONDS
    assert sessions.of(kept, is_use=False) is not None
    now = IDLE_SECONDS + 1
    assert sessions.of(kept, is_use=False) is None


@pytest.mark.parametrize(
    ("method", "path", "is_use"),
    [
        ("GET", "/", True),
        ("GET", "/tally", True),
        ("GET", "/rows", False),
        ("GET", "/counts", False),
        ("GET", "/events", False),
        ("GET", "/film/KEY", False),
        ("POST", "/film/KEY/open", True),
        ("POST", "/film/KEY/open?again=1", False),
        ("POST", "/film/KEY/open?blinded=1&again=1", False),
    ],
)
def test_what_a_page_asks_for_by_itself_is_no_use(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, method: str, path: str, *, is_use: bool
) -> None:
    uses, of = list[bool](), Sessions.of

    def noted(self: Sessions, kept: str, *, is_use: bool = True) -> Session | None:
        uses.append(is_use)
        return of(self, kept, is_use=is_use)

    browser.log_in("ann")
    monkeypatch.setattr(Sessions, "of", noted)
    if path == "/events":
        first_event(browser)
    elif method == "POST":
        browser.post(path)
    else:
        browser.get(path)
    assert set(uses) == {is_use}


def test_a_folder_of_days_is_refused_with_what_to_give_instead(tmp_path: Path) -> None:
    for day in ("2026-11-28", "2026-11-29"):
        write_store(tmp_path / day, [Drawn("a.png")])
    with pytest.raises(UsageError, match=r"2 folders of days.*give .*2026-11-29, or join them"):
        check(ServeOptions(tmp_path))


def test_others_are_let_in_by_tls_and_accounts_alone(tmp_path: Path) -> None:
    folder = write_store(tmp_path, [Drawn("a.png", 0.9)])
    options = ServeOptions(folder, host="0.0.0.0")
    with pytest.raises(UsageError, match="--certificate"):
        check(options)
    with pytest.raises(UsageError, match="user add"):
        check(replace(options, is_behind_proxy=True))
    with pytest.raises(UsageError, match="--certificate FILE too"):
        check(ServeOptions(folder, key=tmp_path / "key.pem"))
    with pytest.raises(UsageError, match="cannot be used with its key"):
        check(replace(options, certificate=tmp_path / "none.pem"))
    add_account(folder, "ann")
    check(replace(options, is_behind_proxy=True))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_by_tls_cookies_are_secure_and_bound_to_the_host(tmp_path: Path) -> None:
    import ssl
    import urllib.request

    folder = write_store(tmp_path / "out", [Drawn("a.png", 0.9)])
    add_account(folder, "ann")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.create_default_context(cafile=certificate)

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    with served(folder, certificate=certificate, key=key) as browser:
        opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), Stay())
        address = f"https://localhost:{browser.port}"
        form = f"name=ann&password={PASSWORD.replace(' ', '+')}".encode()
        request = urllib.request.Request(f"{address}/login", form, {"Origin": address})
        with pytest.raises(urllib.request.HTTPError) as answer:
            opener.open(request)
        answer.value.close()
        assert answer.value.code == 303
        cookie = answer.value.headers["set-cookie"]
        assert cookie.startswith("__Host-cxr-triage=")
        assert "Secure" in cookie
        assert "max-age=31536000" in answer.value.headers["strict-transport-security"]
