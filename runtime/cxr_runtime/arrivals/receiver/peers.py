"""Who may send films: calling AE titles, hosts and certificates."""

import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Self

from cxr_runtime.errors import UsageError
from cxr_runtime.names import printable
from cxr_runtime.sending.address import ae_title


@dataclass(frozen=True)
class Peer:
    """One entry of the list of those who may send."""

    title: str  # calling AE title
    addresses: frozenset[str] | None = None  # of its host; None: any host

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `AET` or `AET@HOST`.

        Raises:
            UsageError: it is neither, or the host is not known here.
        """
        title, at, host = text.partition("@")
        if not at:
            return cls(ae_title(text, "--allow"))
        if "@" in host:
            raise UsageError(f"--allow {printable(text)!r} has two @; expected AET or AET@HOST")
        return cls(ae_title(title, "--allow"), frozenset(addresses(host, "--allow")))


@dataclass(frozen=True)
class AllowList:
    """Everybody who may send; an empty one lets in whoever reaches the port."""

    peers: tuple[Peer, ...] = ()

    def knows_host(self, address: str) -> bool:
        """Whether anybody at this address may send."""
        return not self.peers or any(_is_at(peer, address) for peer in self.peers)

    def admits(self, title: str, address: str) -> bool:
        """Whether this calling AE title may send from this address."""
        if not self.peers:
            return True
        return any(peer.title == title.strip() and _is_at(peer, address) for peer in self.peers)


def allow_list(entries: Iterable[str], host: str) -> AllowList:
    """The list of `--allow`, for a receiver at `host`.

    Raises:
        UsageError: an entry is malformed, or other machines could send and nobody is named.
    """
    allowed = AllowList(tuple(Peer.parse(entry) for entry in entries))
    is_local = all(ip_address(address).is_loopback for address in addresses(host, "--host"))
    if not is_local and not allowed.peers:
        raise UsageError(
            f"--host {printable(host)} can be reached from other machines, and nobody is named who may send; "
            "add --allow AET@HOST for each device, or leave --host out to listen to this machine alone"
        )
    return allowed


def addresses(host: str, option: str) -> list[str]:
    """The addresses of a host, as connections from it bear them; a number is not looked up.

    Raises:
        UsageError: it is not known here.
    """
    try:
        return [str(ip_address(host))]
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        found = []
    if not host or not found:
        raise UsageError(
            f"{option}: the host {printable(host)!r} is not known here; expected an address as 192.168.1.20, "
            "or a name that this machine can look up"
        )
    return [plain_address(str(each[4][0])) for each in found]


def plain_address(address: str) -> str:
    """An address without its scope, and IPv4 as IPv4 (RFC 4291 2.5.5.2)."""
    number = ip_address(address.partition("%")[0])
    if isinstance(number, IPv6Address) and number.ipv4_mapped is not None:
        number = number.ipv4_mapped
    return str(number)


def _is_at(peer: Peer, address: str) -> bool:
    return peer.addresses is None or plain_address(address) in peer.addresses


def tls_context(certificate: Path | None, key: Path | None, client_ca: Path | None) -> ssl.SSLContext | None:
    """TLS 1.2 or later with our own certificate (PS3.15 B.9); None where no certificate is given.

    Args:
        certificate: PEM file of the certificate and those above it.
        key: PEM file of its key; None: it is in the same file.
        client_ca: PEM file of those who sign the certificates that senders must show; None: they need none.

    Raises:
        UsageError: a file is missing, or is not what it should be.
    """
    if certificate is None:
        if key is not None or client_ca is not None:
            raise UsageError("--tls-key and --tls-client-ca need --tls-cert; give the certificate, too")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, password="")  # never asks at a terminal
        if client_ca is not None:
            context.load_verify_locations(client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or "not in PEM form"
        raise UsageError(
            f"the certificates cannot be used ({reason}); expected PEM files: --tls-cert with --tls-key "
            "(not encrypted), and --tls-client-ca"
        ) from error
    return context
