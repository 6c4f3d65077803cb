"""The list of a store's films, page by page: searched, narrowed and sorted by the store's own indexes."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from cxr_runtime.outcome import Outcome
from cxr_runtime.store.checks import outcome_of
from cxr_runtime.store.desk import Desk
from cxr_runtime.store.rows import OUTCOME_COLUMNS, time_of
from cxr_runtime.store.sqlite import store_errors
from cxr_runtime.store.verdicts import NOTE_WITHDRAWN

MOST_ON_A_PAGE = 100
_DIGITS = re.compile("[0-9a-f]{8,64}")  # of a film's sha256, from its beginning
MOST_TEXT = 80  # characters of a search
MOST_PAGES = 100_000


class Show(StrEnum):
    """Which films, by how they ended."""

    ALL = "all"
    FLAGGED = "flagged"
    REVIEW = "review"
    NOT_FLAGGED = "not_flagged"
    UNSCORED = "unscored"


class Read(StrEnum):
    """Which films, by what was said of them."""

    ANY = "any"
    UNREAD = "unread"  # by anybody
    MINE = "mine"  # not read by me yet
    NORMAL = "normal"
    ABNORMAL = "abnormal"
    CANNOT_TELL = "cannot-tell"
    DISPUTED = "disputed"
    TESTED = "tested"  # a laboratory, or a CT, has said something


class Order(StrEnum):
    """What comes first."""

    SUSPICION = "suspicion"
    NEWEST = "newest"
    OLDEST = "oldest"
    NAME = "name"


@dataclass(frozen=True)
class Query:
    """What a reader wants to see."""

    # Part of a file's name, of a patient's name or number, of an accession number, or 8 digits of a sha256.
    text: str = ""
    show: Show = Show.ALL
    read: Read = Read.ANY
    since: date | None = None  # scored on this day or later
    until: date | None = None  # scored on this day or earlier
    order: Order = Order.SUSPICION
    page: int = 1


@dataclass(frozen=True)
class Listed:
    """A film of the list."""

    result: int  # its row in the store
    outcome: Outcome
    finished: str  # ISO time with offset

    @property
    def key(self) -> str:
        """What it is asked for by: its sha256, or the number of its row where it could not be read."""
        return self.outcome.sha256 or f"n{self.result}"


@dataclass(frozen=True)
class Counts:
    """How many films there are of each kind."""

    flagged: int = 0
    review: int = 0
    not_flagged: int = 0
    unscored: int = 0

    @property
    def all(self) -> int:
        """Every film."""
        return self.flagged + self.review + self.not_flagged + self.unscored


_AT = (
    "(SELECT run << 32 | position FROM places WHERE result = {}.id ORDER BY run DESC, position DESC LIMIT 1)"
)
_FILE = "(SELECT file FROM places WHERE result = results.id ORDER BY run DESC, position DESC LIMIT 1)"
# A film is its bytes, or its name where nothing could be read. It has one row, that of its latest place; what
# the machine did to it counts until something comes after it (films.py says the same of all films at once).
_CURRENT = f"""{_AT.format("results")} IS NOT NULL AND (results.sha256 = '' OR NOT EXISTS (
  SELECT 1 FROM results AS other WHERE other.sha256 = results.sha256 AND other.id != results.id
  AND {_AT.format("other")} > {_AT.format("results")}))
