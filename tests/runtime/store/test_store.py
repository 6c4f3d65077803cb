from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cxr_runtime.errors import StoreError
from cxr_runtime.file_names import STORE_FILE
from cxr_runtime.outcome import Outcome, Status, Triage
from cxr_runtime.placement import Placement
from cxr_runtime.store.store import Store, StoredPicture, StoredScore, read_scores

SCORED = Outcome("a.png", "a" * 64, Status.SCORED, probability=0.25, triage=Triage.NOT_FLAGGED, threshold=0.5)
FAILED = Outcome("b.png", "b" * 64, Status.FAILED, code="truncated", message="It ends too soon.")
PICTURE = StoredPicture(
    b"jpeg", Placement((4, 6), (0.0, 0.0, 6.0, 4.0), (2, 2)), np.eye(2, dtype=np.float32), (((0.1, 0.2),),)
)


def stored(outcome: Outcome, margin: float | None = None) -> StoredScore:
    return StoredScore(outcome, margin, None, None, "2020-01-01T00:00:00+00:00")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path)
    store.begin_run(["b.png", "a.png"])
    store.add([(stored(SCORED, -1.0986), PICTURE), (stored(FAILED), None)], "settings")
    yield store
    store.close()


def test_rows_come_back_as_they_went_in_and_in_input_order(store: Store) -> None:
    assert list(store.outcomes()) == [FAILED, SCORED]
    assert [score.margin for score in store.scores()] == [None, -1.0986]


def test_pictures_come_back_most_suspicious_first_and_unscored_last(store: Store) -> None:
    more = replace(SCORED, file="c.png", probability=0.9)
    store.add([(stored(more), PICTURE)], "settings")
    store.begin_run(["b.png", "a.png", "c.png"])
    films = list(store.pictured())
    assert [outcome.file for outcome, _ in films] == ["c.png", "a.png", "b.png"]
    picture = films[1][1]
    assert picture is not None
    assert picture.placement == PICTURE.placement
    assert picture.lung_outlines == PICTURE.lung_outlines
    np.testing.assert_array_equal(picture.heat_cells, PICTURE.heat_cells)
    assert films[2][1] is None


def test_a_film_is_finished_only_with_the_same_settings(store: Store) -> None:
    assert store.finished_sha256("a.png", "settings") == "a" * 64
    assert store.finished_sha256("a.png", "others") is None
    assert store.finished_sha256("z.png", "settings") is None


def test_a_run_shows_its_own_films_only(store: Store) -> None:
    store.begin_run(["a.png"])
    assert list(store.outcomes()) == [SCORED]


def test_a_film_done_anew_replaces_its_row_and_pictures(store: Store) -> None:
    store.add([(stored(replace(FAILED, file="a.png")), None)], "settings")
    (_, first), (_, second) = store.pictured()
    assert first is None
    assert second is None


def test_a_batch_is_added_whole_or_not_at_all(store: Store) -> None:
    bad = replace(SCORED, file="d.png", probability=object())  # type: ignore[arg-type]  # cannot be stored
    with pytest.raises(StoreError):
        store.add([(stored(replace(SCORED, file="c.png")), None), (stored(bad), None)], "settings")
    assert store.finished_sha256("c.png", "settings") is None


def test_rejudging_changes_probability_and_triage_only(store: Store) -> None:
    judged = replace(SCORED, probability=0.7, triage=Triage.FLAGGED, operating_point="strict")
    store.rejudge([judged])
    assert list(store.outcomes()) == [FAILED, judged]


def test_what_was_added_is_there_after_the_process_is_gone(tmp_path: Path, store: Store) -> None:
    assert [score.outcome for score in read_scores(tmp_path)] == [FAILED, SCORED]


@pytest.mark.parametrize("content", [b"not a database" * 100, b"SQLite format 3\0" + bytes(200)])
def test_a_damaged_store_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    (tmp_path / STORE_FILE).write_bytes(content)
    with pytest.raises(StoreError, match="--out"):
        Store.open(tmp_path)
    assert (tmp_path / STORE_FILE).read_bytes() == content


def test_a_folder_without_a_scan_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"holds no triage\.sqlite"):
        read_scores(tmp_path)
