"""Seals on what a store and a model folder say: only this machine can have made them.

A seal is HMAC-SHA256 (RFC 2104) of the values under a key of this user on this machine, which never lies
beside them. What bears no seal, or a wrong one, was made elsewhere, or changed since.
"""

import hmac
import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Self

from cxr_runtime.folders import KEY_BYTES, machine_key

_NUMBERS = (float, int)
_encoded = json.JSONEncoder(default=repr).encode


@dataclass(frozen=True)
class Sealer:
    """Makes and checks seals."""

    key: bytes = field(repr=False)

    @classmethod
    def of_this_machine(cls) -> Self:
        """With this machine's key; where none can be kept, with one that ends with the process."""
        return cls(machine_key() or secrets.token_bytes(KEY_BYTES))

    def seal(self, kind: str, values: Iterable[Any]) -> str:
        """64 hex digits over the values of one kind of row, as the store gives them back."""
        # SQLite gives numbers back as floats or integers, by the kind of the column: all count as floats.
        stored = [value + 0.0 if isinstance(value, _NUMBERS) else value for value in values]
        return hmac.digest(self.key, _encoded([kind, *stored]).encode(), "sha256").hex()

    def is_right(self, seal: str, kind: str, values: Iterable[Any]) -> bool:
        """Whether a seal was made here, of just these values."""
        return hmac.compare_digest(str(seal).encode(), self.seal(kind, values).encode())


def rows_digest(rows: Sequence[Any]) -> str:
    """64 hex digits over rows of texts and numbers, as the store gives them back."""
    return sha256(_encoded(rows).encode()).hexdigest()


def digest_of(parts: Iterable[Any]) -> str:
    """64 hex digits over blobs, texts and numbers, each with its length: what a seal vouches for apart."""
    digest = sha256()
    for part in parts:
        content = part if isinstance(part, bytes) else repr(part).encode()
        digest.update(b"%d:" % len(content))
        digest.update(content)
    return digest.hexdigest()


def picture_digest(row: tuple[Any, ...]) -> str:
    """`digest_of` a row of `pictures`, without its last column where older rows have none."""
    return digest_of(row if row[-1] is not None else row[:-1])


def sealed_place(stamp: str, file: str, sha256: str, fingerprint: str) -> tuple[str, ...]:
    """What a place's seal is of: that just this film lay there, whatever number its row has.

    Args:
        stamp: of the file, as it stood then.
        file: its name, as in results.csv.
        sha256: of the film.
        fingerprint: of what decides its row.
    """
    return stamp, file, sha256, fingerprint
