"""Accounts: passwords are digests, and a stranger who can write the file gets none."""

from pathlib import Path

import pytest

from cxr_runtime.errors import UsageError
from cxr_runtime.store.accounts import Account, Role, check_name, hashed, is_password
from cxr_runtime.store.audit import Act
from cxr_runtime.store.desk import Desk
from drawn_stores import Drawn, ask, change, write_store

PASSWORD = "four plain words here"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_store(tmp_path, [Drawn("a.png")])


def put(folder: Path, name: str, role: Role = Role.READER) -> None:
    with Desk.open(folder) as desk, desk.acting("root", Act.USER_ADDED, name) as now:
        desk.accounts.put(Account(name, role, hashed(PASSWORD), now))


def test_an_account_is_kept_without_its_password(folder: Path) -> None:
    put(folder, "ann", Role.ADMIN)
    with Desk.open(folder, writes=False) as desk:
        kept = desk.accounts.get("ann")
        assert kept is not None
        assert (kept.role, is_password(PASSWORD, kept.password)) == (Role.ADMIN, True)
        assert not is_password(PASSWORD + " ", kept.password)
        assert [account.name for account in desk.accounts.every()] == ["ann"]
    assert PASSWORD.encode() not in b"".join(path.read_bytes() for path in folder.glob("triage.sqlite*"))
    assert str(ask(folder, "SELECT password FROM users")[0][0]).startswith("$argon2id$")


def test_a_role_that_somebody_raised_in_the_file_lets_nobody_in(folder: Path) -> None:
    put(folder, "ann", Role.READ_ONLY)
    change(folder, "UPDATE users SET role = 'admin'")
    with Desk.open(folder) as desk:
        assert desk.accounts.get("ann") is None
        assert list(desk.accounts.every()) == []


def test_an_account_that_is_removed_is_gone(folder: Path) -> None:
    put(folder, "ann")
    with Desk.open(folder) as desk, desk.acting("root", Act.USER_REMOVED, "ann"):
        assert desk.accounts.remove("ann")
        assert not desk.accounts.remove("ann")
        assert desk.accounts.get("ann") is None


@pytest.mark.parametrize("name", ["", "a b", "-x", "x" * 41, "a\n", "<b>", "../x"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of an account"):
        check_name(name)


@pytest.mark.parametrize("password", ["", "short", "x" * 129])
def test_a_password_that_is_too_short_or_too_long_is_refused(password: str) -> None:
    with pytest.raises(UsageError, match="expected 10 to 128"):
        hashed(password)


def test_a_digest_that_is_none_is_nobodys_password() -> None:
    assert not is_password(PASSWORD, "no digest")
