"""An output folder is not believed because it is there: strange stores, wrong rows, rows made elsewhere."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cxr_runtime.errors import StoreError
from cxr_runtime.files import STORE_FILE
from cxr_runtime.outcome import Outcome, Status, Triage
from cxr_runtime.placement import Placement
from cxr_runtime.store.desk import Desk
from cxr_runtime.store.rows import FinishedFilm, Place, StoredPicture, StoredScore
from cxr_runtime.store.schema import _STEPS
from cxr_runtime.store.store import Store, read_scores
from cxr_runtime.store.writer import StoreWriter
from drawn_stores import change

PRINT = "fingerprint"
A, B = "a" * 64, "b" * 64
PLACE_A, PLACE_B = Place(1, "a.png", "stamp of a"), Place(2, "b.png", "stamp of b")
PICTURE = StoredPicture(
    b"jpeg", Placement((4, 6), (0.0, 0.0, 6.0, 4.0), (2, 2)), np.eye(2, dtype=np.float32), (((0.1, 0.2),),)
)
posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX file system")


@pytest.fixture(autouse=True)
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CXR_TRIAGE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("CXR_TRIAGE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "data" / "keys" / "seal.key"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    with StoreWriter.open(folder) as store:
        films = [
            _film(PLACE_A, A, 0.9, Triage.FLAGGED),
            _film(PLACE_B, B, 0.1, Triage.NOT_FLAGGED),
        ]
        store.add(store.begin_run(), films, PRINT)
    return folder


def _film(place: Place, sha256: str, probability: float, triage: Triage) -> FinishedFilm:
    outcome = Outcome(
        place.file, sha256, Status.SCORED, probability=probability, triage=triage, threshold=0.5, seconds=1
    )
    score = StoredScore(outcome, -0.0, 0.5, 0.2, "2026-01-02T03:04:05+00:00")
    return FinishedFilm(place, score, PICTURE, 100)


def known(folder: Path) -> Iterator[bool]:
    """Whether each film is taken as finished, by its place and by its bytes."""
    with StoreWriter.open(folder) as store:
        for place, sha256 in ((PLACE_A, A), (PLACE_B, B)):
            yield store.known(place, PRINT) is not None
            yield store.known_by_bytes(place, sha256, PRINT) is not None


STRANGE = {
    "trigger": "CREATE TRIGGER t AFTER INSERT ON runs BEGIN DELETE FROM verdicts; END",
    "view": "CREATE VIEW v AS SELECT 1",
    "table": "CREATE TABLE more (a)",
    "column": "ALTER TABLE results ADD COLUMN more",
    "index": "CREATE INDEX more ON results (code)",
    "index gone": "DROP INDEX results_by_size",
    "renamed": "ALTER TABLE written RENAME COLUMN stamp TO other",
    "table gone": "DROP TABLE audit",
}


@pytest.mark.parametrize("kind", [Store, StoreWriter])
@pytest.mark.parametrize("command", STRANGE.values(), ids=STRANGE)
def test_a_store_with_anything_but_our_tables_is_refused(out: Path, command: str, kind: type[Store]) -> None:
    change(out, command)
    with pytest.raises(StoreError, match=r"not as this program makes it.*--out"):
        kind.open(out)


@pytest.mark.parametrize("version", range(1, len(_STEPS)))
@pytest.mark.parametrize("kind", [Store, StoreWriter])
def test_a_store_of_an_earlier_program_is_looked_at_before_it_is_migrated(
    tmp_path: Path, version: int, kind: type[Store]
) -> None:
    with closing(sqlite3.connect(tmp_path / STORE_FILE, isolation_level=None)) as db:
        for step in _STEPS[:version]:
            step(db)
        db.execute(f"PRAGMA user_version={version}")
    with kind.open(tmp_path):
        pass
    if kind is StoreWriter:
        return
    change(tmp_path, "CREATE TRIGGER t AFTER DELETE ON pictures BEGIN SELECT 1; END")
    with pytest.raises(StoreError, match="the trigger t"):
        kind.open(tmp_path)


def test_a_view_in_place_of_a_table_is_not_asked(out: Path) -> None:
    change(out, "DROP TABLE audit", "CREATE VIEW audit AS SELECT load_extension('x') AS id")
    with pytest.raises(StoreError, match="not as this program makes it"):
        StoreWriter.open(out)


@posix
@pytest.mark.parametrize("name", [STORE_FILE, f"{STORE_FILE}-wal", f"{STORE_FILE}-journal"])
@pytest.mark.parametrize("kind", [Store, StoreWriter])
def test_a_store_is_no_link(out: Path, tmp_path: Path, name: str, kind: type[Store]) -> None:
    precious = tmp_path / "precious"
    if name == STORE_FILE:
        (out / name).replace(precious)
    else:
        precious.write_bytes(b"of somebody else")
    before = precious.read_bytes()
    (out / name).symlink_to(precious)
    with pytest.raises(StoreError, match="a link, pipe or folder"):
        kind.open(out)
    assert precious.read_bytes() == before


@posix
@pytest.mark.parametrize("kind", [Store, StoreWriter])
def test_a_pipe_called_like_a_store_is_not_waited_for(tmp_path: Path, kind: type[Store]) -> None:
    os.mkfifo(tmp_path / STORE_FILE)
    with pytest.raises(StoreError):
        kind.open(tmp_path)


@posix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_a_store_of_another_user_is_not_written_but_read(out: Path) -> None:
    os.chown(out / STORE_FILE, 12345, -1)
    with pytest.raises(StoreError, match="belongs to another user"):
        StoreWriter.open(out)
    assert len(read_scores(out)) == 2


WRONG_ROWS = {
    "status": "UPDATE results SET status = 'cleared'",
    "triage": "UPDATE results SET triage = 'healthy'",
    "probability above 1": "UPDATE results SET probability = 1.5",
    "probability as text": "UPDATE results SET probability = 'low'",
    "probability without end": "UPDATE results SET probability = 9e999",
    "threshold": "UPDATE results SET threshold = -1",
    "heat share": "UPDATE results SET lung_heat_share = 40",
    "seconds": "UPDATE results SET seconds = -5",
    "sha256": "UPDATE results SET sha256 = '../../etc/passwd' WHERE id = 1",
    "sha256 in capitals": "UPDATE results SET sha256 = upper(sha256)",
    "model": "UPDATE results SET model_sha256 = 'x'",
    "a long text": "UPDATE results SET message = hex(zeroblob(5000))",
    "a blob for a text": "UPDATE results SET code = x'00ff'",
    "file": "UPDATE places SET file = x'00'",
    "margin": "UPDATE results SET margin = 'm'",
    "mean": "UPDATE results SET input_mean = 255",
    "finished": "UPDATE results SET finished = x'00'",
    "looks of no kind": "UPDATE results SET looks = '{}'",
    "looks without end": "UPDATE results SET looks = '[1e999]'",
    "looks out of range": "UPDATE results SET looks = '[1e12]'",
    "looks too long": "UPDATE results SET looks = hex(zeroblob(5000))",
}
WRONG_PICTURES = {
    "preview as text": "UPDATE pictures SET preview_jpeg = 'jpeg'",
    "preview too large": "UPDATE pictures SET preview_jpeg = zeroblob(20000000)",
    "thumbnail": "UPDATE pictures SET thumbnail_jpeg = 7",
    "heat of another shape": "UPDATE pictures SET heat_rows = 3",
    "heat without end": "UPDATE pictures SET heat = x'0000807f0000000000000000000000ff'",
    "heat of no cells": "UPDATE pictures SET heat = x'', heat_rows = 0",
    "heat rows": "UPDATE pictures SET heat_rows = 'two'",
    "placement": "UPDATE pictures SET placement = '{}'",
    "placement not finite": "UPDATE pictures SET placement = replace(placement, '6.0', '1e999')",
    "placement of no size": "UPDATE pictures SET placement = replace(placement, '[4, 6]', '[0, 6]')",
    "placement turned round": "UPDATE pictures SET placement = replace(placement, '6.0', '-6.0')",
    "placement nested": "UPDATE pictures SET placement = replace(hex(zeroblob(2000)), '0', '[')",
    "spacing": "UPDATE pictures SET spacing_mm = -0.1",
    "spacing as text": "UPDATE pictures SET spacing_mm = 'wide'",
    "outlines": "UPDATE pictures SET outlines = '[[[1]]]'",
    "outlines not finite": "UPDATE pictures SET outlines = '[[[NaN, 1]]]'",
    "outlines nested": "UPDATE pictures SET outlines = replace(hex(zeroblob(9000)), '0', '[')",
}


@pytest.mark.parametrize(
    "command", [*WRONG_ROWS.values(), *WRONG_PICTURES.values()], ids=[*WRONG_ROWS, *WRONG_PICTURES]
)
def test_a_row_that_no_scan_stores_is_refused_in_one_line(out: Path, command: str) -> None:
    change(out, "UPDATE results SET pictures = ''", command)
    with StoreWriter.open(out) as store, pytest.raises(StoreError) as refused:
        [*store.scores(1), *store.pictured(1)]
    assert "\n" not in str(refused.value)
    assert "--out" in str(refused.value)


def test_rows_that_this_machine_made_are_taken_as_they_are(out: Path) -> None:
    assert all(known(out))
    assert all(score.is_ours for score in read_scores(out))


FORGED = {
    "score": "UPDATE results SET probability = 0.01, triage = 'not_flagged' WHERE id = 1",
    "seal gone": "UPDATE results SET seal = '' WHERE id = 1",
    "seal of another": "UPDATE results SET seal = (SELECT seal FROM results WHERE id = 2) WHERE id = 1",
    "margin": "UPDATE results SET margin = -9 WHERE id = 1",
    "other bytes": f"UPDATE results SET sha256 = '{'c' * 64}' WHERE id = 1",
    "pictures": "UPDATE results SET pictures = '' WHERE id = 1",
}


@pytest.mark.parametrize("command", FORGED.values(), ids=FORGED)
def test_a_changed_row_is_not_taken_and_the_other_is(out: Path, command: str) -> None:
    change(out, command)
    assert list(known(out)) == [False, False, True, True]
    assert [score.is_ours for score in read_scores(out)] == [False, True]


SWAPPED = {
    "stamp": "UPDATE places SET stamp = CASE stamp WHEN 'stamp of a' THEN 'stamp of b' ELSE 'stamp of a' END",
    "result": "UPDATE places SET result = 3 - result",
}


@pytest.mark.parametrize("command", SWAPPED.values(), ids=SWAPPED)
def test_a_film_does_not_get_the_true_row_of_another(out: Path, command: str) -> None:
    change(out, command)
    with StoreWriter.open(out) as store:
        assert store.known(PLACE_A, PRINT) is None
        assert store.known(PLACE_B, PRINT) is None
    assert not any(score.is_ours for score in read_scores(out))


def test_results_that_exchange_their_numbers_are_not_taken_for_each_other(out: Path) -> None:
    change(
        out,
        *(f"UPDATE results SET id = {new} WHERE id = {old}" for old, new in ((1, 9), (2, 1), (9, 2))),
    )
    with StoreWriter.open(out) as store:
        assert store.known(PLACE_A, PRINT) is None
        found = store.known_by_bytes(PLACE_A, A, PRINT)
        assert found is not None
        assert found.outcome.probability == 0.9
        with pytest.raises(StoreError, match="were changed"):
            list(replace_pictures(store))


def replace_pictures(store: StoreWriter) -> Iterator[object]:
    store._db.execute("UPDATE pictures SET preview_jpeg = 'x' || preview_jpeg WHERE result = 1")
    yield from store.pictured(1)


@pytest.mark.parametrize(
    "command",
    [
        "UPDATE pictures SET preview_jpeg = x'00'",
        "UPDATE pictures SET heat = zeroblob(16)",
        "UPDATE pictures SET outlines = '[]'",
        "DELETE FROM pictures",
    ],
)
def test_pictures_that_were_changed_are_not_shown(out: Path, command: str) -> None:
    change(out, command)
    with StoreWriter.open(out) as store, pytest.raises(StoreError, match=r"pictures of a\.png.*--force"):
        list(store.pictured(1))


def test_rows_of_another_machine_are_read_and_not_taken(out: Path, key: Path) -> None:
    key.write_bytes(b"k" * 32)
    assert not any(known(out))
    assert [score.is_ours for score in read_scores(out)] == [False, False]


def test_a_film_that_is_done_anew_is_sealed_again(out: Path) -> None:
    change(out, FORGED["score"])
    with StoreWriter.open(out) as store:
        store.add(store.begin_run(), [_film(PLACE_A, A, 0.9, Triage.FLAGGED)], PRINT)
        assert store.known(PLACE_A, PRINT) is not None


def test_a_row_that_is_judged_again_keeps_its_seal_and_a_forged_one_gets_none(out: Path) -> None:
    change(out, "UPDATE results SET margin = 5 WHERE id = 2")
    with StoreWriter.open(out) as store:
        outcomes = [replace(outcome, threshold=0.3) for outcome in store.outcomes(1)]
        store.rejudge(PRINT, [film._replace(threshold=0.3) for film in store.overview.judged(1)])
        assert list(store.outcomes(1)) == outcomes
    assert list(known(out)) == [True, True, False, False]


def test_a_note_that_a_report_is_as_it_was_written_cannot_be_forged(out: Path) -> None:
    with StoreWriter.open(out) as store:
        store.note_written("results.csv", "content", "stamp")
        assert store.written("results.csv") == ("content", "stamp")
    change(out, "UPDATE written SET stamp = 'stamp of a forged file'")
    with StoreWriter.open(out) as store:
        assert store.written("results.csv") is None


@posix
def test_the_key_is_for_its_owner_alone_and_stays(out: Path, key: Path) -> None:
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.parent.stat().st_mode & 0o777 == 0o700
    before = key.read_bytes()
    assert len(before) == 32
    assert all(known(out))
    assert key.read_bytes() == before


@posix
def test_where_no_key_can_be_kept_rows_are_made_and_not_taken_later(out: Path, key: Path) -> None:
    key.unlink()
    key.parent.chmod(0o777)  # others could change it
    assert not any(known(out))
    with StoreWriter.open(out) as store:
        store.add(store.begin_run(), [_film(PLACE_A, A, 0.9, Triage.FLAGGED)], PRINT)
        assert store.known(PLACE_A, PRINT) is not None
    assert not any(known(out))


@pytest.mark.parametrize("text", [b"CREATE TABLE runs", b"CREATE TABLE results", b"night"])
def test_a_store_with_a_damaged_page_is_refused_in_one_line(text: bytes, out: Path) -> None:
    """What is damaged may be what SQLite quotes: bytes that are no text."""
    path = out / STORE_FILE
    content = bytearray(path.read_bytes().replace(b"a.png", b"night"))
    at = content.index(text)
    content[at - 40 : at + len(text)] = b"\xbf" * (40 + len(text))
    path.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        read_scores(out)
    assert "\n" not in str(caught.value)


def test_a_store_that_is_damaged_below_its_head_is_an_error_of_ours_at_the_desk(out: Path) -> None:
    path = out / STORE_FILE
    content = path.read_bytes()
    head = 2 * int.from_bytes(content[16:18], "big")  # SQLite's page size (Database File Format, 1.3)
    path.write_bytes(content[:head] + b"\xff" * (len(content) - head))
    with pytest.raises(StoreError, match="cannot be used"), Desk.open(out, writes=False) as desk:
        desk.audit.latest(9)
