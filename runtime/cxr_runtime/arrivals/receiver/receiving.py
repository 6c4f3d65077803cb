"""How films are received, as a user types it; only whoever makes a receiver of it needs the library."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cxr_runtime.journal import Journal

if TYPE_CHECKING:
    from cxr_runtime.arrivals.receiver.receiver import Receiver, ReceiverOptions


@dataclass(frozen=True)
class Receiving:
    """Where a receiver listens, and to whom: options of `listen`, or a table of the file of settings."""

    host: str
    port: int
    title: str  # our AE title
    allow: tuple[str, ...]  # who may send: AET or AET@HOST; none: anybody on this machine
    tls_cert: Path | None  # our certificate, PEM; None: no TLS
    tls_key: Path | None  # its key; None: in `tls_cert`
    tls_client_ca: Path | None  # who signs the certificates that senders must show; None: they need none
    associations: int  # senders at once
    free_bytes: int  # that stay free on the disk

    @property
    def shown(self) -> str:
        """The receiver, as reports name it."""
        return f"DICOM, {self.title} at {self.host}:{self.port}"

    def receiver(self, out: Path, journal: Journal) -> "Receiver":
        """A new receiver, which does not listen yet; raises as `options`.

        Args:
            out: output folder of the service.
            journal: hears what was received and what was refused.
        """
        from cxr_runtime.arrivals.receiver.receiver import Receiver

        return Receiver(out, self.options(), journal)

    def options(self) -> "ReceiverOptions":
        """What a receiver is given.

        Raises:
            UsageError: a host or a certificate cannot be used.
            ModuleNotFoundError: the extra `dicom` is missing.
        """
        from cxr_runtime.arrivals.receiver.inbox import Limits
        from cxr_runtime.arrivals.receiver.peers import allow_list, tls_context
        from cxr_runtime.arrivals.receiver.receiver import ReceiverOptions

        return ReceiverOptions(
            host=self.host,
            port=self.port,
            title=self.title,
            allowed=allow_list(self.allow, self.host),
            tls=tls_context(self.tls_cert, self.tls_key, self.tls_client_ca),
            limits=Limits(associations=self.associations, free_bytes=self.free_bytes),
        )
