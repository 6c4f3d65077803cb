"""Processes that start ahead are taken by whoever needs them first, and nobody's end."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from cxr_runtime.workers import starting
from cxr_runtime.workers.pool import WorkerPool
from cxr_runtime.workers.starting import WORKER, Started, ahead, started
from cxr_runtime.workers.tasks import Plain

WORK = "cxr_runtime.scanning.answers:Examining"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Every process that is started."""
    processes, start = list[subprocess.Popen[bytes]](), starting.start_process

    def noted(*what: Any, **how: Any) -> subprocess.Popen[bytes]:
        processes.append(start(*what, **how))
        return processes[-1]

    monkeypatch.setattr(starting, "start_process", noted)
    return processes


def workers_of(made: list[subprocess.Popen[bytes]]) -> list[subprocess.Popen[bytes]]:
    return [process for process in made if isinstance(process.args, list) and WORKER in process.args]


@pytest.fixture
def taken() -> Iterator[list[Started]]:
    """Processes that are ended behind the test."""
    processes = list[Started]()
    yield processes
    for one in processes:
        one.end()


def test_a_process_that_started_ahead_is_taken_once(
    made: list[subprocess.Popen[bytes]], taken: list[Started], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    with ahead(WORK):
        were_there = list(made)
        taken += [started(WORKER) for _ in range(3)]
    assert [one.process in were_there for one in taken] == [True, True, False]


def test_on_one_processor_one_worker_starts_ahead(
    made: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    with ahead(WORK):
        assert len(workers_of(made)) == 1


def test_a_worker_that_a_pool_does_not_need_has_ended_once_the_pool_works(
    made: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    with ahead(WORK), WorkerPool[Any, Any](Plain("builtins:abs"), 1) as pool:
        list(pool.results([-3]))
        assert workers_of(made)[-1].poll() is not None


def test_processes_that_nobody_took_have_ended(made: list[subprocess.Popen[bytes]]) -> None:
    with ahead(WORK):
        assert made
    assert all(process.poll() is not None for process in made)


def test_a_worker_that_got_ready_for_other_work_does_this_work_all_the_same(
    made: list[subprocess.Popen[bytes]],
) -> None:
    with ahead(WORK), WorkerPool[Any, Any](Plain("builtins:abs"), 1) as pool:
        were_there = len(made)
        assert [result for task, result in pool.results([-3]) if task == -3] == [3]  # type: ignore[misc]  # no pause
        assert len(made) == were_there


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has priorities of another kind")
def test_a_worker_gives_way_to_its_parent_where_it_should(made: list[subprocess.Popen[bytes]]) -> None:
    with WorkerPool[Any, Any](Plain("builtins:abs"), 1, niceness=3) as pool:
        list(pool.results([-3]))
        own = os.getpriority(os.PRIO_PROCESS, 0)
        assert os.getpriority(os.PRIO_PROCESS, made[0].pid) == min(own + 3, 19)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has priorities of another kind")
def test_both_workers_give_way_alike_whichever_started_ahead(
    made: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    with ahead(WORK), WorkerPool[Any, Any](Plain("builtins:abs"), 2, niceness=10) as pool:
        list(pool.results(range(-40, 0)))
        own = os.getpriority(os.PRIO_PROCESS, 0)
        workers = [process.pid for process in workers_of(made)]
        assert {os.getpriority(os.PRIO_PROCESS, each) for each in workers} == {min(own + 10, 19)}


def test_a_worker_without_work_ends_with_its_parent() -> None:
    worker = started(WORKER)
    assert worker.process.stdin is not None
    worker.process.stdin.close()
    try:
        assert worker.process.wait(timeout=60) == 0
    finally:
        worker.end()
