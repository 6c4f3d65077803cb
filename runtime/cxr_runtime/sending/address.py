"""Where results go, and by which right, as a user types it."""

import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from cxr_runtime.errors import UsageError
from cxr_runtime.names import printable
from cxr_runtime.sending.destination import KINDS

MAX_TITLE = 16  # characters of an AE title (PS3.5 6.2)
LARGEST_PORT = 65535
MOST_LOGIN = 4096  # characters of a file with name and password
_EXPECTED = "expected AET@HOST:PORT, e.g. PACS@192.168.1.5:104, or the http(s) address of a DICOMweb service"
_TITLE = re.compile(rf"[\x20-\x5b\x5d-\x7e]{{1,{MAX_TITLE}}}")
_ARCHIVE = re.compile(
    r"(?P<title>[^@]+)@(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^\s@:/\[\]]+)):(?P<port>\d{1,5})"
)


@dataclass(frozen=True)
class Address:
    """An archive, as it is typed, in one spelling: by this the store knows what it has."""

    name: str  # PACS@host:104, or https://host/dicom-web
    host: str
    port: int
    title: str = ""  # AE title; "" of a web service
    path: str = ""  # of a web service, without a slash at its end

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `AET@HOST:PORT` or an address of the web.

        Raises:
            UsageError: it is neither.
        """
        if re.match("https?://", text, re.IGNORECASE):
            return cls._of_web(text)
        found = _ARCHIVE.fullmatch(text)
        if found is None or not 0 < int(found["port"]) <= LARGEST_PORT or not _is_host(found["host"]):
            raise UsageError(f"--to {printable(text)!r} names no archive; {_EXPECTED}")
        title = ae_title(found["title"], "--to")
        host = (found["six"] or found["host"]).lower()
        shown = f"[{host}]" if found["six"] else host
        return cls(f"{title}@{shown}:{int(found['port'])}", host, int(found["port"]), title)

    @classmethod
    def _of_web(cls, text: str) -> Self:
        try:
            parts = urlsplit(text)
            port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        except ValueError:
            raise UsageError(f"--to {printable(text)!r} cannot be used; {_EXPECTED}") from None
        if parts.username is not None or parts.query or parts.fragment or not parts.hostname:
            raise UsageError(
                f"--to {printable(parts.hostname or '')!r}: expected a plain address without password, "
                "question mark and hash; give name and password in a file with --login"
            )
        if not text.isascii() or not text.isprintable() or " " in text or not _is_host(parts.hostname):
            raise UsageError(f"--to {printable(text)!r} cannot be used; {_EXPECTED}")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        path = parts.path.rstrip("/").removesuffix("/studies")
        return cls(f"{parts.scheme}://{host}:{port}{path}", parts.hostname, port, path=path)

    @property
    def is_web(self) -> bool:
        """Whether it is a DICOMweb service."""
        return not self.title

    @property
    def is_https(self) -> bool:
        """Whether it is a DICOMweb service behind TLS."""
        return self.name.startswith("https:")


def _is_host(name: str | None) -> bool:
    """Whether a name can be asked for: no label of it is empty or longer than 63 bytes (RFC 1035, 2.3.4)."""
    try:
        (name or "").encode("idna")
    except UnicodeError:
        return False
    return True


def ae_title(text: str, option: str) -> str:
    """An AE title as typed.

    Raises:
        UsageError: it is none (PS3.5 6.2: at most 16 characters, no backslash, no control).
    """
    title = text.strip()
    if not _TITLE.fullmatch(title):
        raise UsageError(
            f"{option} {printable(text)!r} cannot be an AE title; expected 1 to {MAX_TITLE} letters, digits "
            "or signs without a backslash"
        )
    return title


def parse_kinds(listed: str) -> frozenset[str]:
    """Read the list of `--what`.

    Raises:
        UsageError: it names something else.
    """
    names = frozenset(name.strip().lower() for name in listed.split(",") if name.strip())
    if not names or not names <= set(KINDS):
        raise UsageError(f"--what {listed!r}: choose any of {','.join(KINDS)}")
    return names


def tls_context(ca: Path | None, certificate: Path | None, key: Path | None) -> ssl.SSLContext:
    """How TLS is spoken: the archive's certificate is always checked, with its host's name.

    Args:
        ca: certificates that are trusted; None: those of the system.
        certificate: our own, if the archive asks for one.
        key: of it; None: it lies in the same file.

    Raises:
        UsageError: a file is missing, or not what it should be.
    """
    try:
        context = ssl.create_default_context(cafile=ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if certificate is not None:
            context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        names = " ".join(printable(str(path)) for path in (ca, certificate, key) if path is not None)
        raise UsageError(
            f"--tls-ca, --tls-cert or --tls-key: {names} cannot be used "
            f"({getattr(error, 'strerror', None) or type(error).__name__}); expected files in the form of "
            "PEM, the key without a password"
        ) from error
    return context


def _no_password() -> str:
    raise ValueError("the key has a password")  # else OpenSSL would ask for it at the terminal


def read_login(file: Path) -> str:
    """Name and password of a web service: the first line of a file, `name:password`.

    Raises:
        UsageError: it cannot be read, or holds something else.
    """
    try:
        with file.open(encoding="utf-8-sig") as lines:
            login = lines.readline(MOST_LOGIN).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--login {printable(str(file))} cannot be read; expected a file of text") from error
    if ":" not in login or not login.isprintable():
        raise UsageError(f"--login {printable(str(file))}: expected one line, NAME:PASSWORD")
    return login
