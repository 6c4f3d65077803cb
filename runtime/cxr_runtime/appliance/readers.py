"""What readers need of an appliance, the worklist in a browser and alerts: tables of settings, and parts."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import model_validator

from cxr_runtime.access import Access, make_folder
from cxr_runtime.appliance.restarting import Part
from cxr_runtime.appliance.section import Section, choice, setting
from cxr_runtime.journal import Journal
from cxr_runtime.server.alerts import AlertOptions, Alerts, Mail, check_alerts
from cxr_runtime.server.serving import ServeOptions, Serving, check, check_options
from cxr_runtime.store.folder import has_store
from cxr_runtime.store.writer import StoreWriter
from cxr_runtime.workers.opener import Opener


class Serve(Section):
    """The worklist in a browser, as `cxr-triage serve` has it."""

    host: str = choice(
        "127.0.0.1", "address to listen at; another needs accounts, and a certificate or a proxy"
    )
    port: int = choice(8080, "port to listen at", ge=1, le=65535)
    certificate: Path | None = choice(None, "certificate for TLS, PEM", "/etc/cxr-triage/web.pem")
    key: Path | None = choice(None, "its key, PEM; else in `certificate`", "/etc/cxr-triage/web.key")
    behind_proxy: bool = choice(False, "a proxy on this machine speaks TLS and hands requests on")
    names: tuple[str, ...] = choice((), "more names by which browsers call it", ["triage.clinic.example"])
    blinded: bool = choice(False, "hide score and heat from each reader until he has said a verdict")


class Alert(Section):
    """A very suspicious film is called out, once; nothing names the patient or the file."""

    score: float = setting("score from 0 to 100; films with this or more", 95.0)
    command: str | None = choice(
        None, "program to run; film and score are added", "/usr/local/bin/call-nurse"
    )
    mail_to: str | None = choice(None, "address to mail to", "reader@clinic.example")
    mail_server: str | None = choice(None, "its server; TLS always", "mail.clinic.example:587")
    mail_from: str | None = choice(None, "sender; else the same address", "triage@clinic.example")
    mail_login: Path | None = choice(None, "file with one line, NAME:PASSWORD", "/etc/cxr-triage/mail")
    link: str | None = choice(None, "address of the worklist, for the mail", "https://triage.clinic.example/")

    @model_validator(mode="after")
    def _mails_to_somebody(self) -> Self:
        if self.mail_to is None and (self.mail_server or self.mail_from or self.mail_login):
            raise ValueError("a mail to nobody is never sent; expected mail_to, too")
        return self


@dataclass(frozen=True)
class Readers:
    """What is done for readers; None: it is not."""

    serving: ServeOptions | None = None
    alerts: AlertOptions | None = None

    @classmethod
    def of(cls, out: Path, serve: Serve | None, alert: Alert | None) -> "Readers":
        """What two tables come to."""
        serving = None
        if serve is not None:
            serving = ServeOptions(
                out, serve.host, serve.port, serve.certificate, serve.key, serve.behind_proxy, serve.names,
                serve.blinded,
            )  # fmt: skip
        return cls(serving, None if alert is None else _alerts(alert))

    @property
    def alert_program(self) -> str:
        """What the command of alerts runs; "" where there is none."""
        parts = [] if self.alerts is None else shlex.split(self.alerts.command)
        return parts[0] if parts else ""

    def check(self) -> None:
        """See that this can be done, as far as it shows before films are there.

        Raises:
            UsageError: an address, certificate, command or login cannot be used.
        """
        if self.serving is not None:
            check_options(self.serving)
        if self.alerts is not None:
            check_alerts(self.alerts)

    def parts(
        self, out: Path, access: Access, opener: Opener, journal: Journal
    ) -> dict[str, Callable[[], Part]]:
        """The parts of the appliance, by name."""
        serving, parts = self.serving, dict[str, Callable[[], Part]]()
        alerts = None if self.alerts is None else Alerts(out, self.alerts, journal)

        def serve() -> Part:
            _have_store(out, access)
            assert serving is not None
            check(serving)
            return Serving(serving, opener, journal)

        def watch() -> Part:
            _have_store(out, access)
            assert alerts is not None
            return alerts  # the same again: it knows what it has called out

        if serving is not None:
            parts["serve"] = serve
        if alerts is not None:
            parts["alerts"] = watch
        return parts


def _alerts(asked: Alert) -> AlertOptions:
    mail = None
    if asked.mail_to is not None:
        server = asked.mail_server or "localhost"
        mail = Mail(asked.mail_to, server, asked.mail_from or "", asked.mail_login)
    return AlertOptions(asked.score, asked.command or "", mail, asked.link or "")


def _have_store(out: Path, access: Access) -> None:
    """Before the first film there is none yet."""
    if not has_store(out):
        make_folder(out, access)
        StoreWriter.open(out, access).close()
