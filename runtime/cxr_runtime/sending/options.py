"""What is sent where, as a command says it; and what must have been said before anything is sent."""

import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from cxr_runtime.errors import InstallationError, StoreError, UsageError, how_to_install
from cxr_runtime.identity import IdentityKind
from cxr_runtime.names import printable
from cxr_runtime.sending.address import Address, ae_title, read_login, tls_context
from cxr_runtime.sending.destination import KINDS, Destination
from cxr_runtime.sending.route import Route
from cxr_runtime.sending.stow import WebArchive
from cxr_runtime.store.store import Store

OWN_TITLE = "CXR-TRIAGE"  # our AE title unless another is given
_CHOICES = "none, full or pseudonym"


@dataclass(frozen=True)
class SendingOptions:
    """Where results go, and how."""

    to: str  # as typed
    kinds: frozenset[str] = frozenset(KINDS)
    own_title: str = OWN_TITLE
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    login: Path | None = None  # a file with name and password of a web service

    def route(self, identity: str | None) -> Route:
        """What goes where; nothing is said to the archive yet.

        Args:
            identity: what results may carry, if that was said.

        Raises:
            UsageError: as of `destination` and `said_identity`.
            InstallationError: as of `destination`.
        """
        destination = self.destination()
        said_identity(identity)
        return Route(destination, self.kinds)

    def destination(self) -> Destination:
        """The archive.

        Raises:
            UsageError: an option is not what it should be, or does not fit the archive.
            InstallationError: the extra `dicom` is missing.
        """
        address = Address.parse(self.to)
        if address.is_web:
            login = "" if self.login is None else read_login(self.login)
            if self._wants_tls and not address.is_https:
                raise UsageError(f"{address.name} speaks no TLS; expected https:// with --tls-ca and others")
            return WebArchive(address, login, self._tls() if address.is_https else None)
        if self.login is not None:
            raise UsageError(f"--login is for http(s) addresses; {address.name} knows us by our AE title")
        if find_spec("pynetdicom") is None:
            raise InstallationError(
                f"--to AET@HOST:PORT needs pynetdicom, which is not installed: {how_to_install('dicom')}"
            )
        if self._wants_tls and self.tls_ca is None:
            raise UsageError(
                "--tls-cert is for TLS; expected --tls-ca, too: the certificates that vouch for it"
            )
        from cxr_runtime.sending.association import Archive

        return Archive(address, ae_title(self.own_title, "--aet"), self._tls() if self._wants_tls else None)

    @property
    def _wants_tls(self) -> bool:
        return any((self.tls_ca, self.tls_cert, self.tls_key))

    def _tls(self) -> ssl.SSLContext:
        if self.tls_key is not None and self.tls_cert is None:
            raise UsageError("--tls-key is the key of a certificate; expected --tls-cert, too")
        return tls_context(self.tls_ca, self.tls_cert, self.tls_key)


def said_identity(identity: str | None) -> IdentityKind:
    """What results may carry, if it was said.

    Raises:
        UsageError: it was not.
    """
    if identity is None:
        raise UsageError(
            "--to sends the patient's identifiers, for a result in the film's own study needs them; expected "
            f"--identity {_CHOICES}, which says what else its pages name"
        )
    return IdentityKind(identity)


def refuse_other_identity(folder: Path, said: IdentityKind) -> None:
    """Refuse to send results that say more of patients, or less, than somebody has agreed to.

    Raises:
        StoreError: the last scan into the folder was done with another `--identity`, or the folder holds no
            store that can be read.
    """
    made = _identity_of(folder) or said.value
    if made != said:
        raise StoreError(
            f"the results in {printable(str(folder))} were made with --identity {made}; expected that with "
            f"`send`, too, or a scan of these films with --identity {said.value}"
        )


def readable(folders: Iterable[Path]) -> tuple[list[Path], StoreError | None]:
    """Folders whose stores say how their results were made, and why the first of the others does not."""
    found, trouble = list[Path](), None
    for folder in folders:
        try:
            _identity_of(folder)
        except StoreError as error:
            trouble = trouble or error
        else:
            found.append(folder)
    return found, trouble


def _identity_of(folder: Path) -> str:
    """What the results of the last scan carry; "" before one has ended."""
    with Store.open(folder) as store:
        stated = [facts.identity for facts, _ in store.ended()]
    return stated[-1].partition(":")[0] if stated else ""
