"""The table `verdicts`: what readers and laboratories said of a film; rows are only added, the last holds."""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby
from typing import Any

from cxr_runtime.errors import StoreError
from cxr_runtime.names import printable
from cxr_runtime.seals import Sealer

SEALED = "verdict"  # kind of the sealed row
MOST_NOTE = 2000  # characters
NOTE_WITHDRAWN = "withdrawn"  # by which early stores know a test's result that was taken back
MOST_NAME = 64  # characters of a reader's name
COLUMNS = ("sha256", "reader", "time", "verdict", "findings", "note", "source", "is_blinded")
_NAMED = ", ".join(COLUMNS)


class Verdict(StrEnum):
    """What a film is, or what a test found."""

    NORMAL = "normal"  # of a test: negative
    ABNORMAL = "abnormal"  # of a test: positive
    CANNOT_TELL = "cannot-tell"
    WITHDRAWN = "withdrawn"  # what was said before was said in error, and holds no more


class Finding(StrEnum):
    """What a reader saw; the short list."""

    TB = "tb"
    OPACITY = "opacity"
    NODULE = "nodule"
    EFFUSION = "effusion"
    PNEUMOTHORAX = "pneumothorax"
    CARDIOMEGALY = "cardiomegaly"
    DEVICE = "device"
    OTHER = "other"


class Source(StrEnum):
    """Where a verdict comes from."""

    READING = "reading"  # a reader, from the film
    SPUTUM = "sputum"
    GENEXPERT = "genexpert"
    CT = "ct"


@dataclass(frozen=True)
class Said:
    """One verdict."""

    sha256: str  # of the film's bytes
    reader: str  # who said it, or entered it
    time: str  # ISO time with offset
    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    note: str = ""
    source: Source = Source.READING
    is_blinded: bool = False  # score and heat were hidden from the reader until then
    is_ours: bool = True  # its seal is right: it was said on this machine, and nobody has changed it since


@dataclass(frozen=True)
class FilmVerdicts:
    """What holds of a film: the last word of each reader, and of each test."""

    standing: tuple[Said, ...]  # in the order in which they were said
    withdrawn: tuple[Said, ...] = ()  # last words that take back what was said before

    @property
    def readings(self) -> tuple[Said, ...]:
        """What readers say of the film."""
        return tuple(said for said in self.standing if said.source is Source.READING)

    @property
    def tests(self) -> tuple[Said, ...]:
        """What laboratory and CT found."""
        return tuple(said for said in self.standing if said.source is not Source.READING)

    @property
    def is_disputed(self) -> bool:
        """Whether one reader calls the film normal and another abnormal."""
        return {Verdict.NORMAL, Verdict.ABNORMAL} <= {said.verdict for said in self.readings}

    @property
    def is_confirmed(self) -> bool | None:
        """Whether a test found disease; None where no test says so or so."""
        found = [said for said in self.tests if said.verdict is not Verdict.CANNOT_TELL]
        if any(said.verdict is Verdict.ABNORMAL for said in found):
            return True
        return False if found else None

    @property
    def is_abnormal(self) -> bool | None:
        """The truth of the film as it is known; None where it is not, or readers disagree.

        A test that found disease, and a CT that found none, stand above the readers. A sputum or GeneXpert
        that found no tuberculosis says nothing of other disease, so that the readers' word counts.
        """
        if self.is_confirmed:
            return True
        if any(said.source is Source.CT and said.verdict is Verdict.NORMAL for said in self.tests):
            return False
        words = {said.verdict for said in self.readings} - {Verdict.CANNOT_TELL}
        return words == {Verdict.ABNORMAL} if len(words) == 1 else None


