"""A very suspicious film is called out, where somebody wants that: by a command, a mail, a line in the log.

Nothing of a patient or a file's name is in it: the score, and the first digits of the film's sha256, by which
the worklist finds it.
"""

import shlex
import smtplib
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

from cxr_runtime.errors import CxrTriageError, UsageError
from cxr_runtime.journal import Journal
from cxr_runtime.names import SHA_DIGITS, printable
from cxr_runtime.store.audit import Act
from cxr_runtime.store.desk import Desk

LOOK_SECONDS = 2.0  # between two looks at the store
RECENT = timedelta(days=1)  # films that were scored longer ago are no news
COMMAND_SECONDS, MAIL_SECONDS = 60.0, 30.0
FIRST_WAIT, LONGEST_WAIT = 30.0, 1800.0  # seconds until an alert is tried again
SMTPS = 465  # the port that speaks TLS from the start (RFC 8314, 7.3)
ACTOR = "alerts"  # in the audit


@dataclass(frozen=True)
class Mail:
    """Where an alert is mailed."""

    to: str
    server: str  # HOST or HOST:PORT; 465 speaks TLS from the start, others by STARTTLS
    sender: str = ""  # else `to`
    login: Path | None = None  # file with one line, NAME:PASSWORD


@dataclass(frozen=True)
class AlertOptions:
    """What is called out, and how."""

    score: float  # 0..100; a film with this or more
    command: str = ""  # run with the digits and the score behind its own arguments; "" for none
    mail: Mail | None = None
    link: str = ""  # address of the worklist, as the mail names it


def check_alerts(options: AlertOptions) -> None:
    """See that alerts can be given.

    Raises:
        UsageError: the score, the command or a login is not as it should be.
    """
    if not 0 < options.score <= 100:
        raise UsageError(f"alerts at a score of {options.score:g}; expected more than 0 and at most 100")
    try:
        parts = shlex.split(options.command)
    except ValueError as error:
        raise UsageError(f"the command of alerts cannot be read ({error}); check its quotes") from error
    if options.command and not parts:
        raise UsageError("the command of alerts is empty; leave it out, or name a program")
    if options.mail is not None:
        _host_and_port(options.mail.server)
        _login(options.mail)


@dataclass
class Alerts:
    """Watches a store: works until `end` is called."""

    folder: Path
    options: AlertOptions
    journal: Journal
    clock: Callable[[], datetime] = lambda: datetime.now().astimezone()
    _ending: threading.Event = field(default_factory=threading.Event)
    _done: set[str] = field(default_factory=set)  # films that were called out

    def run(self) -> None:
        """Watch.

        Raises:
            StoreError: the store cannot be used.
        """
        with Desk.open(self.folder) as desk:
            self._done |= desk.audit.about(Act.ALERTED)
            wait, due, version = FIRST_WAIT, 0.0, -1
            while not self._ending.is_set():
                found = desk.version()
                if found != version and time.monotonic() >= due:
                    if self.look(desk):
                        version, wait, due = found, FIRST_WAIT, 0.0
                    else:
                        due, wait = time.monotonic() + wait, min(2 * wait, LONGEST_WAIT)
                self._ending.wait(LOOK_SECONDS)

    def end(self) -> None:
        """Have it end; may be called from any thread."""
        self._ending.set()

    def look(self, desk: Desk) -> bool:
        """Call out films that are new; False where one has to be tried again."""
        since = self.clock() - RECENT
        for sha256, probability in desk.suspicious(self.options.score / 100, since):
            if sha256 in self._done:
                continue
            try:
                self._call_out(sha256, 100 * probability)
            except (OSError, CxrTriageError, smtplib.SMTPException, subprocess.SubprocessError) as error:
                kind = type(error).__name__.lower()
                self.journal.note("alert-failed", sha256=sha256[:SHA_DIGITS], error=kind)
                return False
            self._done.add(sha256)
            desk.note(ACTOR, Act.ALERTED, sha256)
        return True

    def _call_out(self, sha256: str, score: float) -> None:
        digits = sha256[:SHA_DIGITS]
        if self.options.command:
            self._run(digits, score)
        if self.options.mail is not None:
            _send(self.options.mail, _message(self.options, digits, score))
        self.journal.note("very-suspicious", sha256=digits, score=round(score, 2))

    def _run(self, digits: str, score: float) -> None:
        subprocess.run(
            [*shlex.split(self.options.command), digits, f"{score:.2f}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=COMMAND_SECONDS,
            check=True,
        )


def _message(options: AlertOptions, digits: str, score: float) -> EmailMessage:
    assert options.mail is not None
    message = EmailMessage()
    message["Subject"] = f"Very suspicious chest film: score {score:.0f}"
    message["From"] = options.mail.sender or options.mail.to
    message["To"] = options.mail.to
    where = f"\n{options.link}" if options.link else ""
    message.set_content(
        f"A film has a score of {score:.2f} (alerts begin at {options.score:g}).\n"
        f"Search for {digits} in the worklist.{where}\n\n"
        "Research use only. The program ranks films; it never clears one.\n"
    )
    return message


def _send(mail: Mail, message: EmailMessage) -> None:
    host, port = _host_and_port(mail.server)
    context, login = ssl.create_default_context(), _login(mail)
    if port == SMTPS:
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=MAIL_SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=MAIL_SECONDS)
    with server:
        if port != SMTPS:
            server.starttls(context=context)
        if login is not None:
            server.login(*login)
        server.send_message(message)


def _host_and_port(server: str) -> tuple[str, int]:
    host, _, port = server.rpartition(":") if ":" in server else (server, "", "587")
    if not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise UsageError(f"the mail server is {printable(server)!r}; expected HOST or HOST:PORT")
    return host, int(port)


def _login(mail: Mail) -> tuple[str, str] | None:
    if mail.login is None:
        return None
    shown = printable(str(mail.login))
    try:
        name, colon, password = mail.login.read_text(encoding="utf-8").strip().partition(":")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the login {shown} cannot be read; expected one line, NAME:PASSWORD") from error
    if not (name and colon and password) or "\n" in password:
        raise UsageError(f"{shown} holds no login; expected one line, NAME:PASSWORD")
    return name, password
