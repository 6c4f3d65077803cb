"""Rows that this machine has not sealed: checked, and taken only where the user trusts them."""

from dataclasses import dataclass
from typing import Any

from cxr_runtime.errors import StoreError
from cxr_runtime.language import counted
from cxr_runtime.names import printable
from cxr_runtime.pictures import is_shown_picture
from cxr_runtime.seals import picture_digest, sealed_place
from cxr_runtime.store.checks import picture_of, score_of
from cxr_runtime.store.features import features_in
from cxr_runtime.store.rows import (
    FEATURES,
    FINGERPRINT,
    OUTCOME_COLUMNS,
    PICTURE_COLUMNS,
    PLACE,
    RESULT,
    RUN,
    SCORE_COLUMNS,
    SEALED_COLUMNS,
    StoredPicture,
)
from cxr_runtime.store.run_checks import StoredRun, check_place, check_plain, check_result, run_of
from cxr_runtime.store.sqlite import transaction
from cxr_runtime.store.store import Store
from cxr_runtime.store.verdicts import COLUMNS as VERDICT
from cxr_runtime.store.verdicts import SEALED as SEALED_VERDICT
from cxr_runtime.store.writer import StoreWriter

RUNS = "SELECT id, begun, ended, facts, seal, origin, number FROM runs ORDER BY id"
_SEALED = ", ".join(f"results.{column}" for column in SEALED_COLUMNS)
_PICTURES = ", ".join(f"pictures.{column}" for column in PICTURE_COLUMNS)
_RESULT = (
    f"SELECT results.seal, {_SEALED}, {_PICTURES} FROM results"
    " LEFT JOIN pictures ON pictures.result = results.id WHERE results.id = ?"
)
_SCORED = len(OUTCOME_COLUMNS) + len(SCORE_COLUMNS)  # the first of SEALED_COLUMNS
_DIGEST = SEALED_COLUMNS.index("pictures")


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
    replaced: int = 0  # places without a right seal that were left out: a later row there bears one
    without_pictures: int = 0  # films whose pictures were left out: they are not those of their row
    audit: int = 0  # entries of the audit that stay where they are: two chains cannot become one
    accounts: int = 0  # that were added, changed or removed here, as they are there
    accounts_left: int = 0  # that differ here, and stay as they are


@dataclass(frozen=True)
class CheckedResult:
    """A result that passed the checks."""

    row: tuple[Any, ...]  # SEALED_COLUMNS
    pictures: tuple[Any, ...] | None  # PICTURE_COLUMNS
    is_ours: bool  # its seal is right
    lost_pictures: bool  # it had others than those it was stored with

    @property
    def sha256(self) -> str:
        """Of the film."""
        return str(self.row[0])

    @property
    def fingerprint(self) -> str:
        """Of what decided the row."""
        return str(self.row[FINGERPRINT])


