"""A very suspicious film is called out once, by whatever was asked for, and nothing in it names anybody."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from certificates import certificate, needs_openssl
from cxr_runtime.errors import UsageError
from cxr_runtime.journal import Journal, LogFormat
from cxr_runtime.server.alerts import AlertOptions, Alerts, Mail, check_alerts
from cxr_runtime.store.audit import Act
from cxr_runtime.store.desk import Desk
from drawn_stores import Drawn, ask, write_store
from mail_servers import post_office

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
FILMS = [
    Drawn("DOE_JANE.png", 0.97, finished="2026-01-02T08:00:00+00:00"),
    Drawn("old.png", 0.99, finished="2025-12-01T08:00:00+00:00"),
    Drawn("calm.png", 0.5, finished="2026-01-02T08:00:00+00:00"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_store(tmp_path / "out", FILMS)


def alerts(folder: Path, journal: Journal | None = None, **options: Any) -> Alerts:
    return Alerts(folder, AlertOptions(95.0, **options), journal or Journal(), lambda: NOW)


def command(folder: Path) -> str:
    """A program that writes its arguments into a file, a line a call."""
    program = folder / "call.py"
    program.write_text(
        "import sys, pathlib; pathlib.Path(sys.argv[1]).open('a').write(' '.join(sys.argv[2:]) + '\\n')"
    )
    return f"'{sys.executable}' '{program}' '{folder / 'called'}'"


def test_a_command_is_run_once_for_each_recent_film_above_the_score(folder: Path, tmp_path: Path) -> None:
    with Journal.open(tmp_path / "log", LogFormat.TEXT, None) as journal, Desk.open(folder) as desk:
        watching = alerts(folder, journal, command=command(tmp_path))
        assert watching.look(desk)
        assert watching.look(desk)
    digits = str(ask(folder, "SELECT sha256 FROM results ORDER BY id")[0][0])[:12]
    assert (tmp_path / "called").read_text() == f"{digits} 97.00\n"
    assert "very-suspicious" in (tmp_path / "log").read_text()
    assert "DOE" not in (tmp_path / "log").read_text()


def test_after_a_restart_nothing_is_called_out_again(folder: Path, tmp_path: Path) -> None:
    with Desk.open(folder) as desk:
        alerts(folder, command=command(tmp_path)).look(desk)
        again = alerts(folder, command=command(tmp_path))
        again._done |= desk.audit.about(Act.ALERTED)
        again.look(desk)
    assert len((tmp_path / "called").read_text().splitlines()) == 1


def test_a_command_that_fails_is_tried_again(folder: Path, tmp_path: Path) -> None:
    with Journal.open(tmp_path / "log", LogFormat.TEXT, None) as journal, Desk.open(folder) as desk:
        failing = alerts(folder, journal, command=f"'{sys.executable}' -c 'raise SystemExit(1)'")
        assert not failing.look(desk)
        assert ask(folder, "SELECT count(*) FROM audit WHERE act = 'alerted'") == [(0,)]
        assert alerts(folder, command=command(tmp_path)).look(desk)
    assert "alert-failed" in (tmp_path / "log").read_text()


def test_a_film_that_cannot_be_called_out_for_days_is_called_out_then(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cxr_runtime.server.alerts.FIRST_WAIT", 0.0)
    now = [NOW]
    program = f"'{sys.executable}' '{tmp_path / 'call.py'}'"
    watching = Alerts(folder, AlertOptions(95.0, program), Journal(), lambda: now[0])
    with Desk.open(folder) as desk:
        assert not watching.look(desk)  # there is no such program yet
        now[0] += timedelta(days=3)
        assert not watching.look(desk)
        (tmp_path / "call.py").touch()
        assert watching.look(desk)
    assert ask(folder, "SELECT count(*) FROM audit WHERE act = 'alerted'") == [(1,)]


def test_after_a_restart_films_since_the_last_alert_are_news_for_a_week(folder: Path) -> None:
    def since(days: float) -> timedelta:
        with Desk.open(folder) as desk:
            now = datetime.now(UTC) + timedelta(days=days)
            return now - Alerts(folder, AlertOptions(95.0), Journal(), lambda: now)._beginning(desk)

    assert since(3) == timedelta(days=1)  # nothing was called out yet
    with Desk.open(folder) as desk:
        desk.note("alerts", Act.ALERTED, "film")
    assert timedelta(days=3) <= since(3) < timedelta(days=3, minutes=5)
    assert (since(0.5), since(30)) == (timedelta(days=1), timedelta(days=7))


def test_after_a_clock_that_was_days_ahead_is_put_right_films_are_called_out(folder: Path) -> None:
    now = [NOW + timedelta(days=2)]
    watching = Alerts(folder, AlertOptions(95.0), Journal(), lambda: now[0])
    called = "SELECT count(*) FROM audit WHERE act = 'alerted'"
    with Desk.open(folder) as desk:
        watching.look(desk)
        assert ask(folder, called) == [(0,)]
        now[0] = NOW
        watching.look(desk)
    assert ask(folder, called) == [(1,)]


def test_a_film_that_cannot_be_called_out_keeps_back_no_other(tmp_path: Path) -> None:
    films = [Drawn(f"{name}.png", 0.97, finished=FILMS[0].finished) for name in ("a", "b", "c")]
    folder = write_store(tmp_path / "out", films)
    first, *others = (str(sha256)[:12] for (sha256,) in ask(folder, "SELECT sha256 FROM results ORDER BY id"))
    refuses = tmp_path / "refuses.py"
    refuses.write_text(
        "import sys, pathlib\n"
        f"if sys.argv[1] == '{first}': sys.exit(1)\n"
        f"pathlib.Path(r'{tmp_path / 'called'}').open('a').write(sys.argv[1] + '\\n')\n"
    )
    with Desk.open(folder) as desk:
        assert not alerts(folder, command=f"'{sys.executable}' '{refuses}'").look(desk)
    assert (tmp_path / "called").read_text().split() == others


def test_where_the_mail_fails_the_command_is_not_run_again_also_after_a_restart(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError("no route to the mail server")

    monkeypatch.setattr("cxr_runtime.server.alerts._send", refused)
    monkeypatch.setattr("cxr_runtime.server.alerts.FIRST_WAIT", 0.0)
    both: dict[str, Any] = {"command": command(tmp_path), "mail": Mail("a@clinic.example", "localhost")}
    with Desk.open(folder) as desk:
        watching = alerts(folder, **both)
        assert not watching.look(desk)
        assert not watching.look(desk)
        again = alerts(folder, **both)
        again._done |= desk.audit.about(Act.ALERTED)
        assert not again.look(desk)
        monkeypatch.setattr("cxr_runtime.server.alerts._send", lambda *_: None)
        assert again.look(desk)
    assert len((tmp_path / "called").read_text().splitlines()) == 1


@pytest.fixture(scope="module")
def office_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("post"), "localhost")


@needs_openssl
def test_a_mail_goes_by_tls_with_a_login_and_names_nobody(
    folder: Path, tmp_path: Path, office_key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(office_key.with_suffix(".crt")))
    (tmp_path / "login").write_text("triage:secret word\n")
    with post_office(office_key) as office, Desk.open(folder) as desk:
        place = f"localhost:{office.port}"
        mail = Mail("ann@clinic.example", place, "triage@clinic.example", tmp_path / "login")
        assert alerts(folder, mail=mail, link="https://triage.clinic.example/").look(desk)
    assert (office.logins, office.were_secure) == ([("triage", "secret word")], [True])
    (text,) = office.mails
    digits = str(ask(folder, "SELECT sha256 FROM results ORDER BY id")[0][0])[:12]
    for said in ("To: ann@clinic.example", "From: triage@clinic.example", "97.00", digits):
        assert said in text
    assert "https://triage.clinic.example/" in text
    assert "DOE" not in text


@needs_openssl
@pytest.mark.parametrize("is_known", [True, False])
def test_no_mail_goes_without_tls_or_to_a_server_that_is_not_known_and_it_is_tried_again(
    folder: Path, tmp_path: Path, office_key: Path, monkeypatch: pytest.MonkeyPatch, *, is_known: bool
) -> None:
    if is_known:
        monkeypatch.setenv("SSL_CERT_FILE", str(office_key.with_suffix(".crt")))
    with (
        Journal.open(tmp_path / "log", LogFormat.TEXT, None) as journal,
        post_office(office_key, offers_tls=not is_known) as office,
        Desk.open(folder) as desk,
    ):
        mail = Mail("ann@clinic.example", f"localhost:{office.port}")
        assert not alerts(folder, journal, mail=mail).look(desk)
    assert office.mails == []
    assert "alert-failed" in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (AlertOptions(0.0), "more than 0 and at most 100"),
        (AlertOptions(101.0), "more than 0 and at most 100"),
        (AlertOptions(95.0, "call 'nurse"), "check its quotes"),
        (AlertOptions(95.0, " "), "is empty"),
        (AlertOptions(95.0, mail=Mail("a@b", "host:x")), "expected HOST or HOST:PORT"),
        (AlertOptions(95.0, mail=Mail("a@b", "host", login=Path("/nowhere"))), "NAME:PASSWORD"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(options: AlertOptions, said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        check_alerts(options)
    assert "\n" not in str(refused.value)
