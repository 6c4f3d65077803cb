"""Stores become one: whatever another store holds is checked value by value, and sealed by this machine.

Of a foreign file no page is copied. What bears no right seal of this machine is taken on trust alone, where
the user says so, and counted.
"""

from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

from cxr_runtime.seals import sealed_place
from cxr_runtime.store.deliveries import COLUMNS as DELIVERY
from cxr_runtime.store.features import features_in
from cxr_runtime.store.identities import COLUMNS as IDENTITY
from cxr_runtime.store.joining_readers import ReaderJoiningStore, in_order
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
    time_of,
)
from cxr_runtime.store.run_checks import StoredRun, check_place, facts_of, run_of
from cxr_runtime.store.sqlite import one_moment, transaction
from cxr_runtime.store.store import ROW_OF_BYTES, Store
from cxr_runtime.store.trust import RUNS, CheckedResult, Taken, untrusted

_DECISIVE = tuple(SEALED_COLUMNS.index(name) for name in ("status", "code", "margin"))
_JUDGEMENT = tuple(SEALED_COLUMNS.index(name) for name in JUDGED_COLUMNS)
_NAME, _THRESHOLD = SEALED_COLUMNS.index("operating_point"), SEALED_COLUMNS.index("threshold")
_LASTING = SEALED_COLUMNS.index("is_lasting")
_PLACE = ("run", "position", "file", "stamp", "result", "seal")
_IDENTITIES = ("sha256", "kind", *IDENTITY, "seal")
_OBJECTS = (*OBJECT, "seal")
_DELIVERIES = (*DELIVERY, "seal")
_PLACES = (
    "SELECT run, position, file, stamp, places.seal, result, finished FROM places"
    " LEFT JOIN results ON results.id = places.result ORDER BY run, position"
)
_FINISHED = 6  # column of _PLACES
_LISTED = "SELECT position, file, sha256 FROM places JOIN results ON results.id = places.result WHERE run = ?"
_LATEST = (
    "SELECT results.seal, places.seal, stamp, file,"
    f" {', '.join(f'results.{column}' for column in SEALED_COLUMNS)} FROM places"
    " JOIN results ON results.id = places.result WHERE {} ORDER BY run DESC, position DESC LIMIT 1"
)
_OF_FILM = _LATEST.format("results.sha256 = ?")
_OF_FILE = _LATEST.format(
    "file = ? AND (SELECT origin FROM runs WHERE id = run) = (SELECT origin FROM runs WHERE id = ?)"
)
_Latest = dict[tuple[str, float], int]  # order of the latest scan with an operating point and threshold


@dataclass(frozen=True)
class _Joined:
    """A result of another store that is here now."""

    result: int  # id here
    sha256: str
    fingerprint: str
    is_ours: bool  # its seal there was this machine's