class TrustingStore(StoreWriter):
    """A store whose own rows can be taken on trust."""

    def take_on_trust(self) -> int:
        """Seal what bears no right seal in this store, as it is; how many films' rows that are.

        Raises:
            StoreError: one holds what no scan stores; none is then sealed.
        """
        with transaction(self._db, self.name):
            results = [number for (number,) in self._rows("SELECT id FROM results")]
            strange = {number for number in results if not self._seal_result(number)}
            runs = [run_of(self.name, row) for row in self._rows(RUNS)]
            for run in runs:
                if run.facts is not None:
                    seal = self._sealer.seal(RUN, (run.ended, run.facts))
                    self._db.execute("UPDATE runs SET seal = ? WHERE id = ?", (seal, run.id))
            self._seal_verdicts()
            return self._seal_places(strange)

    def _seal_verdicts(self) -> None:
        """Accounts and the audit stay as they are: nobody logs in by a stranger's word."""
        for number, *row in list(self._rows(f"SELECT id, {', '.join(VERDICT)} FROM verdicts")):
            check_plain(self.name, row)
            seal = self._sealer.seal(SEALED_VERDICT, row)
            self._db.execute("UPDATE verdicts SET seal = ? WHERE id = ?", (seal, number))

    def _seal_result(self, number: int) -> bool:
        """Seal one result; whether its seal was right."""
        found = self._checked(self, number)
        if not found.is_ours:
            values = (found.row[_DIGEST], self._sealer.seal(RESULT, found.row), number)
            self._db.execute("UPDATE results SET pictures = ?, seal = ? WHERE id = ?", values)
            if found.pictures is None:
                self._db.execute("DELETE FROM pictures WHERE result = ?", (number,))
            if (features := features_in(self, number)) is not None:
                again = self._sealer.seal(FEATURES, features.sealed)
                self._db.execute("UPDATE features SET seal = ? WHERE result = ?", (again, number))
        return found.is_ours

    def _seal_places(self, strange: set[int]) -> int:
        """Seal the places; how many bore no right seal, or their result."""
        query = (
            "SELECT run, position, file, stamp, places.seal, result, sha256, fingerprint FROM places"
            " JOIN results ON results.id = places.result"
        )
        count = 0
        for run, position, file, stamp, seal, result, sha256, fingerprint in list(self._rows(query)):
            check_place(position, file, stamp)
            sealed = sealed_place(stamp, file, sha256, fingerprint)
            is_ours = self._sealer.is_right(seal, PLACE, sealed)
            count += result in strange or not is_ours
            if not is_ours:  # a stamp of another machine says nothing here
                again = self._sealer.seal(PLACE, sealed_place("", file, sha256, fingerprint))
                self._db.execute(
                    "UPDATE places SET stamp = '', seal = ? WHERE run = ? AND position = ?",
                    (again, run, position),
                )
        return count

    def _is_ours_run(self, run: StoredRun) -> bool:
        return run.facts is None or self._sealer.is_right(run.seal, RUN, (run.ended, run.facts))

    def _checked(self, source: Store, number: int) -> CheckedResult:
        name = f"result {number} of {source.name}"
        read = next(source._rows(_RESULT, number), None)
        if read is None:
            raise StoreError(f"the store {source.name} lacks the row of a film; it is damaged")
        seal, *values = read
        row, pictures = tuple(values[: len(SEALED_COLUMNS)]), tuple(values[len(SEALED_COLUMNS) :])
        score_of(name, row)
        check_result(name, *row[_SCORED:])
        is_ours = self._sealer.is_right(seal, RESULT, row)
        shown = picture_of(name, pictures)
        if shown is None:
            return CheckedResult((*row[:_DIGEST], ""), None, is_ours, lost_pictures=row[_DIGEST] != "")
        digest = picture_digest(pictures)
        is_its_own = digest == row[_DIGEST] or (row[_DIGEST] == "" and not is_ours)  # 0.1.0 noted no digest
        if is_its_own and (is_ours or _can_be_shown(shown)):
            return CheckedResult((*row[:_DIGEST], digest), pictures, is_ours, lost_pictures=False)
        return CheckedResult((*row[:_DIGEST], ""), None, is_ours, lost_pictures=True)


def _can_be_shown(picture: StoredPicture) -> bool:
    """Whether pictures that a stranger made are pictures."""
    jpegs = [content for content in (picture.preview_jpeg, picture.thumbnail_jpeg) if content is not None]
    is_heat = picture.heat_png is None or is_shown_picture(picture.heat_png, "png")
    return is_heat and all(is_shown_picture(content, "jpeg") for content in jpegs)


def untrusted(name: str, strange: int, rows: int, runs: int) -> StoreError:
    """What to say of a store that this machine has not made.

    Args:
        name: of its file.
        strange: rows of films without a right seal.
        rows: all of them.
        runs: scans whose facts bear no right seal.
    """
    what = f"{strange:,} of {counted(rows, 'row')}" if strange else f"the facts of {counted(runs, 'scan')}"
    return StoreError(
        f"made on another machine, or changed since: {what} of {printable(name)}; "
        "expected a store that this machine has sealed: look where it comes from, and give --trust to take "
        "it as it is"
    )
