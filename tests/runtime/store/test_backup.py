"""A backup is one file with the whole store as it was at one moment, read back; anything else is refused."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cxr_runtime.errors import StoreError, UsageError
from cxr_runtime.files import STORE_FILE
from cxr_runtime.store.backup import Backup, back_up
from cxr_runtime.store.store import Store
from cxr_runtime.store.writer import StoreWriter
from drawn_stores import Drawn, write_store


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return write_store(tmp_path / "out", [Drawn("a.png"), Drawn("b.png", 0.1)])


def films_of(file: Path) -> list[str]:
    with Store.open_file(file) as store:
        return [score.outcome.file for score in store.scores(store.last_run()) if score.is_ours]


def test_a_backup_is_one_file_for_its_owner_that_holds_every_row(out: Path, tmp_path: Path) -> None:
    file = tmp_path / "backups.sqlite"
    made = back_up(out, file)
    assert made == Backup(2, 1, file.stat().st_size)
    assert films_of(file) == ["a.png", "b.png"]
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["backups.sqlite"]
    if os.name == "posix":
        assert file.stat().st_mode & 0o777 == 0o600


def test_a_backup_of_a_store_that_is_written_meanwhile_is_of_one_moment(out: Path, tmp_path: Path) -> None:
    with StoreWriter.open(out) as store:
        store.begin_run()
        write_store(out, [Drawn(f"{number}.png") for number in range(3)])
        assert back_up(out, tmp_path / "backup").runs == 3
        store.begin_run()
    assert films_of(tmp_path / "backup") == ["0.png", "1.png", "2.png"]


def test_an_earlier_backup_is_replaced_and_nothing_else_is(out: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    back_up(out, file)
    write_store(out, [Drawn("c.png")])
    assert back_up(out, file).films == 3
    for name, content in (("letter.txt", b"dear"), ("empty", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UsageError, match="is not a backup"):
            back_up(out, tmp_path / name)
        assert (tmp_path / name).read_bytes() == content
    with pytest.raises(UsageError, match="is not a backup"):
        back_up(out, tmp_path)


def test_the_store_itself_is_not_its_backup(out: Path) -> None:
    before = (out / STORE_FILE).read_bytes()
    with pytest.raises(UsageError, match="the store itself"):
        back_up(out, out / ".." / out.name / STORE_FILE)
    assert (out / STORE_FILE).read_bytes() == before


@pytest.mark.skipif(os.name != "posix", reason="needs links")
def test_no_link_is_written_through(out: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    (tmp_path / "link").symlink_to(precious)
    with pytest.raises(UsageError, match="is not a backup"):
        back_up(out, tmp_path / "link")
    assert not precious.exists()


def test_a_folder_without_a_store_and_a_place_that_is_not_there_are_one_line(
    out: Path, tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match=f"holds no {STORE_FILE}"):
        back_up(tmp_path, tmp_path / "backup")
    with pytest.raises(StoreError, match="cannot be written"):
        back_up(out, tmp_path / "not there" / "backup")


def test_a_damaged_store_leaves_the_earlier_backup_as_it_is(out: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    back_up(out, file)
    before = file.read_bytes()
    content = bytearray((out / STORE_FILE).read_bytes())
    at = content.index(b"stamp of a.png")
    content[at - 2000 : at + 2000] = b"\xbf" * 4000
    (out / STORE_FILE).write_bytes(content)
    with pytest.raises(StoreError) as refused:
        back_up(out, file)
    assert "\n" not in str(refused.value)
    assert file.read_bytes() == before
    assert [path for path in tmp_path.iterdir() if path.suffix == ".part"] == []


def test_a_hostile_store_is_not_copied(out: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(out / STORE_FILE)) as db:
        db.execute("CREATE TRIGGER t AFTER INSERT ON runs BEGIN DELETE FROM verdicts; END")
    with pytest.raises(StoreError, match="not as this program makes it"):
        back_up(out, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


def test_what_a_killed_scan_left_in_its_log_is_in_the_backup(out: Path, tmp_path: Path) -> None:
    with StoreWriter.open(out) as store:
        store.begin_run()
        killed = shutil.copytree(out, tmp_path / "killed")  # with the log, as at the moment of a kill
    assert back_up(killed, tmp_path / "backup").runs == 2