class JoiningStore(ReaderJoiningStore):
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
        with transaction(self._db, self.name), ExitStack() as moments:
            for source in sources:
                moments.enter_context(one_moment(source._db, source.name))
            numbers = self._join_runs(sources, taken)
            latest = {
                (facts.operating_point, facts.threshold): order
                for order, (facts, _) in enumerate(self.ended())
            }
            self._join_films(sources, numbers, latest, taken, trust=trust)
            for source, told in zip(sources, taken, strict=True):
                self._join_rest(source, told)
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
            # Where a folder was copied, both go on with the same number: such runs began at other times.
            query = "SELECT id, facts FROM runs WHERE origin = ? AND coalesce(number, id) = ? AND begun = ?"
            same = self._db.execute(query, (run.origin, run.number, run.begun)).fetchall()
            if not run.begun:
                same = [one for one in same if self._lists_the_same(one[0], at, run.id, sources, numbers)]
            numbers[at][run.id] = self._join_run(run, same[0] if same else None, taken[at])
        return numbers

    def _join_run(self, run: StoredRun, known: tuple[int, str | None] | None, taken: Taken) -> int:
        stated = (run.ended, run.facts)
        seal = "" if run.facts is None else self._sealer.seal(RUN, stated)
        if known is None:
            added = self._db.execute(
                "INSERT INTO runs (begun, ended, facts, seal, origin, number) VALUES (?, ?, ?, ?, ?, ?)",
                (run.begun, *stated, seal, run.origin, run.number),
            )
        elif run.facts is not None and self._has_run_on(known[1], run.facts):
            values = (*stated, seal, known[0])
            self._db.execute("UPDATE runs SET ended = ?, facts = ?, seal = ? WHERE id = ?", values)
        else:
            return known[0]
        taken.runs_on_trust += not self._is_ours_run(run)
        return int(added.lastrowid or 0) if known is None else known[0]

    def _has_run_on(self, here: str | None, there: str) -> bool:
        """Whether a run has ended since it was last taken, or went on and ended again."""
        return here is None or facts_of(self.name, here).finished < facts_of(self.name, there).finished

    def _lists_the_same(
        self, here: int, at: int, run: int, sources: Sequence[Store], numbers: Sequence[dict[int, int]]
    ) -> bool:
        """Whether runs of 0.1.0, which noted no time, may be one: no place is that of another film.

        Args:
            here: number of the run here, whose places may be taken in this very transaction.
            at: the source of the other run.
            run: its id there.
            sources: all of them.
            numbers: of their runs that were joined so far.
        """
        listed = [self._rows(_LISTED, here)]
        for source, of_source in zip(sources, numbers, strict=True):
            listed += [source._rows(_LISTED, there) for there, number in of_source.items() if number == here]
        own = {position: film for rows in listed for position, *film in rows}
        return all(own.get(position, film) == film for position, *film in sources[at]._rows(_LISTED, run))

    def _join_films(
        self,
        sources: Sequence[Store],
        numbers: Sequence[dict[int, int]],
        latest: _Latest,
        taken: Sequence[Taken],
        *,
        trust: bool,
    ) -> None:
        """Films in the order in which they were finished, whatever the order of the stores."""
        joined = [dict[int, _Joined]() for _ in sources]
        there = "SELECT 1 FROM places WHERE run = ? AND position = ?"
        with closing(in_order([source._rows(_PLACES) for source in sources], _FINISHED)) as places:
            for at, (run, position, file, stamp, seal, result, _) in places:
                check_place(position, file, stamp)
                run_here = numbers[at].get(run)
                if run_here is None or self._db.execute(there, (run_here, position)).fetchone():
                    continue  # a run that began just now, or a place that was taken before
                film = joined[at].get(result) or self._checked(sources[at], result)
                sealed = sealed_place(stamp, file, film.sha256, film.fingerprint)
                is_ours = film.is_ours and self._sealer.is_right(seal, PLACE, sealed)
                if not (is_ours or trust) and self._is_replaced(sources[at], run, file, film.sha256):
                    taken[at].replaced += 1
                    continue
                if isinstance(film, CheckedResult):
                    film = self._join_result(sources[at], result, film, latest, taken[at])
                    joined[at][result] = film
                taken[at].rows += 1
                taken[at].on_trust += not is_ours
                kept = stamp if is_ours else ""  # a stamp of another machine says nothing
                again = self._sealer.seal(PLACE, sealed_place(kept, file, film.sha256, film.fingerprint))
                self._insert("places", _PLACE, (run_here, position, file, kept, film.result, again))

    def _is_replaced(self, source: Store, run: int, file: str, sha256: str) -> bool:
        """Whether the latest row of a film there is one that this machine has sealed."""
        latest = source._rows(_OF_FILM, sha256) if sha256 else source._rows(_OF_FILE, file, run)
        seal, place_seal, stamp, name, *row = next(latest)
        of_place = sealed_place(stamp, name, row[0], row[FINGERPRINT])
        is_sealed = self._sealer.is_right(seal, RESULT, row) and self._sealer.is_right(
            place_seal, PLACE, of_place
        )
        return is_sealed and (bool(row[_LASTING]) or not sha256)

    def _join_result(
        self, source: Store, number: int, found: CheckedResult, latest: _Latest, taken: Taken
    ) -> _Joined:
        film = (found.sha256, found.fingerprint)
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
        for row in self._plain(source, "deliveries", _DELIVERIES):
            self._insert("deliveries", _DELIVERIES, row)
        self._join_readers(source, taken)
