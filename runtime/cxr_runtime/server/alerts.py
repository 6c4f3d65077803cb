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
from cxr_runtime.store.rows import time_of

LOOK_SECONDS = 2.0  # between two looks at the store
RECENT = timedelta(days=1)  # films that were scored longer before the first look are no news, ...
LONGEST_AWAY = timedelta(days=7)  # ... but for those since the last alert, so many at most
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
        UsageError: the score, the command, an address or a login is not as it should be.
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
        for address in filter(None, (options.mail.to, options.mail.sender)):
            _check_mail_address(address)


@dataclass
class Alerts:
    """Watches a store: works until `end` is called. What it has given it knows also when it is run again."""

    folder: Path
    options: AlertOptions
    journal: Journal
    clock: Callable[[], datetime] = lambda: datetime.now().astimezone()
    _ending: threading.Event = field(default_factory=threading.Event)
    _done: set[str] = field(default_factory=set)  # films that were called out; "film channel": only by that
    _since: datetime | None = None  # films that were scored before are no news
    _tries: dict[str, tuple[float, float]] = field(default_factory=dict)  # film: when again, wait after that

    def run(self) -> None:
        """Watch.

        Raises:
            StoreError: the store cannot be used.
        """
        with Desk.open(self.folder) as desk:
            self._done |= desk.audit.about(Act.ALERTED)
            version, is_all = -1, True
            while not self._ending.is_set():
                found = desk.version()
                if found != version or not is_all:
                    is_all, version = self.look(desk), found
                self._ending.wait(LOOK_SECONDS)

    def end(self) -> None:
        """Have it end; may be called from any thread."""
        self._ending.set()

    def look(self, desk: Desk) -> bool:
        """Call out new films, then those that are due again; False where one has to be tried again."""
        beginning = self._beginning(desk)
        self._since = min(self._since or beginning, beginning)  # earlier where a clock is put right
        found = desk.suspicious(self.options.score / 100, self._since)
        waiting = [film for film in found if film[0] not in self._done]
        is_all = True
        for sha256, probability in sorted(waiting, key=lambda film: film[0] in self._tries):
            due, wait = self._tries.get(sha256, (0.0, FIRST_WAIT))
            if self._ending.is_set() or time.monotonic() < due:
                is_all = False
            elif self._is_called_out(desk, sha256, 100 * probability):
                self._done.add(sha256)
                self._tries.pop(sha256, None)
                desk.note(ACTOR, Act.ALERTED, sha256)
            else:
                is_all = False
                self._tries[sha256] = time.monotonic() + wait, min(2 * wait, LONGEST_WAIT)
        return is_all

    def _beginning(self, desk: Desk) -> datetime:
        """From when on films are news: for a day, or since the last alert where that is longer ago."""
        now = self.clock()
        last = desk.audit.last(Act.ALERTED)
        return min(now - RECENT, max(time_of(last), now - LONGEST_AWAY) if last else now)

    def _is_called_out(self, desk: Desk, sha256: str, score: float) -> bool:
        """Call out a film by each channel that has not done so; whether all have by now."""
        digits, given = sha256[:SHA_DIGITS], list[str]()
        channels = self._channels(digits, score)
        for name, call_out in channels.items():
            about = f"{sha256} {name}"
            try:
                if about not in self._done:
                    call_out()
                    given.append(about)
            except (OSError, CxrTriageError, smtplib.SMTPException, subprocess.SubprocessError) as error:
                kind = type(error).__name__.lower()
                self.journal.note("alert-failed", sha256=digits, channel=name, error=kind)
        self._done.update(given)
        if all(f"{sha256} {name}" in self._done for name in channels):
            self.journal.note("very-suspicious", sha256=digits, score=round(score, 2))
            return True
        for about in given:
            desk.note(ACTOR, Act.ALERTED, about)
        return False

    def _channels(self, digits: str, score: float) -> dict[str, Callable[[], None]]:
        """What was asked for, by a word."""
        channels, mail = dict[str, Callable[[], None]](), self.options.mail
        if self.options.command:
            channels["command"] = lambda: self._run(digits, score)
        if mail is not None:
            channels["mail"] = lambda: _send(mail, _message(self.options, digits, score))
        return channels

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


def _check_mail_address(address: str) -> None:
    message = EmailMessage()
    try:
        message["To"] = address
        is_sound = bool(message["To"].addresses) and not message["To"].defects
    except (ValueError, LookupError, AttributeError):  # a line break; the last two: of "a@" and "a@["
        is_sound = False
    if not is_sound:
        raise UsageError(f"alerts are mailed to {printable(address)!r}, or from it; expected NAME@HOST")


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
