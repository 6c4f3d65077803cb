import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from cxr_runtime.errors import StoreError
from cxr_runtime.files import STORE_FILE
from cxr_runtime.heat.map import HeatMethod, HeatView
from cxr_runtime.outcome import Outcome, Status, Triage
from cxr_runtime.placement import CellGrid, Placement
from cxr_runtime.seals import digest_of
from cxr_runtime.store.picture_notes import PictureNotes
from cxr_runtime.store.rows import (
    PICTURE_COLUMNS,
    FinishedFilm,
    Judged,
    KnownFilm,
    Place,
    RunFacts,
    StoredPicture,
    StoredScore,
)  # fmt: skip
from cxr_runtime.store.store import Store, read_scores
from cxr_runtime.store.writer import StoreWriter
from cxr_runtime.store_file import is_store

SCORED = Outcome("a.png", "a" * 64, Status.SCORED, probability=0.25, triage=Triage.NOT_FLAGGED, threshold=0.5)
FAILED = Outcome("b.png", "b" * 64, Status.FAILED, code="truncated", message="It ends too soon.")
PICTURE = StoredPicture(
    b"jpeg",
    Placement((4, 6), (0.0, 0.0, 6.0, 4.0), (2, 2)),
    np.eye(2, dtype=np.float32),
    (((0.1, 0.2),),),
    b"small jpeg",
    b"png",
    0.143,
)
FACTS = RunFacts(
    product="cxr-triage",
    finished=datetime(2026, 3, 4, 21, 40, tzinfo=UTC),
    inputs=("night",),
    model="m",
    model_sha256="cd" * 32,
    licence="none",
    backend="onnxruntime-cpu",
    is_calibrated=True,
    operating_point="balanced",
    threshold=0.5,
    is_met=True,
    sensitivity=0.9,
    specificity=None,
    heat=HeatView(HeatMethod.CAM, CellGrid(2.0, 4.0), 0.4, 1.5, 0.1),
)
PRINT = "fingerprint"


def film(
    position: int,
    outcome: Outcome,
    picture: StoredPicture | None = None,
    *,
    margin: float | None = None,
    stamp: str = "",
    is_lasting: bool = True,
) -> FinishedFilm:
    score = StoredScore(outcome, margin, None, None, "2020-01-01T00:00:00+00:00")
    return FinishedFilm(Place(position, outcome.file, stamp), score, picture, 100, is_lasting)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StoreWriter]:
    store = StoreWriter.open(tmp_path)
    films = [film(2, SCORED, PICTURE, margin=-1.0986, stamp="s"), film(1, FAILED)]
    store.add(store.begin_run(), films, PRINT)
    yield store
    store.close()


def test_rows_come_back_as_they_went_in_and_in_input_order(store: StoreWriter) -> None:
    assert list(store.outcomes(1)) == [FAILED, SCORED]
    assert [score.margin for score in store.scores(1)] == [None, -1.0986]


def test_pictures_come_back_most_suspicious_first_and_unscored_last(store: StoreWriter) -> None:
    more = replace(SCORED, file="c.png", sha256="c" * 64, probability=0.9, triage=Triage.REVIEW)
    store.add(1, [film(3, more, PICTURE)], PRINT)
    films = list(store.pictured(1))
    assert [outcome.file for outcome, _ in films] == ["c.png", "a.png", "b.png"]
    picture = films[1][1]
    assert picture is not None
    assert (picture.placement, picture.lung_outlines) == (PICTURE.placement, PICTURE.lung_outlines)
    assert (picture.thumbnail_jpeg, picture.heat_png, picture.spacing_mm) == (b"small jpeg", b"png", 0.143)
    np.testing.assert_array_equal(picture.heat_cells, PICTURE.heat_cells)
    assert films[2][1] is None
    some = [(outcome.file, bool(shown)) for outcome, shown in store.pictured(1, [Triage.REVIEW])]
    assert some == [("c.png", True), ("a.png", False), ("b.png", False)]


def test_pictures_stored_before_there_were_spacings_are_still_those_of_their_row(tmp_path: Path) -> None:
    with StoreWriter.open(tmp_path) as store:
        store.add(store.begin_run(), [film(1, SCORED, replace(PICTURE, spacing_mm=None))], PRINT)
        columns = ", ".join(PICTURE_COLUMNS[:-1])
        (row,) = store._db.execute(f"SELECT {columns} FROM pictures").fetchall()
        assert store._db.execute("SELECT pictures FROM results").fetchone() == (digest_of(row),)


