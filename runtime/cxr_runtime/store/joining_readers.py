"""What readers said, who they are and what they did: taken from other stores (joining.py)."""

import heapq
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from typing import Any

from cxr_runtime.store.accounts import COLUMNS as ACCOUNT
from cxr_runtime.store.audit import COLUMNS as ENTRY
from cxr_runtime.store.audit import SEALED as SEALED_ENTRY
from cxr_runtime.store.audit import Act, Audit
from cxr_runtime.store.rows import time_now, time_of
from cxr_runtime.store.run_checks import check_plain
from cxr_runtime.store.store import Store
from cxr_runtime.store.trust import Taken, TrustingStore
from cxr_runtime.store.verdicts import COLUMNS as VERDICT
from cxr_runtime.store.verdicts import SEALED as SEALED_VERDICT

ACTOR = "merge"  # who the audit says has added an account
_VERDICTS = (*VERDICT, "seal")
_AUDIT = (*ENTRY, "seal")
_USERS = (*ACCOUNT, "seal")
_SEEN = ("sha256", "reader", "first")
_ACT, _ABOUT = ENTRY.index("act"), ENTRY.index("about")
_OF_ACCOUNTS = frozenset((Act.USER_ADDED, Act.USER_CHANGED, Act.USER_REMOVED))
_Row = tuple[Any, ...]


class ReaderJoiningStore(TrustingStore):
    """A store that takes what the readers of other stores have said and done."""

    def _join_verdicts(self, sources: Sequence[Store], *, trust: bool) -> None:
        """Those that are new here, in the order in which they were said: the last one holds.

        A reader may say the same twice in a second, so a word is new where it was said more often than here.
        """
        here, there = Counter(row[:-1] for row in self._said(self)), [Counter[_Row]() for _ in sources]
        said = in_order([self._said(source) for source in sources], VERDICT.index("time"))
        with closing(said):
            for at, (*values, seal) in said:
                row = tuple(values)
                there[at][row] += 1
                if there[at][row] > here[row]:
                    here[row] += 1
                    sealed = self._sealer.seal(SEALED_VERDICT, row) if trust else seal
                    self._insert("verdicts", _VERDICTS, (*row, sealed))

    def _said(self, source: Store) -> Iterator[_Row]:
        return self._plain(source, "verdicts", _VERDICTS, "id")

    def _join_readers(self, source: Store, taken: Taken) -> None:
        for row in self._plain(source, "seen", _SEEN):
            self._insert("seen", _SEEN, row)
        before, there = list(self._plain(self, "audit", _AUDIT)), list(self._plain(source, "audit", _AUDIT))
        new = list[_Row]()
        if there[: len(before)] == before:  # nothing happened here that has not happened there
            new = there[len(before) :]
        elif before[: len(there)] != there:
            taken.audit += len(there)
        for row in new:
            self._insert("audit", _AUDIT, row)
        self._join_accounts(source, before, there, new, taken)

    def _join_accounts(
        self, source: Store, before: list[_Row], there: list[_Row], new: list[_Row], taken: Taken
    ) -> None:
        """Accounts that nothing is known of here, and those that only the source has touched since.

        Args:
            source: whose accounts they are.
            before: the audit here.
            there: that of the source.
            new: what of it is new here, and continues the audit here.
            taken: counts.
        """
        own, others = self._accounts(self), self._accounts(source)
        follows = _named(row for row in new if self._sealer.is_right(row[-1], SEALED_ENTRY, row[:-1]))
        stays = (_named(before) | own.keys()) - follows
        noted = _named(before) | _named(new)
        for name in sorted(others.keys() | _named(there)):
            row = others.get(name)
            if row == own.get(name):
                continue
            if name in stays:
                taken.accounts_left += 1
                continue
            taken.accounts += 1
            self._db.execute("DELETE FROM users WHERE name = ?", (name,))
            if row is not None:
                self._insert("users", _USERS, row)  # one whose seal is not right cannot log in
                if name not in noted:
                    Audit(self._db, self._sealer).add(time_now(), ACTOR, Act.USER_ADDED, f"{name} {row[1]}")

    def _accounts(self, source: Store) -> dict[str, _Row]:
        return {str(row[0]): row for row in self._plain(source, "users", _USERS)}

    def _plain(self, source: Store, table: str, columns: Sequence[str], order: str = "1") -> Iterator[_Row]:
        for row in source._rows(f"SELECT {', '.join(columns)} FROM {table} ORDER BY {order}"):
            check_plain(source.name, row)
            yield tuple(row)

    def _insert(self, table: str, columns: Sequence[str], row: Sequence[Any]) -> int:
        """Write a row, unless there is one of its key; the row's id."""
        marks = ", ".join("?" * len(columns))
        command = f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({marks})"
        return int(self._db.execute(command, tuple(row)).lastrowid or 0)


def in_order(stores: Sequence[Iterator[_Row]], time: int) -> Generator[tuple[int, _Row]]:
    """Rows of several stores by their times, each with its store's number; those of one store as they are.

    Args:
        stores: rows of each.
        time: column of their time.
    """
    with ExitStack() as opened:
        moments = [
            opened.enter_context(closing(_by_moments(at, rows, time))) for at, rows in enumerate(stores)
        ]
        for _, at, row in heapq.merge(*moments, key=lambda one: one[0]):
            yield at, row


def _by_moments(at: int, rows: Iterator[_Row], time: int) -> Generator[tuple[datetime, int, _Row]]:
    """Rows of a store, each with the latest time that was stated by then.

    Where a clock was set back, a later row states an earlier time.
    """
    latest = datetime.min.replace(tzinfo=UTC)
    for row in rows:
        latest = max(latest, time_of(str(row[time])))
        yield latest, at, row


def _named(entries: Iterable[_Row]) -> set[str]:
    """Accounts that entries of an audit are about: a name is the first word, the role may follow."""
    return {str(row[_ABOUT]).partition(" ")[0] for row in entries if row[_ACT] in _OF_ACCOUNTS}
