"""An appliance with drawn films, whose parts are made to die."""

import sys
import threading
from pathlib import Path

import pytest

from cxr_runtime.appliance import checking
from cxr_runtime.appliance.appliance import Appliance, Tools
from cxr_runtime.appliance.checking import (
    check_backend,
    check_files,
    check_model,
    check_places,
    check_programs,
)
from cxr_runtime.appliance.health import State
from cxr_runtime.arrivals.tree import WatchedTree
from cxr_runtime.arrivals.watched import WatchedFolder
from cxr_runtime.errors import ModelError, StoreError, UsageError
from cxr_runtime.journal import Journal
from cxr_runtime.sources.film_source import FilmSource
from cxr_runtime.workers.opener import Opener
from model_folders import write_model_folder
from running_appliances import Running, draw, files, has_died, let_scoring_die, part_of, settings
from service_rows import rows_of


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model_folder(tmp_path_factory.mktemp("model"))


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
    let_scoring_die(monkeypatch, StoreError("the disk failed"), ValueError("a fault of ours"))
    running = Running(settings(tmp_path, model))
    with running.run():
        for death in (1, 2):
            for seed in (2 * death - 2, 2 * death - 1):
                draw(tmp_path / "in1" / f"{seed}.png", seed)
            running.wait(has_died("scoring", death))
        running.wait(lambda health: not health.waiting and rows_of(tmp_path / "out") == 4)
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
    check_backend(settings(tmp_path, model))
    with pytest.raises(ModelError):
        check_model(settings(tmp_path, tmp_path / "nowhere"))
    with pytest.raises(UsageError, match="does not fit"):
        check_backend(settings(tmp_path, model, screening={"backend": "onnxruntime", "require_gpu": True}))
    with pytest.raises(UsageError, match=r"watch\.folders"):
        check_places(settings(tmp_path, model, watch={"folders": (str(tmp_path / "nowhere"),)}))
    with pytest.raises(UsageError, match="--format"):
        settings(tmp_path, model, screening={"formats": "docx"})
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"log\.file is .*cannot write"):
        check_files(settings(tmp_path, model, log={"file": tmp_path / "file" / "log"}))
    with pytest.raises(UsageError, match=r"log\.file is .*, which is a folder; expected a file"):
        check_files(settings(tmp_path, model, log={"file": tmp_path}))
    with pytest.raises(UsageError, match=r"health\.file is .*, which is a folder; expected a file"):
        check_files(settings(tmp_path, model, health={"file": tmp_path}))
    with pytest.raises(UsageError, match=r"out is .*file, which is a file; expected a folder"):
        check_places(settings(tmp_path, model, out=tmp_path / "file"))
    with pytest.raises(UsageError, match="--share-with"):
        settings(tmp_path, model, share_with="no-such-group-here")


def test_a_watched_share_that_hangs_holds_up_no_start(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()
    monkeypatch.setattr(checking, "SHARE_SECONDS", 0.01)
    monkeypatch.setattr(checking, "refuse_results", lambda *_: answers.wait())
    checking.check_folders(settings(tmp_path, model))
    assert not answers.is_set()
    answers.set()


def test_a_command_of_alerts_that_cannot_be_run_is_found_before_a_film_is_missed(
    tmp_path: Path, model: Path
) -> None:
    check_programs(settings(tmp_path, model))
    check_programs(settings(tmp_path, model, alert={"score": 95, "command": f"'{sys.executable}' -c pass"}))
    with pytest.raises(UsageError, match=r"alert\.command names .*call-nurse, which this user cannot run"):
        check_programs(settings(tmp_path, model, alert={"score": 95, "command": f"{tmp_path}/call-nurse 7"}))


def test_an_appliance_watches_folders_through_their_own_threads(tmp_path: Path, model: Path) -> None:
    with Opener() as opener:
        appliance = Appliance(settings(tmp_path, model), Tools(Journal(), opener, list[str]().append))
    makers = appliance._places()
    assert list(makers) == ["watch-1", "watch-2"]
    assert isinstance(makers["watch-1"](), WatchedFolder)
