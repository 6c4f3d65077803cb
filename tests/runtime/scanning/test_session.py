import csv
import itertools
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_runtime.errors import CalibrationError, CxrTriageError, StoreError, UsageError
from cxr_runtime.files import ReportFormat
from cxr_runtime.heat.map import HeatMethod
from cxr_runtime.model.folder import read_manifest, write_manifest
from cxr_runtime.model.own_digest import marked
from cxr_runtime.outcome import Outcome, Status, Triage
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pictures import encode_jpeg
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.scanning.scan import ScanSummary, scan
from cxr_runtime.scanning.session import Session
from cxr_runtime.scanning.station import Station
from cxr_runtime.sources.film_source import FileOnDisk, FilmSource
from cxr_runtime.store.folder import held
from cxr_runtime.store.store import Store, read_scores
from cxr_runtime.store.writer import StoreWriter
from cxr_runtime.workers.tasks import Pause
from cxr_runtime.workers.worker import Worker
from model_folders import write_model_folder

CSV_ONLY = frozenset({ReportFormat.CSV})
FILMS = 11
THRESHOLD = 0.9


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scan") / "night"
    (folder / "ward").mkdir(parents=True)
    for seed in range(FILMS):
        pixels = draw_phantom(seed, hw=(256, 256))
        pixels = np.clip(pixels * (0.6 + 0.08 * seed), 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / ("ward" if seed % 2 else ".") / f"film{seed:02d}.png"), pixels)
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model_folder(tmp_path_factory.mktemp("model"), threshold=THRESHOLD)


def run(inputs: Sequence[Path], out: Path, model: Path, **options: object) -> ScanSummary:
    chosen = ScanOptions(out=out, model=model, backend="onnxruntime", formats=CSV_ONLY)
    return scan(inputs, replace(chosen, **options))  # type: ignore[arg-type]  # names are its own


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "results.csv").open(encoding="utf-8", newline="") as file:
        return [
            {key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)
        ]


def timeless(outcomes: Sequence[Outcome]) -> dict[str, Outcome]:
    return {Path(outcome.file).name: replace(outcome, file="", seconds=None) for outcome in outcomes}


def test_what_the_model_has_not_is_refused_before_anything_is_written(films: Path, tmp_path: Path) -> None:
    folder = write_model_folder(tmp_path / "model")
    manifest = read_manifest(folder / "model.json")
    linear = replace(manifest, heat=replace(manifest.heat, is_rectified=False))
    write_manifest(linear, folder / "model.json")
    out = tmp_path / "out"
    with pytest.raises(UsageError, match="no view strongest-channel"):
        run([films], out, folder, heat=HeatMethod.STRONGEST_CHANNEL)
    with pytest.raises(CalibrationError, match="nowhere"):
        run([films], out, folder, operating_point="nowhere")
    assert not out.exists()


def test_every_film_of_a_folder_is_scored(films: Path, model: Path, tmp_path: Path) -> None:
    summary = run([films], tmp_path / "out", model)
    assert (summary.tally.scored, summary.tally.rejected, summary.tally.failed) == (FILMS, 0, 0)
    found = [row["file"] for row in rows(tmp_path / "out")]
    assert found == sorted(found)
    assert found[0] == f"{films}/film00.png"