AND (results.is_lasting AND results.sha256 != '' OR NOT EXISTS (
  SELECT 1 FROM places JOIN runs ON runs.id = places.run WHERE places.file = {_FILE}
  AND run << 32 | position > {_AT.format("results")}
  AND origin = (SELECT origin FROM runs WHERE id = {_AT.format("results")} >> 32)))"""
_ORDERS = {
    Order.SUSPICION: f"status DESC, probability DESC, {_AT.format('results')}",
    Order.NEWEST: "results.id DESC",
    Order.OLDEST: "results.id",
    Order.NAME: "file, results.id",
}
# Rows stand as they came, whatever the clock said; but those of stores that were merged, store by store.
_MERGED = "SELECT EXISTS (SELECT 1 FROM runs WHERE origin != (SELECT origin FROM runs ORDER BY id LIMIT 1))"
_MERGED_ORDERS = {
    Order.NEWEST: "julianday(finished) DESC, results.id DESC",
    Order.OLDEST: "julianday(finished), results.id",
}
_OF_FILM = "SELECT 1 FROM verdicts WHERE verdicts.sha256 = results.sha256"
_LATER = "SELECT 1 FROM verdicts AS later WHERE later.sha256 = verdicts.sha256 AND later.id > verdicts.id"
_LAST = (  # what a reader said last
    f"{_OF_FILM} AND source = 'reading'"
    f" AND NOT EXISTS ({_LATER} AND later.source = 'reading' AND later.reader = verdicts.reader)"
)
_STANDS = f"{_LAST} AND verdict = '{{}}'"
_READ = f"{_LAST} AND verdict != 'withdrawn'"
_TESTED = (  # early stores know a result that was withdrawn by its note
    f"{_OF_FILM} AND source != 'reading' AND NOT EXISTS ({_LATER} AND later.source = verdicts.source)"
    f" AND verdict != 'withdrawn' AND NOT (verdict = 'cannot-tell' AND note = '{NOTE_WITHDRAWN}')"
)
_SAID = {
    Read.UNREAD: f"NOT EXISTS ({_READ})",
    Read.MINE: f"NOT EXISTS ({_READ} AND reader = :reader)",
    Read.DISPUTED: f"EXISTS ({_STANDS.format('normal')}) AND EXISTS ({_STANDS.format('abnormal')})",
    Read.TESTED: f"EXISTS ({_TESTED})",
    **{read: f"EXISTS ({_STANDS.format(read)})" for read in (Read.NORMAL, Read.ABNORMAL, Read.CANNOT_TELL)},
}
# By the index of patients each row of `identities` would be sought by itself, which takes five times as long.
_FOUND = """results.id IN (
  SELECT result FROM places WHERE instr(lower(file), :text) UNION
  SELECT id FROM results WHERE sha256 IN (SELECT sha256 FROM identities WHERE +kind = :label AND (
    instr(lower(name), :text) OR instr(lower(patient), :text) OR instr(lower(accession), :text))))"""


def listed(desk: Desk, query: Query, reader: str, label: str, most: int = MOST_ON_A_PAGE) -> list[Listed]:
    """One page of films; one film more than fits where there is another page.

    Args:
        desk: open.
        query: which page of which films.
        reader: who asks.
        label: under which identities are kept (`pseudonyms.Keeping.label`).
        most: films of a page.

    Raises:
        StoreError: a row is not what a scan stores.
    """
    first = most * (min(max(query.page, 1), MOST_PAGES) - 1)
    text = query.text.lower()[:MOST_TEXT]
    asked: dict[str, Any] = {"reader": reader, "label": label, "text": text, "many": most + 1, "first": first}
    wanted = [_CURRENT, *_narrowed(query, asked)]
    order = _ORDERS[query.order]
    if query.order in _MERGED_ORDERS and _is_merged(desk):
        order = _MERGED_ORDERS[query.order]
    return _rows(desk, f"{' AND '.join(wanted)} ORDER BY {order} LIMIT :many OFFSET :first", asked)


def _is_merged(desk: Desk) -> bool:
    with store_errors(desk.name):
        ((is_merged,),) = desk._db.execute(_MERGED).fetchall()
    return bool(is_merged)


def one(desk: Desk, key: str) -> Listed | None:
    """The film of a key (`Listed.key`), as its latest place has it; None where there is none."""
    if key.startswith("n"):
        asked: dict[str, Any] = {"result": int(key[1:]) if key[1:].isdecimal() and len(key) < 19 else 0}
        found = _rows(desk, "results.id = :result AND results.sha256 = ''", asked)
    else:
        asked = {"sha256": key}
        found = _rows(desk, f"results.sha256 = :sha256 AND results.sha256 != '' AND {_CURRENT}", asked)
    return found[0] if found else None


def counts(desk: Desk) -> Counts:
    """How many films there are of each kind.

    It takes a third of a second for 100,000, and nothing until another connection writes something.
    """
    query = f"SELECT coalesce(triage, 'unscored'), count(*) FROM results WHERE {_CURRENT} GROUP BY 1"
    with store_errors(desk.name):
        version = desk.version()
        if desk.counted[0] != version:
            desk.counted = version, {str(kind): int(films) for kind, films in desk._db.execute(query)}
    found = desk.counted[1]
    return Counts(*(found.get(kind, 0) for kind in ("flagged", "review", "not_flagged", "unscored")))


def scored_films(desk: Desk) -> list[tuple[str, str, bool]]:
    """Every film with a score: sha256, when it was scored first (ISO time), and whether it is flagged now."""
    query = f"SELECT sha256, triage = 'flagged' FROM results WHERE status = 'scored' AND {_CURRENT}"
    every = "SELECT sha256, finished FROM results WHERE status = 'scored'"
    first = dict[str, str]()
    with store_errors(desk.name):
        found = desk._db.execute(query).fetchall()
        for sha256, finished in desk._db.execute(every):
            first[sha256] = min(first.get(sha256, finished), finished, key=time_of)
    return [(str(sha256), first[sha256], bool(is_flagged)) for sha256, is_flagged in found]


def _narrowed(query: Query, asked: dict[str, Any]) -> list[str]:
    wanted = [_FOUND] if asked["text"] else []
    if _DIGITS.fullmatch(asked["text"]):
        wanted = [f"({_FOUND} OR results.sha256 BETWEEN :text AND :text || 'g')"]
    if query.show is Show.UNSCORED:
        wanted.append("status != 'scored'")
    elif query.show is not Show.ALL:
        wanted.append(f"triage = '{query.show}'")
    if query.since is not None:
        wanted.append("finished >= :since")
        asked["since"] = query.since.isoformat()
    if query.until is not None:
        wanted.append("finished < :until")
        asked["until"] = (query.until + timedelta(days=1)).isoformat()
    if query.read not in (Read.ANY, Read.UNREAD, Read.MINE):
        wanted.append("results.sha256 IN (SELECT sha256 FROM verdicts)")
    return [*wanted, *([_SAID[query.read]] if query.read is not Read.ANY else [])]


def _rows(desk: Desk, where: str, asked: dict[str, Any]) -> list[Listed]:
    columns = ", ".join(f"results.{column}" for column in OUTCOME_COLUMNS)
    query = f"SELECT results.id, results.finished, {_FILE} AS file, {columns} FROM results WHERE {where}"
    with store_errors(desk.name):
        found = desk._db.execute(query, asked).fetchall()
    return [
        Listed(int(result), outcome_of(file, tuple(row)), str(finished))
        for result, finished, file, *row in found
    ]
