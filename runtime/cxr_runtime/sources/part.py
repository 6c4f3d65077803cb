"""A part of the films, for machines that know nothing of each other: a job scheduler starts one for each."""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from cxr_runtime.errors import UsageError


@dataclass(frozen=True)
class Part:
    """One of several parts of the films, by a hash of their names: each film is in one of them."""

    number: int  # from 1
    of: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `2/8`, the second of eight parts.

        Raises:
            UsageError: it is no such part.
        """
        match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text.strip())
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise UsageError(f"--part {text!r} cannot be read; expected e.g. 2/8, the second of eight")
        return cls(int(match[1]), int(match[2]))

    def has(self, file: str) -> bool:
        """Whether the film of this name, as in results.csv, is in this part."""
        return int(sha256(file.encode()).hexdigest()[:15], 16) % self.of == self.number - 1
