"""A store of every earlier program is brought to today's schema; what stood in it stays."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import astuple, replace
from pathlib import Path

import pytest

from cxr_runtime.errors import StoreError
from cxr_runtime.files import STORE_FILE
from cxr_runtime.identity import Identity
from cxr_runtime.seals import Sealer
from cxr_runtime.store import opening
from cxr_runtime.store.rows import Place
from cxr_runtime.store.schema import _STEPS, SCHEMA_VERSION
from cxr_runtime.store.store import Store, read_scores
from cxr_runtime.store.writer import StoreWriter
from cxr_runtime.store_file import APPLICATION_ID

# As 0.1.0 wrote it.
SCHEMA_OF_0_1_0 = """
CREATE TABLE IF NOT EXISTS films (
  file TEXT PRIMARY KEY, sha256, status, code, message, probability, triage, threshold, operating_point, view, lung_heat_share, model, model_sha256, backend, seconds,
  settings TEXT NOT NULL, finished TEXT NOT NULL, margin REAL, input_mean REAL, input_contrast REAL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pictures (
  file TEXT PRIMARY KEY REFERENCES films ON DELETE CASCADE,
  preview_jpeg BLOB NOT NULL, placement TEXT NOT NULL,
  heat BLOB, heat_rows INT, heat_columns INT, outlines TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS run (position INTEGER PRIMARY KEY, file TEXT NOT NULL UNIQUE);
PRAGMA user_version=1;
"""  # noqa: E501
SETTINGS = "5" * 64
FILMS = [  # file, sha256, status, code, probability, margin
    ("night/a.png", "a" * 64, "scored", "", 0.7, 1.5),
    ("night/copy-of-a.png", "a" * 64, "scored", "", 0.7, 1.5),
    ("night/gone.png", "", "failed", "missing", None, None),
    ("yesterday/b.png", "b" * 64, "rejected", "lateral", None, None),
]
PICTURE = 12 << 20  # bytes of one that is far too large
READING = """
import resource, sys
from pathlib import Path
from cxr_runtime.store.store import Store
most = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = most()
with Store.open(Path(sys.argv[1])) as store:
    list(store.scores(None))
print((most() - before) * (1 if sys.platform == "darwin" else 1024))
"""
PLACEMENT = '{"film_hw": [4, 6], "box_film_xyxy": [0.0, 0.0, 6.0, 4.0], "input_hw": [2, 2]}'


@pytest.fixture
def old(tmp_path: Path) -> Path:
    db = sqlite3.connect(tmp_path / STORE_FILE)
    db.executescript("PRAGMA journal_mode=WAL;" + SCHEMA_OF_0_1_0)
    for file, sha256, status, code, probability, margin in FILMS:
        row = (
            file,
            sha256,
            status,
            code,
            "why",
            probability,
            None,
            0.5,
            "balanced",
            "PA",
            0.9,
            "m",
            "cd" * 32,
        )
        rest = ("onnxruntime-cpu", 0.1, SETTINGS, "2026-01-02T03:04:05+00:00", margin, 0.5, 0.2)
        db.execute(f"INSERT INTO films VALUES ({', '.join('?' * 20)})", (*row, *rest))
    db.execute(
        "INSERT INTO pictures VALUES ('night/a.png', x'6a706567', ?, NULL, NULL, NULL, '[]')", (PLACEMENT,)
    )
    db.executemany("INSERT INTO run (file) VALUES (?)", [(film[0],) for film in FILMS[:3]])
    db.commit()
    db.close()
    return tmp_path


def test_a_store_of_0_1_0_keeps_its_rows_pictures_and_places(old: Path) -> None:
    with StoreWriter.open(old) as store:
        last = store.last_run()
        rows = [(row.file, row.sha256, row.status.value, row.code) for row in store.outcomes(last)]
        assert rows == [film[:4] for film in FILMS[:3]]
        assert [score.margin for score in store.scores(last)] == [1.5, 1.5, None]
        assert [row.file for row in store.outcomes(last - 1)] == ["yesterday/b.png"]
        pictures = [picture for _, picture in store.pictured(last)]
        assert [picture and picture.preview_jpeg for picture in pictures] == [b"jpeg", b"jpeg", None]


def test_films_that_0_1_0_finished_bear_no_seal_and_are_scored_again(old: Path) -> None:
    with StoreWriter.open(old) as store:
        assert store.known_by_bytes(Place(1, "x", ""), "a" * 64, SETTINGS) is None
        assert len(store.distrusted) == 1
        assert not any(score.is_ours for score in store.scores(store.last_run()))


def test_a_store_of_0_1_0_is_read_without_being_changed(old: Path) -> None:
    before = (old / STORE_FILE).read_bytes()
    assert [score.outcome.file for score in read_scores(old)] == [film[0] for film in FILMS[:3]]
    assert (old / STORE_FILE).read_bytes() == before


def test_a_large_store_of_an_earlier_program_is_read_without_taking_its_size_of_memory(old: Path) -> None:
    with closing(sqlite3.connect(old / STORE_FILE)) as db, db:
        for number in range(8):
            db.execute(
                "INSERT INTO pictures VALUES (?, zeroblob(?), '', NULL, NULL, NULL, '[]')", (number, PICTURE)
            )
    asked = [sys.executable, "-c", READING, str(old)]
    more = int(subprocess.run(asked, check=True, capture_output=True, timeout=120).stdout)
    assert more < 8 * PICTURE / 4


def test_a_disk_without_room_for_the_copy_of_an_earlier_store_is_said(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = opening._connect

    def small(path: Path | None, address: str = "", **options: bool) -> sqlite3.Connection:
        db = opened(path, address, **options)
        if path is None:
            db.execute("PRAGMA max_page_count = 2")
        return db

    monkeypatch.setattr(opening, "_connect", small)
    with pytest.raises(StoreError, match=r"schema 1, and there is no room .* `cxr-triage report .*`"):
        read_scores(old)


def test_a_store_is_migrated_once(old: Path) -> None:
    for _ in range(2):
        with StoreWriter.open(old) as store:
            assert len(list(store.outcomes(2))) == 3
    db = sqlite3.connect(old / STORE_FILE)
    assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    db.close()


def test_whose_films_they_are_is_still_known_where_no_issuer_was_kept(tmp_path: Path) -> None:
    """Schema 12 had no issuer, and its seals are of the other columns."""
    whose = Identity("PID-1", "Doe, Jane", "1961-02-03", "2026-03-04", "ACC-1", "1.2", "1.3", "1.4")
    digest, named = "a" * 64, Sealer.of_this_machine().seal
    with closing(sqlite3.connect(tmp_path / STORE_FILE, isolation_level=None)) as db:
        for step in _STEPS[:12]:
            step(db)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute("PRAGMA user_version = 12")
        columns = "patient, name, born, studied, accession, study, series, instance"
        values = astuple(whose)[:8]
        db.execute(
            f"INSERT INTO identities (sha256, kind, {columns}, seal) VALUES (?, 'full', {'?, ' * 8}?)",
            (digest, *values, named("identity", (digest, "full", *values))),
        )
    with StoreWriter.open(tmp_path) as store:
        assert store.identities.of(digest, "full") == whose
        store.identities.put(digest, "full", replace(whose, issuer="NORTH"))
        assert store.identities.of(digest, "full") == replace(whose, issuer="NORTH")
        store._db.execute("UPDATE identities SET issuer = 'SOUTH'")
        assert store.identities.of(digest, "full") is None
        store._db.execute("UPDATE identities SET issuer = ''")
        assert store.identities.of(digest, "full") is None


def test_a_migration_that_fails_leaves_the_store_as_it_was(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cxr_runtime.store.steps._TABLES_2", ("CREATE TABLE runs (id", "no SQL"))
    with pytest.raises(StoreError):
        StoreWriter.open(old)
    monkeypatch.undo()
    assert len(read_scores(old)) == 3


def test_a_disk_that_is_full_while_a_store_is_migrated_is_said_and_not_what_came_of_it(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite has then ended the transaction by itself: rolling back again would be the error that is told."""

    def fill(db: sqlite3.Connection) -> None:
        db.execute("ROLLBACK")
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("cxr_runtime.store.schema._STEPS", (_STEPS[0], fill, *_STEPS[2:]))
    with pytest.raises(StoreError, match="disk is full"):
        StoreWriter.open(old)


def test_a_store_names_the_store_of_its_runs_and_the_same_one_whenever_it_is_read(old: Path) -> None:
    def origins() -> set[str]:
        with Store.open(old) as store:
            return {str(origin) for (origin,) in store._rows("SELECT origin FROM runs")}

    first = origins()
    assert len(first) == 1
    with StoreWriter.open(old) as store:
        store.begin_run()
    assert origins() == first


@pytest.mark.parametrize("kind", [Store, StoreWriter])
def test_a_store_of_a_newer_program_is_refused(tmp_path: Path, kind: type[Store]) -> None:
    db = sqlite3.connect(tmp_path / STORE_FILE)
    db.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    db.close()
    with pytest.raises(StoreError, match="newer program"):
        kind.open(tmp_path)