def test_a_film_is_known_by_its_stamp_or_its_bytes_and_only_as_it_would_end_today(store: StoreWriter) -> None:
    here = Place(7, "other/name.png", "s")
    moved = replace(SCORED, file="other/name.png")
    assert store.known(here, PRINT) == KnownFilm(here, 1, moved)
    assert store.known(here, "other") is None
    assert store.known(replace(here, stamp=""), PRINT) is None
    assert store.known_by_bytes(here, "a" * 64, PRINT) == KnownFilm(here, 1, moved)
    assert store.known_by_bytes(here, "a" * 64, "other") is None


def test_what_the_machine_did_is_not_remembered_as_the_film_s_fault(store: StoreWriter) -> None:
    stalled = replace(FAILED, file="d.png", sha256="d" * 64, code="decoder-timeout")
    unread = replace(FAILED, file="e.png", sha256="", code="read-error")
    store.add(1, [film(3, stalled, stamp="d", is_lasting=False), film(4, unread, stamp="e")], PRINT)
    assert list(store.outcomes(1))[2:] == [stalled, unread]
    for stamp, sha256 in (("d", "d" * 64), ("e", "")):
        assert store.known(Place(1, "x", stamp), PRINT) is None
        assert store.known_by_bytes(Place(1, "x", stamp), sha256, PRINT) is None


def test_a_run_shows_its_own_places_only_and_others_stay(store: StoreWriter) -> None:
    place = Place(1, "moved.png", "s")
    known = store.known(place, PRINT)
    assert known is not None
    run = store.begin_run()
    store.add(run, [known], PRINT)
    assert list(store.outcomes(run)) == [replace(SCORED, file="moved.png")]
    assert list(store.outcomes(1)) == [FAILED, SCORED]
    assert store.last_run() == run


def test_what_the_latest_reports_hold_stays_so_until_a_later_run_has_ended(store: StoreWriter) -> None:
    assert store.reported() == 1
    store.end_run(1, FACTS)
    later = store.begin_run()
    assert store.reported() == 1
    store.end_run(later, FACTS)
    assert store.reported() == later


def test_a_store_that_is_open_keeps_its_locks_whoever_looks_at_its_file(
    store: StoreWriter, tmp_path: Path
) -> None:
    """Else another program that closes it takes itself for the last one, and removes the log."""
    assert is_store(tmp_path / STORE_FILE)
    opens = f"from pathlib import Path; StoreWriter.open(Path({str(tmp_path)!r})).close()"
    code = f"from cxr_runtime.store.writer import StoreWriter; {opens}"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert (tmp_path / f"{STORE_FILE}-wal").is_file()
    store.begin_run()


def test_a_film_done_anew_replaces_its_row_and_pictures(store: StoreWriter) -> None:
    run = store.begin_run()
    store.add(run, [film(1, replace(SCORED, probability=0.75), None)], PRINT)
    for each in (1, run):
        found = {outcome.file: (outcome.probability, picture) for outcome, picture in store.pictured(each)}
        assert found["a.png"] == (0.75, None)


def test_a_batch_is_added_whole_or_not_at_all(store: StoreWriter) -> None:
    good = replace(SCORED, file="c.png", sha256="c" * 64)
    bad = replace(SCORED, sha256="d" * 64, probability=object())  # type: ignore[arg-type]  # cannot be stored
    with pytest.raises(StoreError):
        store.add(1, [film(3, good), film(4, bad)], PRINT)
    assert store.known_by_bytes(Place(3, "c.png", ""), "c" * 64, PRINT) is None


def test_rejudging_changes_probability_and_triage_only(store: StoreWriter) -> None:
    judged = replace(SCORED, probability=0.7, triage=Triage.FLAGGED, operating_point="strict")
    now = Judged("a.png", SCORED.sha256, 1.0, 0.7, Triage.FLAGGED, SCORED.threshold, "strict")
    store.rejudge(PRINT, [now])
    assert list(store.outcomes(1)) == [FAILED, judged]


