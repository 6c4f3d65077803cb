"""Stores become one: whatever another store holds is checked value by value, and sealed by this machine.

Of a foreign file no page is copied. What bears no right seal of this machine is taken on trust alone, where
the user says so, and counted.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

from cxr_runtime.seals import sealed_place
from cxr_runtime.store.accounts import COLUMNS as ACCOUNT
from cxr_runtime.store.audit import COLUMNS as ENTRY
from cxr_runtime.store.deliveries import COLUMNS as DELIVERY
from cxr_runtime.store.features import features_in
from cxr_runtime.store.identities import COLUMNS as IDENTITY
from cxr_runtime.store.objects import COLUMNS as OBJECT
from cxr_runtime.store.rows import (
    FEATURES,
    FINGERPRINT,
    JUDGED_COLUMNS,
    PICTURE_COLUMNS,
    PLACE,
    RESULT,
    RUN,
    SEALED_COLUMNS,
    Place,
    time_of,
)
from cxr_runtime.store.run_checks import StoredRun, check_place, check_plain, run_of
from cxr_runtime.store.sqlite import one_moment, transaction
from cxr_runtime.store.store import ROW_OF_BYTES, Store
from cxr_runtime.store.trust import RUNS, TrustingStore, untrusted
from cxr_runtime.store.verdicts import COLUMNS as VERDICT
from cxr_runtime.store.verdicts import SEALED as SEALED_VERDICT

_DECISIVE = tuple(SEALED_COLUMNS.index(name) for name in ("status", "code", "margin"))
_JUDGEMENT = tuple(SEALED_COLUMNS.index(name) for name in JUDGED_COLUMNS)
_NAME, _THRESHOLD = SEALED_COLUMNS.index("operating_point"), SEALED_COLUMNS.index("threshold")
_LASTING = SEALED_COLUMNS.index("is_lasting")
_PLACE = ("run", "position", "file", "stamp", "result", "seal")
_IDENTITIES = ("sha256", "kind", *IDENTITY, "seal")
_OBJECTS = (*OBJECT, "seal")
_VERDICTS = (*VERDICT, "seal")
_DELIVERIES = (*DELIVERY, "seal")
_AUDIT = (*ENTRY, "seal")
_USERS = (*ACCOUNT, "seal")
_SEEN = ("sha256", "reader", "first")
_Row = tuple[Any, ...]
_Latest = dict[tuple[str, float], int]  # order of the latest scan with an operating point and threshold


@dataclass
class Taken:
    """What came from one store."""

    name: str  # of the store's file
    films: int = 0  # whose rows were new here
    rows: int = 0  # places of films that were new here; a film may lie at several
    on_trust: int = 0  # of them, those that bear no right seal of this machine
    runs_on_trust: int = 0  # scans whose facts bear none
    known: int = 0  # films that were here already
    differing: int = 0  # of them, those that ended otherwise here; the row here stays
    judged: int = 0  # of them, those that a later scan there judged otherwise; they are judged so here now
    without_pictures: int = 0  # films whose pictures were left out: they are not those of their row
    audit: int = 0  # entries of the audit that stay where they are: two chains cannot become one


@dataclass(frozen=True)
class _Joined:
    """A result of another store that is here now."""

    result: int  # id here
    sha256: str
    fingerprint: str
    is_ours: bool  # its seal there was this machine's


class JoiningStore(TrustingStore):
    """A store that takes what other stores hold."""

    def join(self, sources: Sequence[Store], *, trust: bool) -> list[Taken]:
        """Take all of several stores, in one transaction; what is here already is not taken twice.

        Args:
            sources: open; nothing of them is changed.
            trust: take rows that this machine has not sealed, too.

        Raises:
            StoreError: one of them is damaged, holds what no scan stores, or holds rows that would have to be
                taken on trust; or the disk is full. This store is then as it was.
        """
        taken = [Taken(source.name) for source in sources]
        with transaction(self._db, self.name):
            numbers = self._join_runs(sources, taken)
            latest = {
                (facts.operating_point, facts.threshold): order
                for order, (facts, _) in enumerate(self.ended())
            }
            for source, of_source, told in zip(sources, numbers, taken, strict=True):
                with one_moment(source._db, source.name):
                    self._join_films(source, of_source, latest, told)
            self._join_verdicts(sources, trust=trust)
            for told in taken:
                if (told.on_trust or told.runs_on_trust) and not trust:
                    raise untrusted(told.name, told.on_trust, told.rows, told.runs_on_trust)
        return taken

    def _join_runs(self, sources: Sequence[Store], taken: Sequence[Taken]) -> list[dict[int, int]]:
        """Runs in the order in which they began; their numbers here by their ids there."""
        found = [
            (at, run_of(source.name, row)) for at, source in enumerate(sources) for row in source._rows(RUNS)
        ]
        numbers: list[dict[int, int]] = [{} for _ in sources]
        for at, run in sorted(found, key=lambda one: time_of(one[1].begun)):
            numbers[at][run.id] = self._join_run(run, taken[at])
        return numbers

    def _join_run(self, run: StoredRun, taken: Taken) -> int:
        query = "SELECT id, facts FROM runs WHERE origin = ? AND coalesce(number, id) = ?"
        known = self._db.execute(query, (run.origin, run.number)).fetchone()
        stated = (run.ended, run.facts)
        seal = "" if run.facts is None else self._sealer.seal(RUN, stated)
        if known is None:
            added = self._db.execute(
                "INSERT INTO runs (begun, ended, facts, seal, origin, number) VALUES (?, ?, ?, ?, ?, ?)",
                (run.begun, *stated, seal, run.origin, run.number),
            )
        elif known[1] is None and run.facts is not None:  # it ran on since it was last taken
            values = (*stated, seal, known[0])
            self._db.execute("UPDATE runs SET ended = ?, facts = ?, seal = ? WHERE id = ?", values)
        else:
            return int(known[0])
        taken.runs_on_trust += not self._is_ours_run(run)
        return int(added.lastrowid or 0) if known is None else int(known[0])

    def _join_films(self, source: Store, numbers: dict[int, int], latest: _Latest, taken: Taken) -> None:
        joined = dict[int, _Joined]()
        places = "SELECT run, position, file, stamp, seal, result FROM places ORDER BY run, position"
        there = "SELECT 1 FROM places WHERE run = ? AND position = ?"
        for run, position, file, stamp, seal, result in source._rows(places):
            check_place(position, file, stamp)
            if run not in numbers or self._db.execute(there, (numbers[run], position)).fetchone():
                continue  # a run that began just now, or a place that was taken before
            if result not in joined:
                joined[result] = self._join_result(source, result, latest, taken)
            own = joined[result]
            sealed = sealed_place(stamp, file, own.sha256, own.fingerprint)
            is_ours = own.is_ours and self._sealer.is_right(seal, PLACE, sealed)
            taken.rows += 1
            taken.on_trust += not is_ours
            place = Place(position, file, stamp if is_ours else "")  # a stamp of another machine says nothing
            again = self._sealer.seal(PLACE, sealed_place(place.stamp, file, own.sha256, own.fingerprint))
            self._insert("places", _PLACE, (numbers[run], position, file, place.stamp, own.result, again))
        self._join_rest(source, taken)

    def _join_result(self, source: Store, number: int, latest: _Latest, taken: Taken) -> _Joined:
        found = self._checked(source, number)
        film = (found.row[0], found.row[FINGERPRINT])
        if found.row[_LASTING]:
            known = self._db.execute(ROW_OF_BYTES, film).fetchone()
            if known is not None:
                taken.known += 1
                self._judge_as_later(int(known[0]), known[2:], found.row, latest, taken)
                return _Joined(int(known[0]), *film, found.is_ours)
        taken.films += 1
        taken.without_pictures += found.lost_pictures
        row = (*found.row, self._sealer.seal(RESULT, found.row))
        own = self._insert("results", (*SEALED_COLUMNS, "seal"), row)
        if found.pictures is not None:
            self._insert("pictures", ("result", *PICTURE_COLUMNS), (own, *found.pictures))
        if (features := features_in(source, number)) is not None and (features.is_ours or not found.is_ours):
            values = (own, features.numbers, self._sealer.seal(FEATURES, features.sealed))
            self._insert("features", ("result", "numbers", "seal"), values)
        return _Joined(own, *film, found.is_ours)

    def _judge_as_later(
        self, number: int, here: Sequence[Any], there: Sequence[Any], latest: _Latest, taken: Taken
    ) -> None:
        """Of two rows of a film, let the judgement stand that a scan has stated later."""
        if all(here[at] == there[at] for at in (*_DECISIVE, *_JUDGEMENT)):
            return
        own, other = (latest.get((row[_NAME], row[_THRESHOLD]), -1) for row in (here, there))
        if own == other or any(here[at] != there[at] for at in _DECISIVE):
            taken.differing += 1
        elif own < other:
            taken.judged += 1
            row = [there[at] if at in _JUDGEMENT else value for at, value in enumerate(here)]
            changes = ", ".join(f"{column} = ?" for column in (*JUDGED_COLUMNS, "seal"))
            values = (*(row[at] for at in _JUDGEMENT), self._sealer.seal(RESULT, row), number)
            self._db.execute(f"UPDATE results SET {changes} WHERE id = ?", values)

    def _join_rest(self, source: Store, taken: Taken) -> None:
        for row in self._plain(source, "identities", _IDENTITIES):
            self._insert("identities", _IDENTITIES, row)  # one whose seal is not right is never shown
        for row in self._plain(source, "objects", _OBJECTS):
            self._insert("objects", _OBJECTS, row)
        for row in self._plain(source, "users", _USERS):
            self._insert("users", _USERS, row)  # one whose seal is not right cannot log in
        for row in self._plain(source, "seen", _SEEN):
            self._insert("seen", _SEEN, row)
        for row in self._plain(source, "deliveries", _DELIVERIES):
            self._insert("deliveries", _DELIVERIES, row)
        self._join_audit(list(self._plain(source, "audit", _AUDIT)), taken)

    def _join_verdicts(self, sources: Sequence[Store], *, trust: bool) -> None:
        """Those that are new here, in the order in which they were said: the last one holds.

        A reader may say the same twice in a second, so a word is new where it was said more often than here.
        """
        here, there = Counter(row[:-1] for row in self._said(self)), [Counter[_Row]() for _ in sources]
        said = [
            (moment, at, row)
            for at, source in enumerate(sources)
            for moment, row in _by_moments(self._said(source))
        ]
        for _, at, (*values, seal) in sorted(said, key=lambda one: one[0]):
            row = tuple(values)
            there[at][row] += 1
            if there[at][row] > here[row]:
                here[row] += 1
                sealed = self._sealer.seal(SEALED_VERDICT, row) if trust else seal
                self._insert("verdicts", _VERDICTS, (*row, sealed))

    def _said(self, source: Store) -> Iterator[_Row]:
        return self._plain(source, "verdicts", _VERDICTS, "id")

    def _join_audit(self, entries: list[_Row], taken: Taken) -> None:
        mine = self._db.execute(f"SELECT {', '.join(_AUDIT)} FROM audit ORDER BY id").fetchall()
        if not mine:
            for row in entries:
                self._insert("audit", _AUDIT, row)
        elif mine[: len(entries)] != entries:
            taken.audit += len(entries)

    def _plain(self, source: Store, table: str, columns: Sequence[str], order: str = "1") -> Iterator[_Row]:
        for row in source._rows(f"SELECT {', '.join(columns)} FROM {table} ORDER BY {order}"):
            check_plain(source.name, row)
            yield tuple(row)

    def _insert(self, table: str, columns: Sequence[str], row: Sequence[Any]) -> int:
        """Write a row, unless there is one of its key; the row's id."""
        marks = ", ".join("?" * len(columns))
        command = f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({marks})"
        return int(self._db.execute(command, tuple(row)).lastrowid or 0)


def _by_moments(said: Iterator[_Row]) -> Iterator[tuple[datetime, _Row]]:
    """Verdicts of one store as they follow one another, each with the latest time that was stated by then.

    Where a clock was set back, a later word states an earlier time.
    """
    rows = list(said)
    times = (time_of(row[VERDICT.index("time")]) for row in rows)
    return zip(accumulate(times, max), rows, strict=True)