class Verdicts:
    """What was said; a verdict without a right seal is shown, and marked as made elsewhere.

    Writing happens within the transaction of the one who reads the film.
    """

    def __init__(self, db: sqlite3.Connection, sealer: Sealer) -> None:
        self._db, self._sealer = db, sealer

    def add(self, said: Said) -> None:
        """Add a verdict; the earlier ones stay."""
        row = _row(said)
        marks = ", ".join("?" * (len(row) + 1))
        self._db.execute(
            f"INSERT INTO verdicts ({_NAMED}, seal) VALUES ({marks})", (*row, self._sealer.seal(SEALED, row))
        )

    def of(self, sha256: str) -> list[Said]:
        """All that was ever said of a film, the earliest first.

        Raises:
            StoreError: a row is none that this program writes.
        """
        return self._said("WHERE sha256 = ? ORDER BY id", (sha256,))

    def of_films(self, digests: Iterable[str]) -> dict[str, FilmVerdicts]:
        """What holds of films, by sha256; those of which nothing was said are left out."""
        return {digest: standing(said) for digest in digests if (said := self.of(digest))}

    def all(self) -> list[Said]:
        """All that was ever said, in the order in which it was."""
        return self._said("ORDER BY id", ())

    def first_readings(self) -> dict[str, str]:
        """When the first reader said something of each film that was not withdrawn, by sha256."""
        query = (
            "SELECT sha256, time, min(id) FROM verdicts WHERE source = 'reading' AND NOT EXISTS"
            " (SELECT 1 FROM verdicts AS later WHERE later.sha256 = verdicts.sha256"
            " AND later.reader = verdicts.reader AND later.source = 'reading'"
            " AND later.verdict = 'withdrawn' AND later.id >= verdicts.id) GROUP BY sha256"
        )
        return {str(sha256): str(time) for sha256, time, _ in self._db.execute(query).fetchall()}

    def every(self) -> Iterator[tuple[str, FilmVerdicts]]:
        """What holds of every film of which something does, by sha256."""
        said = self._said("ORDER BY sha256, id", ())
        for sha256, of_film in groupby(said, key=lambda one: one.sha256):
            if (holds := standing(of_film)).standing:
                yield sha256, holds

    def _said(self, where: str, asked: tuple[str, ...]) -> list[Said]:
        rows = self._db.execute(f"SELECT seal, {_NAMED} FROM verdicts {where}", asked).fetchall()
        return [self._checked(seal, tuple(row)) for seal, *row in rows]

    def _checked(self, seal: Any, row: tuple[Any, ...]) -> Said:
        sha256, reader, time, verdict, findings, note, source, is_blinded = row
        try:
            if not all(isinstance(text, str) for text in (sha256, reader, time, findings, note)):
                raise ValueError("its texts are none")
            found = tuple(Finding(name) for name in findings.split(",") if name)
            said = Said(
                sha256, reader[:MOST_NAME], time, Verdict(verdict), found, note[:MOST_NOTE], Source(source),
                bool(is_blinded), self._sealer.is_right(seal, SEALED, row),
            )  # fmt: skip
            return replace(said, verdict=Verdict.WITHDRAWN, note="") if _is_early_withdrawal(said) else said
        except ValueError as error:
            raise StoreError(
                f"the store's verdict on the film {printable(str(sha256)[:12])} is damaged or was changed "
                f"({printable(str(error))}); restore a backup, or scan with --out and a new folder"
            ) from error


def standing(said: Iterable[Said]) -> FilmVerdicts:
    """The last word of each reader, and of each test, whoever entered it."""
    last = dict[tuple[str, str], Said]()
    for one in said:
        key = (one.source, one.reader if one.source is Source.READING else "")
        last.pop(key, None)
        last[key] = one
    holds = tuple(one for one in last.values() if one.verdict is not Verdict.WITHDRAWN)
    return FilmVerdicts(holds, tuple(one for one in last.values() if one.verdict is Verdict.WITHDRAWN))


def _is_early_withdrawal(said: Said) -> bool:
    is_test = said.source is not Source.READING
    return is_test and said.verdict is Verdict.CANNOT_TELL and said.note == NOTE_WITHDRAWN


def _row(said: Said) -> tuple[Any, ...]:
    return (
        said.sha256, said.reader[:MOST_NAME], said.time, said.verdict.value, ",".join(said.findings),
        said.note[:MOST_NOTE], said.source.value, int(said.is_blinded),
    )  # fmt: skip
