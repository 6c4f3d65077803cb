"""The digest that a model's JSON files bear of their own content, and the seal of the machine that made them.

The digest finds damage and half an edit; it keeps nobody from writing another one. The seal says that this
machine wrote the file: a folder from elsewhere has none that fits, and the reports say so.
"""

import json
import stat
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cxr_runtime.seals import Sealer
from cxr_runtime.typed_json import to_json

DIGEST, SEAL = "content_sha256", "made_here"
KIND = "model file"  # of sealed things
MOST_BYTES = 16 << 20  # of a JSON file; the largest of ours has 53 kB


@dataclass(frozen=True)
class Mark:
    """What a JSON file of a model says of its own origin."""

    has_digest: bool  # False: 0.1.0 wrote it, or it was written by hand
    is_ours: bool  # this machine wrote it


def marked(text: str, sealer: Sealer | None) -> str:
    """The same JSON object with its digest, and with a seal if there is a sealer, as its last fields."""
    content = json.loads(text)
    for name in (DIGEST, SEAL):
        content.pop(name, None)
    digest = _digest(content)
    seal = {} if sealer is None else {SEAL: sealer.seal(KIND, [digest])}
    return to_json({**content, DIGEST: digest, **seal})


def mark_of(text: bytes) -> Mark:
    """Look at the digest and the seal of a JSON file.

    Raises:
        ValueError: it is not a JSON object, or its content is not that of its digest.
    """
    try:
        content = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    if not isinstance(content, dict):
        raise ValueError("it is not a JSON object")
    stated, seal = content.pop(DIGEST, None), content.pop(SEAL, "")
    if stated is None:
        return Mark(has_digest=False, is_ours=False)
    if stated != _digest(content):
        raise ValueError(f"its content was changed since it was written: it is not that of its {DIGEST}")
    return Mark(has_digest=True, is_ours=Sealer.of_this_machine().is_right(seal, KIND, [stated]))


def read_plain(path: Path, most: int = MOST_BYTES) -> bytes:
    """The bytes of a file of a model; a pipe or device is not waited for.

    Raises:
        ValueError: it is not a file, or larger than it may be.
        OSError: it cannot be read.
    """
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise ValueError("it is a pipe, device, socket or folder, expected a file")
    if found.st_size > most:
        raise ValueError(f"it has {found.st_size >> 20} MiB, expected at most {most >> 20}")
    return path.read_bytes()


def _digest(content: dict[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return sha256(canonical.encode()).hexdigest()
