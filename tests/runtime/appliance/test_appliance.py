"""An appliance with drawn films, whose parts are made to die."""

import csv
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import cv2
import pytest

from cxr_runtime.appliance.appliance import Appliance, Tools
from cxr_runtime.appliance.health import ApplianceHealth, State, read_health
from cxr_runtime.appliance.orders import Orders, check_model, check_places, orders_of
from cxr_runtime.appliance.restarting import Waits
from cxr_runtime.appliance.settings import Clinic
from cxr_runtime.arrivals.tree import WatchedTree
from cxr_runtime.arrivals.watched import WatchedFolder
from cxr_runtime.errors import ModelError, StoreError, UsageError
from cxr_runtime.journal import Journal
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.scanning.long_session import LongSession
from cxr_runtime.sources.film_source import FilmSource
from cxr_runtime.workers.opening import Opener
from model_folders import write_model_folder

PATIENCE = 120.0  # seconds for what takes a few
SHORT = Waits(first=0.01, growth=1.0, longest=0.01)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model_folder(tmp_path_factory.mktemp("model"))


def settings(folder: Path, model: Path, **more: object) -> Orders:
    """Of an appliance that watches two folders below `folder`."""
    for name in ("in1", "in2"):
        (folder / name).mkdir(exist_ok=True)
    screening = {"model": str(model), "backend": "onnxruntime", "workers": 1, "formats": "csv"}
    given = {
        "out": folder / "out",
        "watch": {"folders": (str(folder / "in1"), str(folder / "in2"))},
        "screening": screening,
        "health": {"every_seconds": 0.1},
        "disk": {"stop_below": "1M"},
    }
    return orders_of(Clinic.model_validate({**given, **more}))


def draw(path: Path, seed: int) -> None:
    """A film that comes as a whole."""
    part = path.with_suffix(".part")
    part.write_bytes(cv2.imencode(".png", draw_phantom(seed, hw=(256, 256)))[1].tobytes())
    part.rename(path)


def files(out: Path) -> list[str]:
    with (out / "results.csv").open(encoding="utf-8", newline="") as file:
        return sorted(Path(row["file"]).name for row in csv.DictReader(file))


@dataclass
class Running:
    """An appliance in a thread."""

    orders: Orders
    said: list[str] = field(default_factory=list)
    free: int = 1 << 40
    failures: list[BaseException] = field(default_factory=list)

    def health(self) -> ApplianceHealth:
        return read_health(self.orders.health_file)

    def wait(self, is_so: Callable[[ApplianceHealth], bool]) -> ApplianceHealth:
        """Wait until the health file says so."""
        end = time.monotonic() + PATIENCE
        while not (self.orders.health_file.exists() and is_so(self.health())):
            assert time.monotonic() < end, self.said
            assert not self.failures
            time.sleep(0.02)
        return self.health()

    @contextmanager
    def run(self) -> Iterator[None]:
        with Opener() as opener:
            tools = Tools(Journal(), opener, self.said.append, lambda _: self.free, SHORT)
            appliance = Appliance(self.orders, tools)
            thread = Thread(target=self._run, args=(appliance,))
            thread.start()
            try:
                yield
            finally:
                appliance.end()
                thread.join(PATIENCE)
        assert not thread.is_alive()

    def _run(self, appliance: Appliance) -> None:
        try:
            appliance.run()
        except BaseException as error:  # noqa: BLE001 - the test shows it
            self.failures.append(error)


def part_of(health: ApplianceHealth, name: str) -> int:
    """How often a part has died."""
    return next(part.deaths for part in health.parts if part.name == name)


def has_died(name: str, times: int) -> Callable[[ApplianceHealth], bool]:
    return lambda health: part_of(health, name) == times


def test_films_of_all_folders_go_into_one_store_and_health_counts_them(tmp_path: Path, model: Path) -> None:
    running = Running(settings(tmp_path, model))
    with running.run():
        draw(tmp_path / "in1" / "1.png", 1)
        draw(tmp_path / "in2" / "2.png", 2)
        health = running.wait(lambda health: health.films == 2 and not health.waiting)
    assert (health.state, health.amiss) == (State.WELL, ())
    assert health.last_film is not None
    assert health.free_bytes == running.free
    assert {part.name for part in health.parts} == {"scoring", "watch-1", "watch-2"}
    assert files(tmp_path / "out") == ["1.png", "2.png"]
    assert running.health().state is State.ENDED
    assert (running.said, running.failures) == ([], [])