def test_a_million_rows_are_never_one_transaction(
    store: StoreWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cxr_runtime.store.writer.BLOCK", 2)
    said, notes = list[str](), PictureNotes(store)
    store._db.set_trace_callback(said.append)
    store.rejudge(PRINT, [Judged("a.png", SCORED.sha256, 1.0, 0.7, Triage.FLAGGED, 0.5, "strict")] * 5)
    notes.note([(f"{number}.png", "1:1:1") for number in range(5)], (f"{n}.npz" for n in range(5)), ["x"])
    ended = [
        len(re.findall("UPDATE|INSERT|DELETE", changes)) for changes in " ".join(said).split("COMMIT")[:-1]
    ]
    assert ended == [2, 2, 1, 2, 2, 2, 1, 2, 2, 1, *ended[10:]]
    assert notes.owed() == {"x"}
    assert set(notes.stamps()) == {f"{number}.png" for number in range(5)}


def test_the_facts_of_a_run_come_back_as_they_were(store: StoreWriter) -> None:
    assert store.facts(1) is None
    store.end_run(1, FACTS)
    assert store.facts(1) == FACTS


def test_reading_writes_nothing_and_what_was_added_is_there(tmp_path: Path, store: StoreWriter) -> None:
    store.close()
    before = {entry.name: entry.stat().st_mtime_ns for entry in os.scandir(tmp_path)}
    assert [score.outcome for score in read_scores(tmp_path)] == [FAILED, SCORED]
    assert {entry.name: entry.stat().st_mtime_ns for entry in os.scandir(tmp_path)} == before


def test_a_running_scan_can_be_read(tmp_path: Path, store: StoreWriter) -> None:
    assert [score.outcome for score in read_scores(tmp_path)] == [FAILED, SCORED]
    store.add(1, [film(3, replace(SCORED, file="c.png", sha256="c" * 64))], PRINT)
    assert len(read_scores(tmp_path)) == 3


def test_identities_can_be_deleted_and_nothing_else_goes(store: StoreWriter) -> None:
    store._db.execute(
        "INSERT INTO identities (sha256, kind, patient) VALUES (?, 'full', '4711')", ("a" * 64,)
    )
    store._db.execute("DELETE FROM identities")
    assert list(store.outcomes(1)) == [FAILED, SCORED]


@pytest.mark.parametrize("content", [b"not a database" * 100, b"SQLite format 3\0" + bytes(200)])
@pytest.mark.parametrize("kind", [StoreWriter, Store])
def test_a_damaged_store_is_refused_and_left_as_it_is(
    tmp_path: Path, content: bytes, kind: type[Store]
) -> None:
    (tmp_path / STORE_FILE).write_bytes(content)
    with pytest.raises(StoreError, match="--out"):
        kind.open(tmp_path)
    assert (tmp_path / STORE_FILE).read_bytes() == content


def test_a_folder_without_a_scan_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"holds no triage\.sqlite"):
        read_scores(tmp_path)


def test_a_store_has_one_row_a_film_by_arrival(store: StoreWriter) -> None:
    known = store.known(Place(1, "moved.png", "s"), PRINT)
    assert known is not None
    later = replace(SCORED, file="later.png", sha256="c" * 64)
    run = store.begin_run()
    store.add(run, [film(2, later), known], PRINT)
    moved = replace(SCORED, file="moved.png")
    assert list(store.outcomes(None)) == [FAILED, moved, later]
    assert [score.outcome for score in store.scores(None)] == [FAILED, moved, later]
    assert [outcome.file for outcome, _ in store.pictured(None)] == ["moved.png", "later.png", "b.png"]


def test_what_the_machine_did_to_a_file_gives_way_to_what_came_after_it(store: StoreWriter) -> None:
    unread = replace(FAILED, file="late.png", sha256="", code="read-error")
    cut = replace(FAILED, file="late.png", sha256="d" * 64, code="truncated")
    store.add(1, [film(3, unread, is_lasting=False), film(4, cut, is_lasting=False)], PRINT)
    assert list(store.outcomes(None)) == [FAILED, SCORED, cut]
    whole = replace(SCORED, file="late.png", sha256="e" * 64)
    store.add(store.begin_run(), [film(1, whole)], PRINT)
    assert list(store.outcomes(None)) == [FAILED, SCORED, whole]


def test_two_films_under_one_name_are_two_rows_of_a_store(store: StoreWriter) -> None:
    other = replace(SCORED, sha256="c" * 64)
    again = replace(FAILED, sha256="f" * 64)
    store.add(1, [film(3, other), film(4, again)], PRINT)
    assert list(store.outcomes(None)) == [FAILED, SCORED, other, again]


def test_a_store_is_known_as_one_while_its_first_scan_runs(tmp_path: Path) -> None:
    with StoreWriter.open(tmp_path):
        assert is_store(tmp_path / STORE_FILE)
