"""The audit: whatever somebody changes, takes out or puts in afterwards breaks the chain."""

from pathlib import Path

import pytest

from cxr_runtime.store.audit import Act
from cxr_runtime.store.desk import Desk
from drawn_stores import Drawn, change, write_store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_store(tmp_path, [Drawn("a.png")])
    with Desk.open(tmp_path) as desk:
        for number in range(5):
            desk.note("ann", Act.OPENED, f"film {number}")
    return tmp_path


def test_an_untouched_audit_is_whole_and_its_head_is_found_again(folder: Path) -> None:
    with Desk.open(folder) as desk:
        first = desk.audit.verify()
        assert (first.entries, first.wrong, first.elsewhere) == (5, None, 0)
        desk.note("ann", Act.LOGGED_OUT)
        assert desk.audit.verify(first.head).wrong is None
        assert [entry.act for entry in desk.audit.latest(2)] == ["logged-out", "opened"]


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        ("UPDATE audit SET actor = 'ben' WHERE id = 2", 2),
        ("UPDATE audit SET time = '' WHERE id = 5", 5),
        ("DELETE FROM audit WHERE id = 3", 3),
        ("DELETE FROM audit WHERE id = 1", 1),
        ("UPDATE audit SET digest = 'x' WHERE id = 4", 4),
        ("INSERT INTO audit VALUES (6, '', '', '', '', '', '')", 6),
    ],
)
def test_a_change_is_found_where_it_was_made(folder: Path, command: str, wrong: int) -> None:
    change(folder, command)
    with Desk.open(folder) as desk:
        assert desk.audit.verify().wrong == wrong


def test_entries_that_were_cut_off_are_missed_by_who_noted_the_head(folder: Path) -> None:
    with Desk.open(folder) as desk:
        head = desk.audit.verify().head
    change(folder, "DELETE FROM audit WHERE id = 5")
    with Desk.open(folder) as desk:
        assert desk.audit.verify().wrong is None
        assert desk.audit.verify(head).wrong == 5


def test_a_chain_that_was_computed_anew_bears_no_seal_of_this_machine(folder: Path) -> None:
    change(folder, "UPDATE audit SET seal = '' WHERE id > 3")
    with Desk.open(folder) as desk:
        assert desk.audit.verify().elsewhere == 2
