"""The loop of a service, fed by a script: what arrives, in which order, and by which clock."""

import csv
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import cv2
import pytest

from cxr_runtime.arrivals.service import Service, ServiceOptions
from cxr_runtime.atomic import file_stamp
from cxr_runtime.files import ReportFormat
from cxr_runtime.journal import Journal
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.scanning.options import ScanOptions
from cxr_runtime.sources.film_source import FileOnDisk, FilmSource
from cxr_runtime.store.store import Store, read_scores
from model_folders import write_model_folder

EVENING = datetime(2026, 11, 29, 23, 59, 0, tzinfo=UTC)
MORNING = datetime(2026, 11, 30, 0, 0, 1, tzinfo=UTC)

Step = Sequence[FilmSource] | Callable[[], None]


class Script:
    """Gives the films of one step after the other; a step may do something instead. Then the service ends."""

    def __init__(self, *steps: Step) -> None:
        self._steps = list(steps)
        self.service: Service | None = None

    def start(self, bell: Event) -> None:
        self._bell = bell

    def take(self) -> Iterator[FilmSource]:
        self._bell.set()  # the next step is not waited for
        if not self._steps:
            assert self.service is not None
            self.service.end()
            return
        step = self._steps.pop(0)
        if callable(step):
            step()
        else:
            yield from step

    def waiting(self) -> int:
        return len(self._steps)

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model_folder(tmp_path_factory.mktemp("model"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def film(folder: Path, seed: int, name: str = "", *, is_settled: bool = True) -> FileOnDisk:
    path = folder / (name or f"{seed}.png")
    cv2.imwrite(str(path), draw_phantom(seed, hw=(256, 256)))
    return found(path, is_settled=is_settled)


def found(path: Path, *, is_settled: bool = True) -> FileOnDisk:
    """The film as it is now."""
    return FileOnDisk(path.name, path, file_stamp(path), is_settled)


def serve(
    out: Path,
    model: Path,
    *steps: Step,
    clock: Callable[[], datetime] = lambda: EVENING,
    is_dated: bool = False,
    formats: frozenset[ReportFormat] = frozenset({ReportFormat.CSV}),
) -> Service:
    screening = ScanOptions(out=out, model=model, backend="onnxruntime", formats=formats, workers=1)
    script = Script(*steps)
    service = Service([script], ServiceOptions(screening, ("in",), is_dated), Journal(), clock)
    script.service = service
    service.run()
    return service


def files(out: Path) -> list[str]:
    with (out / "results.csv").open(encoding="utf-8", newline="") as file:
        return [row["file"] for row in csv.DictReader(file)]


def test_the_reports_hold_every_film_of_the_store_by_arrival(
    folder: Path, model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    serve(out, model, [film(folder, 3)], [film(folder, 1), film(folder, 2)])
    assert files(out) == ["3.png", "1.png", "2.png"]
    service = serve(out, model, [film(folder, 4)])
    assert files(out) == ["3.png", "1.png", "2.png", "4.png"]
    assert service.tally.scored == 4


def test_a_film_that_stands_as_it_was_finished_needs_nothing_after_a_restart(
    folder: Path, model: Path, tmp_path: Path
) -> None:
    out, one = tmp_path / "out", film(folder, 1)
    serve(out, model, [one])
    service = serve(out, model, [one])
    assert service.health().films == 0
    assert len(read_scores(out)) == 1
    with Store.open(out) as store:
        assert len(list(store.outcomes(store.last_run()))) == 0


def test_films_that_were_moved_and_deleted_keep_their_rows(folder: Path, model: Path, tmp_path: Path) -> None:
    out, moved, deleted = tmp_path / "out", film(folder, 1), film(folder, 2)
    serve(out, model, [moved, deleted])
    (folder / "2.png").unlink()
    (folder / "done.png").write_bytes((folder / "1.png").read_bytes())
    (folder / "1.png").unlink()
    serve(out, model, [found(folder / "done.png")])
    assert files(out) == ["done.png", "2.png"]


def test_a_film_that_went_before_it_was_read_has_no_row_until_it_is_back(
    folder: Path, model: Path, tmp_path: Path
) -> None:
    out, gone = tmp_path / "out", film(folder, 1)
    (folder / "1.png").unlink()
    service = serve(out, model, [gone, film(folder, 2)])
    assert files(out) == ["2.png"]
    assert service.health().films == 1
    serve(out, model, [film(folder, 1)])
    assert files(out) == ["2.png", "1.png"]


def test_a_film_that_was_not_whole_has_one_row_in_the_end(folder: Path, model: Path, tmp_path: Path) -> None:
    out, whole = tmp_path / "out", film(folder, 1, is_settled=False)
    content = (folder / "1.png").read_bytes()
    (folder / "1.png").write_bytes(content[:3000])

    def written_on() -> None:
        assert [score.outcome.status for score in read_scores(out)] == ["failed"]
        (folder / "1.png").write_bytes(content)

    service = serve(
        out, model, [whole], [], written_on, [FileOnDisk("1.png", folder / "1.png", "written on")]
    )
    assert files(out) == ["1.png"]
    assert service.tally.scored == 1
    assert service.health().to_be_tried_again == 1


def test_at_midnight_a_new_folder_begins_and_no_film_is_in_two(
    folder: Path, model: Path, tmp_path: Path
) -> None:
    out, now = tmp_path / "out", [EVENING]
    old, new = film(folder, 1), film(folder, 2)
    serve(
        out, model, [old], lambda: now.__setitem__(0, MORNING), [], [new], clock=lambda: now[0], is_dated=True
    )
    assert files(out / "2026-11-29") == ["1.png"]
    assert files(out / "2026-11-30") == ["2.png"]
    again = found(folder / "copy.png")
    again.path.write_bytes(old.path.read_bytes())
    third = film(folder, 3)
    serve(out, model, [old, new, again, third], clock=lambda: MORNING, is_dated=True)
    assert files(out / "2026-11-29") == ["1.png"]
    assert files(out / "2026-11-30") == ["2.png", "3.png"]


def test_what_ends_a_service_ends_it_after_the_films_that_have_begun(
    folder: Path, model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    given = [film(folder, seed) for seed in range(3)]
    screening = ScanOptions(
        out=out, model=model, backend="onnxruntime", formats=frozenset({ReportFormat.CSV})
    )

    class Ending(Script):
        def take(self) -> Iterator[FilmSource]:
            yield given[0]
            assert self.service is not None
            self.service.end()
            yield from given[1:]

    script = Ending()
    script.service = Service([script], ServiceOptions(screening, ("in",)), Journal())
    script.service.run()
    assert files(out) == ["0.png", "1.png"]


def test_all_reports_are_there_when_a_service_has_ended(folder: Path, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    serve(out, model, [film(folder, 1)], formats=frozenset(ReportFormat))
    assert {"results.csv", "worklist.html", "report.pdf", "triage.sqlite"} <= {
        path.name for path in out.iterdir()
    }
    assert {path.suffix for path in (out / "heatmaps").iterdir()} == {".png", ".npz"}


def test_a_service_in_which_nothing_arrives_writes_empty_reports(model: Path, tmp_path: Path) -> None:
    serve(tmp_path / "out", model, [], formats=frozenset(ReportFormat))
    assert files(tmp_path / "out") == []
    assert "0 films" in (tmp_path / "out" / "worklist.html").read_text()