def test_the_store_keeps_films_as_well_as_is_asked_for(films: Path, model: Path, tmp_path: Path) -> None:
    run([films / "film00.png"], tmp_path, model, preview_quality=60)
    with Store.open(tmp_path) as store:
        ((_, picture),) = store.pictured(1)
    pixels = cv2.imread(str(films / "film00.png"), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    assert pixels is not None
    assert picture.preview_jpeg == encode_jpeg(np.asarray(pixels, np.uint8), 60)


def test_rows_are_the_same_bits_for_any_number_of_workers_and_order_of_films(
    films: Path, model: Path, tmp_path: Path
) -> None:
    forward = sorted(films.rglob("*.png"))
    one = run([films], tmp_path / "one", model, workers=1)
    three = run(forward[::-1], tmp_path / "three", model, workers=3)
    assert timeless(list(one.outcomes())) == timeless(list(three.outcomes()))


def test_probabilities_hardly_depend_on_the_batch_size(films: Path, model: Path, tmp_path: Path) -> None:
    eight = run([films], tmp_path / "eight", model, batch_size=8).outcomes()
    three = run([films], tmp_path / "three", model, batch_size=3).outcomes()
    for a, b in zip(eight, three, strict=True):
        assert a.probability == pytest.approx(b.probability, abs=1e-5)


def test_a_second_run_does_no_film_again(films: Path, model: Path, tmp_path: Path) -> None:
    run([films], tmp_path, model)
    before = read_scores(tmp_path)
    again = run([films], tmp_path, model)
    assert again.finished_before == FILMS
    assert read_scores(tmp_path) == before


def test_force_does_every_film_anew(films: Path, model: Path, tmp_path: Path) -> None:
    run([films], tmp_path, model)
    assert run([films], tmp_path, model, force=True).finished_before == 0


def test_a_changed_film_and_a_changed_model_are_done_anew(films: Path, model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    for film in sorted(films.glob("*.png"))[:3]:
        (folder / film.name).write_bytes(film.read_bytes())
    out = tmp_path / "out"
    run([folder], out, model)
    (folder / "film00.png").write_bytes((films / "ward" / "film01.png").read_bytes())
    assert run([folder], out, model).finished_before == 2
    other = write_model_folder(tmp_path / "other")
    manifest = (other / "model.json").read_text()
    (other / "model.json").write_text(marked(manifest.replace('"gain": 8.0', '"gain": 7.0'), None))
    assert run([folder], out, other).finished_before == 0


def test_another_operating_point_judges_again_without_reading_again(
    films: Path, model: Path, tmp_path: Path
) -> None:
    first = run([films], tmp_path, model)
    strict = run([films], tmp_path, model, operating_point="strict")
    assert strict.finished_before == FILMS
    assert strict.tally.flagged > first.tally.flagged
    assert {row["operating_point"] for row in rows(tmp_path)} == {"strict"}


def test_a_bad_film_ends_as_one_row_and_the_others_are_scored(
    films: Path, model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    good = (films / "film00.png").read_bytes()
    (folder / "a.png").write_bytes(good)
    (folder / "b.png").write_bytes(good[: len(good) // 2])
    (folder / "c.png").write_bytes(b"")
    (folder / "d.dcm").write_text("not a film")
    summary = run([folder], tmp_path / "out", model)
    assert (summary.tally.scored, summary.tally.failed) == (1, 3)
    for outcome in list(summary.outcomes())[1:]:
        assert outcome.status is Status.FAILED
        assert outcome.code
        assert outcome.message
        assert outcome.probability is None
        assert outcome.triage is None
        assert outcome.model == ""


def test_triage_follows_the_threshold(films: Path, model: Path, tmp_path: Path) -> None:
    for outcome in run([films], tmp_path, model).outcomes():
        assert outcome.probability is not None
        expected = Triage.FLAGGED if outcome.probability >= THRESHOLD else Triage.NOT_FLAGGED
        assert outcome.triage is expected


def test_a_folder_without_films_is_an_error(model: Path, tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "notes.txt").write_text("none here")
    with pytest.raises(CxrTriageError, match=r"\(1 other file\)"):
        run([tmp_path / "films"], tmp_path / "out", model)
    assert not (tmp_path / "out").exists()


def test_the_output_folder_of_a_scan_is_not_scanned(films: Path, model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "a.png").write_bytes((films / "film00.png").read_bytes())
    everything = frozenset(ReportFormat)
    for _ in range(2):
        summary = run([folder], folder / "out", model, formats=everything)
        assert summary.tally.films == 1


def test_all_reports_are_written(films: Path, model: Path, tmp_path: Path) -> None:
    run([films], tmp_path, model, formats=frozenset(ReportFormat))
    for name in ("results.csv", "worklist.html", "report.pdf", "triage.sqlite"):
        assert (tmp_path / name).stat().st_size > 0
    assert len(list((tmp_path / "heatmaps").glob("*.png"))) == FILMS
    archives = sorted((tmp_path / "heatmaps").glob("*.npz"))
    assert len(archives) == FILMS
    with np.load(archives[0]) as archive:
        assert archive["heat"].dtype == np.float32
        assert archive["heat"].ndim == 2
        assert 0 <= archive["heat"].min() <= archive["heat"].max() <= 1
        assert archive["film_hw"].tolist() == [256, 256]


def test_pictures_missing_after_an_earlier_run_are_drawn_from_the_store(
    films: Path, model: Path, tmp_path: Path
) -> None:
    run([films], tmp_path, model)
    assert not list((tmp_path / "heatmaps").glob("*.png"))
    again = run([films], tmp_path, model, formats=frozenset({ReportFormat.PNG}))
    assert again.finished_before == FILMS
    assert len(list((tmp_path / "heatmaps").glob("*.png"))) == FILMS


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right on Windows")
def test_a_picture_that_is_empty_half_or_a_link_is_made_again(
    films: Path, model: Path, tmp_path: Path
) -> None:
    out, formats = tmp_path / "out", frozenset({ReportFormat.PNG, ReportFormat.NPZ})
    run([films], out, model, formats=formats)
    pictures = sorted((out / "heatmaps").iterdir())
    before = {path.name: path.read_bytes() for path in pictures}
    assert len(before) == 2 * FILMS
    elsewhere = tmp_path / "elsewhere.png"
    pictures[0].rename(elsewhere)
    pictures[0].symlink_to(elsewhere)
    for path, length in zip(pictures[1:5], (0, 5, 40, -1), strict=True):
        path.write_bytes(before[path.name][:length])
    pictures[6].write_bytes(before[pictures[6].name][:-20] + bytes(20))  # as XFS leaves it after a power cut
    pictures[9].write_bytes(before[pictures[11].name])  # the picture of another film
    again = run([films], out, model, formats=formats)
    assert again.finished_before == FILMS
    assert [path.name for path in pictures if path.is_symlink()] == []
    for path in pictures:
        if path.suffix == ".png":
            assert path.read_bytes()[-12:] == before[path.name][-12:]
            found, drawn = (
                np.asarray(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR), float)
                for content in (path.read_bytes(), before[path.name])
            )
            assert np.abs(found - drawn).mean() < 4  # drawn from a preview with losses
        else:
            np.load(path).close()


def test_a_doctored_folder_is_not_believed_and_gives_the_table_of_a_new_one(
    films: Path, model: Path, tmp_path: Path
) -> None:
    first = run([films], tmp_path, model, formats=frozenset(ReportFormat))
    assert first.distrusted == 0
    before = rows(tmp_path)
    (tmp_path / "results.csv").write_text("file,score\n", encoding="utf-8")
    with closing(sqlite3.connect(tmp_path / "triage.sqlite")) as db, db:
        db.execute("UPDATE results SET probability = 0.001, triage = 'not_flagged' WHERE id % 2")
    again = run([films], tmp_path, model, formats=frozenset(ReportFormat))
    assert rows(tmp_path) == before
    assert (again.distrusted, again.finished_before) == (6, FILMS - 6)


def test_a_folder_of_another_machine_is_done_anew_whole(
    films: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run([films], tmp_path / "out", model)
    monkeypatch.setenv("CXR_TRIAGE_DATA", str(tmp_path / "other"))
    again = run([films], tmp_path / "out", model)
    assert (again.distrusted, again.finished_before) == (FILMS, 0)
    assert run([films], tmp_path / "out", model).finished_before == FILMS


def test_the_lung_outline_is_drawn_on_pictures_when_asked_for(
    films: Path, model: Path, tmp_path: Path
) -> None:
    png = frozenset({ReportFormat.PNG})

    def picture() -> NDArray[np.uint8]:
        (path,) = (tmp_path / "heatmaps").glob("*.png")
        return np.asarray(cv2.imread(str(path)), np.uint8)

    run([films / "film00.png"], tmp_path, model, formats=png)
    plain = picture()
    asked = run([films / "film00.png"], tmp_path, model, formats=png, lung_outline=True)
    assert asked.finished_before == 0
    changed = (picture() != plain).any(axis=2)
    assert 200 < changed.sum() < 0.1 * changed.size
    assert (picture()[changed] >= plain[changed]).all()


def test_a_damaged_store_stops_the_scan_and_is_kept(films: Path, model: Path, tmp_path: Path) -> None:
    (tmp_path / "triage.sqlite").write_bytes(b"something else entirely" * 50)
    with pytest.raises(StoreError, match="--out"):
        run([films], tmp_path, model)
    assert (tmp_path / "triage.sqlite").read_bytes().startswith(b"something else")


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's")
def test_a_killed_scan_goes_on_and_ends_with_the_same_table(films: Path, model: Path, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run([films], whole, model, batch_size=2)
    program = (
        "from cxr_runtime import ScanOptions, scan; from pathlib import Path; "
        f"scan([{str(films)!r}], ScanOptions(out=Path({str(broken)!r}), model={str(model)!r}, "
        "backend='onnxruntime', batch_size=2, workers=1))"
    )
    kept = 0
    for wanted in (2, 6):
        process = subprocess.Popen([sys.executable, "-c", program], start_new_session=True)
        while process.poll() is None and stored_rows(broken) < wanted:
            time.sleep(0.005)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        kept = stored_rows(broken)
        assert kept >= wanted
    resumed = run([films], broken, model, batch_size=2)
    assert resumed.finished_before == kept
    assert rows(broken) == rows(whole)


def stored_rows(out: Path) -> int:
    try:
        return len(read_scores(out))
    except StoreError:
        return 0


def test_the_same_films_under_another_path_are_not_scored_again(
    films: Path, model: Path, tmp_path: Path
) -> None:
    first = run([films], tmp_path / "out", model)
    moved = tmp_path / "moved"
    shutil.copytree(films, moved)
    again = run([moved], tmp_path / "out", model)
    assert again.finished_before == FILMS
    assert timeless(list(again.outcomes())) == timeless(list(first.outcomes()))
    assert all(row["file"].startswith(str(moved)) for row in rows(tmp_path / "out"))


def test_copies_of_one_film_are_rows_of_one_score(films: Path, model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    for name in ("a.png", "b.png", "c.png"):
        (folder / name).write_bytes((films / "film00.png").read_bytes())
    formats = frozenset({ReportFormat.CSV, ReportFormat.PNG})
    run([folder], tmp_path / "out", model, batch_size=1, formats=formats)
    found = rows(tmp_path / "out")
    assert [Path(row["file"]).name for row in found] == ["a.png", "b.png", "c.png"]
    assert len({(row["sha256"], row["probability"]) for row in found}) == 1
    assert len(list((tmp_path / "out" / "heatmaps").glob("*.png"))) == 3


def test_a_finished_scan_starts_no_worker_and_writes_no_report(
    films: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = frozenset(ReportFormat)
    run([films], tmp_path / "out", model, formats=everything)
    before = {
        path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.*") if "sqlite" not in path.name
    }

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("nothing is left to be done")

    monkeypatch.setattr(Worker, "start", refuse)
    monkeypatch.setattr(Station, "_open_engine", refuse)
    assert run([films], tmp_path / "out", model, formats=everything).finished_before == FILMS
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_film_that_was_only_touched_is_read_and_not_scored(
    films: Path, model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "films"
    shutil.copytree(films, folder)
    run([folder], tmp_path / "out", model)
    os.utime(folder / "film00.png", (1, 1))
    assert run([folder], tmp_path / "out", model).finished_before == FILMS


def test_a_report_that_was_deleted_is_written_again(films: Path, model: Path, tmp_path: Path) -> None:
    run([films], tmp_path, model)
    content = (tmp_path / "results.csv").read_bytes()
    (tmp_path / "results.csv").unlink()
    run([films], tmp_path, model)
    assert (tmp_path / "results.csv").read_bytes() == content


def test_a_session_finishes_what_is_in_hand_at_a_pause_and_goes_on(films: Path, model: Path) -> None:
    sources = [FileOnDisk(path.name, path) for path in sorted(films.rglob("*.png"))]
    given: list[str] = []

    def arriving() -> Iterator[FilmSource | Pause]:
        for source in itertools.cycle(sources):
            given.append(source.file)
            yield source
            yield Pause.PAUSE

    options = ScanOptions(model=model, backend="onnxruntime", batch_size=8, workers=1)
    with Session.open(options) as session:
        screened = session.screen(arriving())
        for source in sources[:3]:
            assert next(screened).file == source.file
            assert given[-1] == source.file
        later = list(itertools.islice(screened, len(sources)))
        assert session.known.finished == 3
    assert [outcome.file for outcome in later] == [source.file for source in (*sources[3:], *sources[:3])]


def test_a_session_that_cannot_begin_frees_its_folder(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: StoreWriter) -> int:
        raise StoreError("the disk is full")

    monkeypatch.setattr(StoreWriter, "begin_run", refuse)
    with pytest.raises(StoreError, match="full") as caught:
        Session.open(ScanOptions(model=model, out=tmp_path))
    assert caught.tb  # it still holds everything that was open
    with held(tmp_path):
        pass


def test_a_session_without_a_folder_keeps_its_rows_in_memory(films: Path, model: Path) -> None:
    source = FileOnDisk("film00.png", films / "film00.png")
    with Session.open(ScanOptions(model=model, backend="onnxruntime", workers=1)) as session:
        (outcome,) = session.screen([source])
        (score,) = session.scores()
        with pytest.raises(UsageError, match="publishes nothing"):
            session.publish()
    assert score.outcome == outcome
    assert score.margin is not None