def test_a_scoring_that_dies_is_begun_again_and_no_film_is_lost_or_done_twice(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen, deaths = LongSession.screen, iter([StoreError("the disk failed"), ValueError("a fault of ours")])

    def dying(session: LongSession, films: Iterator[FilmSource]) -> Iterator[object]:
        for outcome in screen(session, films):
            yield outcome
            if (error := next(deaths, None)) is not None:
                raise error

    monkeypatch.setattr(LongSession, "screen", dying)
    running = Running(settings(tmp_path, model))
    with running.run():
        for death in (1, 2):
            for seed in (2 * death - 2, 2 * death - 1):
                draw(tmp_path / "in1" / f"{seed}.png", seed)
            running.wait(has_died("scoring", death))
        running.wait(lambda health: not health.waiting)
    assert files(tmp_path / "out") == ["0.png", "1.png", "2.png", "3.png"]
    assert running.failures == []
    assert len(running.said) == 2


def test_a_folder_s_thread_that_dies_is_begun_again_while_the_other_goes_on(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, deaths = WatchedTree.look, iter([MemoryError(), OSError(5, "Input/output error")])

    def dying(tree: WatchedTree, now: float) -> list[FilmSource]:
        if tree.typed.endswith("in1") and (error := next(deaths, None)) is not None:
            raise error
        return look(tree, now)

    monkeypatch.setattr(WatchedTree, "look", dying)
    running = Running(settings(tmp_path, model))
    with running.run():
        draw(tmp_path / "in1" / "1.png", 1)
        draw(tmp_path / "in2" / "2.png", 2)
        health = running.wait(lambda health: health.films == 2 and not health.waiting)
    assert (part_of(health, "watch-1"), part_of(health, "watch-2"), part_of(health, "scoring")) == (2, 0, 0)
    assert files(tmp_path / "out") == ["1.png", "2.png"]


def test_while_the_disk_is_nearly_full_films_wait(tmp_path: Path, model: Path) -> None:
    running = Running(settings(tmp_path, model))
    running.free = 1 << 19
    with running.run():
        draw(tmp_path / "in1" / "1.png", 1)
        health = running.wait(lambda health: health.waiting == 1)
        assert (health.state, health.amiss, health.films) == (State.AMISS, ("disk-full",), 0)
        running.free = 1 << 21
        health = running.wait(lambda health: health.films == 1)
    assert files(tmp_path / "out") == ["1.png"]
    assert health.amiss == ()


def test_a_folder_that_is_not_there_is_waited_for_and_health_says_so(tmp_path: Path, model: Path) -> None:
    running = Running(settings(tmp_path, model))
    (tmp_path / "in1").rmdir()
    with running.run():
        health = running.wait(lambda health: "watch-1-away" in health.amiss)
        assert health.state is State.AMISS
        (tmp_path / "in1").mkdir()
        draw(tmp_path / "in1" / "1.png", 1)
        running.wait(lambda health: health.films == 1 and health.state is State.WELL)


def test_a_second_appliance_is_refused_and_leaves_the_health_file_alone(tmp_path: Path, model: Path) -> None:
    running = Running(settings(tmp_path, model))
    with running.run():
        running.wait(lambda health: health.state is State.WELL)
        second = Running(running.orders)
        with second.run():
            pass
        assert running.wait(lambda health: health.state is State.WELL)
    assert [type(failure) for failure in second.failures] == [StoreError]
    assert "in use by another appliance" in str(second.failures[0])


def test_pictures_are_dropped_beside_the_scoring(tmp_path: Path, model: Path) -> None:
    running = Running(settings(tmp_path, model, retention={"pictures_for": "90d"}))
    with running.run():
        draw(tmp_path / "in1" / "1.png", 1)
        health = running.wait(lambda health: health.films == 1)
    assert part_of(health, "retention") == 0


def test_what_only_this_machine_can_tell_is_checked(tmp_path: Path, model: Path) -> None:
    check_model(settings(tmp_path, model))
    check_places(settings(tmp_path, model))
    with pytest.raises(ModelError):
        check_model(settings(tmp_path, tmp_path / "nowhere"))
    with pytest.raises(UsageError, match=r"watch\.folders"):
        check_places(settings(tmp_path, model, watch={"folders": (str(tmp_path / "nowhere"),)}))
    with pytest.raises(UsageError, match="--format"):
        settings(tmp_path, model, screening={"formats": "docx"})
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"log\.file is .*cannot write"):
        check_places(settings(tmp_path, model, log={"file": tmp_path / "file" / "log"}))
    with pytest.raises(UsageError, match="--share-with"):
        settings(tmp_path, model, share_with="no-such-group-here")


def test_an_appliance_watches_folders_through_their_own_threads(tmp_path: Path, model: Path) -> None:
    with Opener() as opener:
        appliance = Appliance(settings(tmp_path, model), Tools(Journal(), opener, list[str]().append))
    makers = appliance._places()
    assert list(makers) == ["watch-1", "watch-2"]
    assert isinstance(makers["watch-1"](), WatchedFolder)
