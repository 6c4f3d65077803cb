import csv
import shutil
import sqlite3
from contextlib import chdir, closing
from pathlib import Path

import pytest

from cxr_runtime.atomic import file_stamp
from cxr_runtime.errors import UsageError
from cxr_runtime.files import RESULTS_FILE, STORE_FILE, ReportFormat
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pictures import encode_png
from cxr_runtime.scanning.known import in_blocks
from cxr_runtime.scanning.long_session import LongSession
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.scanning.scan import ScanSummary, scan
from cxr_runtime.scanning.session import Session
from cxr_runtime.sources.film_list import FilmList
from cxr_runtime.sources.film_source import FileOnDisk
from cxr_runtime.store.rows import Judged
from cxr_runtime.store.store import Store
from cxr_runtime.store.writer import StoreWriter
from model_folders import write_model_folder

FILMS = 9


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cxr_runtime.scanning.known.LEAST", 2)
    monkeypatch.setattr("cxr_runtime.scanning.known.USUAL", 3)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model_folder(tmp_path_factory.mktemp("model"), threshold=0.9)


@pytest.fixture(scope="module")
def scanned(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of films, and `out`, which has them all."""
    folder = tmp_path_factory.mktemp("night")
    (folder / "films").mkdir()
    for seed in range(FILMS):
        (folder / "films" / f"film{seed}.png").write_bytes(encode_png(draw_phantom(seed, hw=(128, 128))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cxr_runtime.scanning.known.LEAST", 2)
        patch.setattr("cxr_runtime.scanning.known.USUAL", 3)
        _scan(folder, folder / "out", model)
    return folder


@pytest.fixture
def out(scanned: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(scanned / "out", tmp_path / "out"))


def _options(out: Path, model: Path, point: str | None = None) -> ScanOptions:
    formats = frozenset({ReportFormat.CSV, ReportFormat.PNG})
    return ScanOptions(out=out, model=model, backend="onnxruntime", formats=formats, operating_point=point)


def _scan(folder: Path, out: Path, model: Path, point: str | None = None) -> ScanSummary:
    with chdir(folder):  # blocks end by names, which must not change with the test's own folder
        return scan(["films"], _options(out, model, point))


def _ask(out: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(out / STORE_FILE)) as db, db:
        return db.execute(query).fetchall()


def _rows(out: Path) -> list[dict[str, str]]:
    with (out / RESULTS_FILE).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _one_by_one(patch: pytest.MonkeyPatch) -> list[str]:
    """The films that are asked for one by one from now on."""
    asked, ask = list[str](), Store.known

    def known(self: Store, *film: object) -> object:
        asked.append(film[0].file)  # type: ignore[attr-defined]  # a place
        return ask(self, *film)  # type: ignore[arg-type]

    patch.setattr(Store, "known", known)
    return asked


def test_a_run_that_repeats_the_latest_one_asks_for_no_film_alone_and_notes_none(
    scanned: Path, out: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _scan(scanned, out, model)  # the pictures are copies, and written again
    asked, rows = _one_by_one(monkeypatch), _rows(out)
    places = _ask(out, "SELECT * FROM places")
    stamp = (out / RESULTS_FILE).stat().st_mtime_ns
    again = _scan(scanned, out, model)
    assert again.finished_before == FILMS
    assert again.tally == first.tally
    assert not asked
    assert _ask(out, "SELECT * FROM places") == places
    assert len(_ask(out, "SELECT id FROM runs")) == 1
    assert (out / RESULTS_FILE).stat().st_mtime_ns == stamp
    assert _rows(out) == rows


@pytest.mark.parametrize("films", [FILMS, FILMS - 1], ids=["continued", "another run"])
def test_reports_can_be_published_again_and_no_film_comes_after_them(
    films: int, scanned: Path, out: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(scanned)
    paths = sorted(Path("films").iterdir())[:films]
    listed = FilmList(FileOnDisk(str(path), path, file_stamp(path)) for path in paths)
    with Session.open(_options(out, model)) as session:
        assert len(list(session.screen(listed))) == session.known.finished == films
        first = session.publish()
        assert len(_ask(out, "SELECT id FROM runs")) == (1 if films == FILMS else 2)
        assert session.publish() == first
        assert len(session.scores()) == films
        with pytest.raises(UsageError, match="has published its reports; open another one"):
            session.screen(listed)


CHANGED = {
    "score": ("UPDATE results SET probability = 0.01, triage = 'not_flagged' WHERE id = 4", 1),
    "seal": ("UPDATE results SET seal = '' WHERE id = 4", 1),
    "seal of another": (
        "UPDATE results SET seal = (SELECT seal FROM results WHERE id = 2) WHERE id = 4",
        1,
    ),
    "result": ("UPDATE places SET result = 11 - result WHERE result IN (5, 6)", 2),
    "stamp": ("UPDATE places SET stamp = stamp || '9' WHERE result = 5", 1),
    "seal of a place": ("UPDATE places SET seal = '' WHERE result = 5", 1),
}


@pytest.mark.parametrize(("command", "films"), CHANGED.values(), ids=CHANGED)
def test_a_row_that_was_changed_is_found_and_its_film_is_done_anew(
    command: str, films: int, scanned: Path, out: Path, model: Path
) -> None:
    rows = [row | {"seconds": ""} for row in _rows(out)]
    _ask(out, command)
    again = _scan(scanned, out, model)
    assert again.finished_before == FILMS or again.distrusted == films
    assert [row | {"seconds": ""} for row in _rows(out)] == rows
    with Store.open(out) as store:
        assert all(score.is_ours for score in store.scores(store.last_run()))
    assert _scan(scanned, out, model).distrusted == 0


def test_a_block_that_was_forged_vouches_for_nothing(
    scanned: Path, out: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _ask(out, "UPDATE blocks SET first = first + 1, last = last + 1")
    asked = _one_by_one(monkeypatch)
    assert _scan(scanned, out, model).finished_before == FILMS
    assert len(asked) == FILMS


def test_counts_that_were_forged_are_made_again(scanned: Path, out: Path, model: Path) -> None:
    tally = _scan(scanned, out, model).tally
    _ask(out, "UPDATE runs SET counted = replace(counted, '\"scored\": 9', '\"scored\": 8')")
    assert _scan(scanned, out, model).tally == tally


def test_a_row_without_a_seal_is_in_no_block(
    scanned: Path, out: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hand changes a row while a scan goes on, after its film was asked for and before blocks are made."""
    _ask(out, "DELETE FROM blocks")
    ask = Store.known

    def forge(self: Store, *film: object) -> object:
        found = ask(self, *film)  # type: ignore[arg-type]
        if film[0].file.endswith("film8.png"):  # type: ignore[attr-defined]  # the last of them
            self._db.execute("UPDATE results SET threshold = 0.4 WHERE id = 4")
        return found

    monkeypatch.setattr(Store, "known", forge)
    _scan(scanned, out, model)
    monkeypatch.undo()
    monkeypatch.setattr("cxr_runtime.scanning.known.LEAST", 2)
    monkeypatch.setattr("cxr_runtime.scanning.known.USUAL", 3)
    assert _scan(scanned, out, model).distrusted == 1


def test_a_new_film_is_scored_and_only_its_block_is_asked_for_one_by_one(
    scanned: Path, out: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = scanned / "films" / "film4b.png"
    new.write_bytes(encode_png(draw_phantom(77, hw=(128, 128))))
    asked = _one_by_one(monkeypatch)
    try:
        again = _scan(scanned, out, model)
    finally:
        new.unlink()
    assert again.finished_before == FILMS
    assert len(asked) < FILMS + 1
    files = [row["file"] for row in _rows(out)]
    assert files == sorted(files)
    assert len(files) == FILMS + 1
    assert _ask(out, "SELECT count(*) FROM places WHERE run = 2") == [(FILMS + 1,)]
    assert _scan(scanned, out, model).finished_before == FILMS
    assert len(_rows(out)) == FILMS


def test_another_operating_point_judges_all_films_anew(scanned: Path, out: Path, model: Path) -> None:
    other = write_model_folder(out.parent / "other", threshold=0.5)
    again = _scan(scanned, out, other)
    assert again.finished_before == FILMS
    assert {float(row["threshold"]) for row in _rows(out)} == {0.5}


def _killed_while_judging(patch: pytest.MonkeyPatch, films: int) -> None:
    """The process ends after so many films; those of a block that is not whole are judged as before."""
    done, judge = list[object](), StoreWriter._rejudge

    def rejudge(store: StoreWriter, fingerprint: str, film: Judged) -> None:
        if len(done) == films:
            raise KeyboardInterrupt
        done.append(film)
        judge(store, fingerprint, film)

    patch.setattr("cxr_runtime.store.writer.BLOCK", 2)
    patch.setattr(StoreWriter, "_rejudge", rejudge)


def test_a_run_that_is_killed_while_it_judges_states_nothing_and_the_next_one_ends_it(
    scanned: Path, out: Path, model: Path
) -> None:
    other = write_model_folder(out.parent / "other", threshold=0.5)
    with pytest.MonkeyPatch.context() as patch:
        _killed_while_judging(patch, 5)
        with pytest.raises(KeyboardInterrupt):
            _scan(scanned, out, other)
    judged = [threshold for (threshold,) in _ask(out, "SELECT threshold FROM results")]
    assert (judged.count(0.5), judged.count(0.9)) == (4, FILMS - 4)
    with Store.open(out) as store:
        assert [facts.threshold for facts, _ in store.ended()] == [0.9]
    assert {float(row["threshold"]) for row in _rows(out)} == {0.9}
    assert _scan(scanned, out, other).finished_before == FILMS
    assert {float(row["threshold"]) for row in _rows(out)} == {0.5}


def test_a_service_states_a_threshold_only_when_all_films_are_judged_by_it(out: Path) -> None:
    other = write_model_folder(out.parent / "other", threshold=0.5)
    with pytest.MonkeyPatch.context() as patch, LongSession.open(_options(out, other)) as session:
        _killed_while_judging(patch, 5)
        with pytest.raises(KeyboardInterrupt):
            session.take_stock(["folder"])
    with Store.open(out) as store:
        assert [facts.threshold for facts, _ in store.ended()] == [0.9]
    with LongSession.open(_options(out, other)) as session:
        session.take_stock(["folder"])
    with Store.open(out) as store:
        assert {outcome.threshold for outcome in store.outcomes(None)} == {0.5}
        assert [facts.threshold for facts, _ in store.ended()] == [0.9, 0.5]


def test_a_picture_that_is_gone_is_drawn_again_in_a_run_that_repeats(
    scanned: Path, out: Path, model: Path
) -> None:
    _scan(scanned, out, model)
    lost = sorted((out / "heatmaps").iterdir())[3]
    before = lost.read_bytes()
    lost.unlink()
    _scan(scanned, out, model)
    assert lost.stat().st_size > 0
    lost.write_bytes(before[: len(before) // 2])
    _scan(scanned, out, model)
    assert len(lost.read_bytes()) > len(before) // 2


def test_where_a_block_ends_is_a_matter_of_a_name_not_of_its_place() -> None:
    names = [f"night/{number:05d}.png" for number in range(300)]

    def ends(files: list[str]) -> set[str]:
        return {block[-1].file for block in in_blocks(FileOnDisk(file, Path(file)) for file in files)}

    assert ends(names)
    assert ends(["earlier.png", *names]) == ends(names)
