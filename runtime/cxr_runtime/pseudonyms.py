"""Pseudonyms of patients: keyed hashes, whose key lies with the user who scans and nowhere else."""

import hmac
from dataclasses import dataclass, field
from typing import Self

from cxr_runtime.errors import BackendError, StoreError
from cxr_runtime.folders import DATA_VARIABLE, KEYS_FOLDER, data_root, own_folder, secret_in
from cxr_runtime.identity import Identity, IdentityKind

KEY_NAME = "pseudonym.key"
DIGITS = 16  # of a pseudonym; 64 bits keep a million patients apart


@dataclass(frozen=True)
class Keeping:
    """How much of a film's identity is kept, in reports and store."""

    kind: IdentityKind
    key: bytes = field(default=b"", repr=False)  # of pseudonyms

    @classmethod
    def of(cls, kind: IdentityKind) -> Self:
        """With this user's key where pseudonyms are wanted; it is drawn at the first use.

        Raises:
            StoreError: the key can be neither read nor kept.
        """
        if kind is not IdentityKind.PSEUDONYM:
            return cls(kind)
        root = data_root()
        try:
            if root is None:
                raise FileNotFoundError("this user has no home")
            return cls(kind, secret_in(own_folder(root, KEYS_FOLDER), KEY_NAME))
        except (OSError, BackendError) as error:
            raise StoreError(
                f"the key of the pseudonyms cannot be read or kept ({error}); expected a home folder that "
                f"can be written, or {DATA_VARIABLE} with a folder of your own"
            ) from error

    @property
    def label(self) -> str:
        """Kind as the store notes it; pseudonyms of another key are of another kind."""
        return f"{self.kind}:{_hashed(self.key, 'key', '')}" if self.key else self.kind.value

    def keep(self, stated: Identity) -> Identity | None:
        """What is kept of an identity; None: nothing."""
        match self.kind:
            case IdentityKind.NONE:
                return None
            case IdentityKind.FULL:
                return stated
            case IdentityKind.PSEUDONYM:
                return Identity(
                    patient=_hashed(self.key, "patient", stated.issued_patient),
                    accession=_hashed(self.key, "accession", stated.accession),
                    study=_hashed(self.key, "study", stated.study),
                    instance=_hashed(self.key, "instance", stated.instance),
                )


@dataclass(frozen=True)
class Stranger:
    """Who stands in a de-identified copy in the place of the patient: nobody, or pseudonyms."""

    key: bytes = field(repr=False)  # of all that is replaced
    has_pseudonyms: bool  # Patient ID and Accession Number are pseudonyms; else empty

    @classmethod
    def of(cls, kind: IdentityKind) -> Self | None:
        """None where films stay as they came.

        Raises:
            StoreError: the key can be neither read nor kept.
        """
        if kind is IdentityKind.FULL:
            return None
        return cls(Keeping.of(IdentityKind.PSEUDONYM).key, kind is IdentityKind.PSEUDONYM)

    def uid(self, name: str, value: str) -> str:
        """What stands for a UID: 2.25 and a number (PS3.5 B.2), whose first hex digits are the pseudonym."""
        return f"2.25.{int.from_bytes(_digest(self.key, name, value)[:16])}"

    def text(self, name: str, value: str) -> str:
        """What stands for an identifier."""
        return _hashed(self.key, name, value) if self.has_pseudonyms else ""


def _hashed(key: bytes, name: str, value: str) -> str:
    """The first digits of a keyed hash; "" of nothing."""
    return "" if not value and name != "key" else _digest(key, name, value).hex()[:DIGITS]


def _digest(key: bytes, name: str, value: str) -> bytes:
    """HMAC-SHA256 (RFC 2104) of `name`, a zero byte and the value in UTF-8."""
    return hmac.digest(key, f"{name}\0{value}".encode(), "sha256")
