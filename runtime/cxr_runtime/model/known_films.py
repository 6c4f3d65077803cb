"""Which films a model has learned from, so that nobody sets a threshold on them: digests, no list of films.

Eight hex digits of each film's sha256 are kept, sorted. They tell whether a film at hand is one of them; they
name none. The same film in another file (another coding, another size) has another digest and is not known.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.atomic import write_bytes
from cxr_runtime.errors import ModelError
from cxr_runtime.files import KNOWN_FILMS_FILE
from cxr_runtime.model.own_digest import mark_of, marked, read_plain
from cxr_runtime.seals import Sealer
from cxr_runtime.typed_json import from_json, to_json

DIGITS = 8  # hex digits that are kept of a film's sha256: 32 of its 256 bits


@dataclass(frozen=True)
class KnownFilms:
    """The films of a model's training."""

    digests: NDArray[np.uint32] = field(repr=False)  # (N,) rising

    @classmethod
    def of(cls, sha256s: Iterable[str]) -> "KnownFilms":
        """Of films, by the sha256 of their files (64 hex digits)."""
        return cls(np.unique(np.array([int(sha256[:DIGITS], 16) for sha256 in sha256s], np.uint32)))

    def knows(self, sha256: str) -> bool:
        """Whether a film is one of them; for another film the chance of a wrong yes is `false_alarms`."""
        if not sha256:
            return False
        wanted = np.uint32(int(sha256[:DIGITS], 16))
        place = int(np.searchsorted(self.digests, wanted))
        return place < self.digests.size and bool(self.digests[place] == wanted)

    def write(self, folder: Path, model_sha256: str) -> None:
        """Write the known-films.json of a model folder, whose model.onnx has that sha256."""
        digits = "".join(f"{digest:0{DIGITS}x}" for digest in self.digests.tolist())
        stated = _Stated(model_sha256, self.digests.size, self.false_alarms, digits)
        write_bytes(folder / KNOWN_FILMS_FILE, marked(to_json(stated), Sealer.of_this_machine()).encode())

    @property
    def false_alarms(self) -> float:
        """The chance that a film which was not learned from is taken for one that was, 0..1."""
        return float(self.digests.size / 16**DIGITS)


@dataclass(frozen=True)
class _Stated:
    """known-films.json."""

    model_sha256: str
    films: int
    false_alarms: float  # chance that another film is taken for one of them
    digests: str  # DIGITS hex digits a film, rising, without blanks


def write_known_films(folder: Path, model_sha256: str, sha256s: Iterable[str]) -> KnownFilms:
    """Write the known-films.json of a model folder.

    Args:
        folder: of the model.
        model_sha256: of its model.onnx.
        sha256s: of the files of all films that the network, or one that it began from or was taught by, has
            learned from or was chosen by.
    """
    known = KnownFilms.of(sha256s)
    known.write(folder, model_sha256)
    return known


def read_known_films(folder: Path, model_sha256: str) -> KnownFilms | None:
    """Read the known-films.json of a model folder; None where there is none.

    Raises:
        ModelError: it is damaged, or another model's.
    """
    path = folder / KNOWN_FILMS_FILE
    if not path.is_file():
        return None
    try:
        content = read_plain(path)
        stated = from_json(content, _Stated)
        mark_of(content)
        return KnownFilms(_digests(stated, model_sha256))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{path} cannot be used ({error}); put the model folder back whole, or export it anew"
        ) from error


def _digests(stated: _Stated, model_sha256: str) -> NDArray[np.uint32]:
    if stated.model_sha256 != model_sha256:
        raise ValueError(f"it belongs to a model of sha256 {stated.model_sha256[:12]!r}")
    if len(stated.digests) != DIGITS * stated.films:
        raise ValueError(f"it has {len(stated.digests)} digits for {stated.films} films")
    starts = range(0, len(stated.digests), DIGITS)
    digests = [int(stated.digests[start : start + DIGITS], 16) for start in starts]
    if any(low >= high for low, high in pairwise(digests)):
        raise ValueError("its digests do not rise")
    return np.array(digests, np.uint32)
