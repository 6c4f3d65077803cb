import os
import pickle
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from cxr_runtime.errors import InstallationError
from cxr_runtime.workers import pool as pool_module
from cxr_runtime.workers.pool import WorkerDiedError, WorkerKilledError, WorkerPool, WorkerTimeoutError
from cxr_runtime.workers.tasks import MOST_PASSED, Passed, Pause, Plain
from cxr_runtime.workers.worker import Worker

T = TypeVar("T")
R = TypeVar("R")


def done(pool: WorkerPool[T, R], tasks: Iterable[T]) -> list[tuple[T, object]]:
    """Every task with its end."""
    asked: list[T | Passed[None] | Pause] = [*tasks]
    return [item for item in pool.results(asked) if isinstance(item, tuple)]


def test_every_task_comes_back_once_with_its_result() -> None:
    with WorkerPool[float, float](Plain("math:sqrt"), 2) as pool:
        assert sorted(done(pool, (float(n * n) for n in range(50)))) == [(n * n, n) for n in range(50)]


def test_a_task_that_raises_is_the_only_one_to_end_in_an_error() -> None:
    with WorkerPool[float, float](Plain("math:sqrt"), 2) as pool:
        results = dict(done(pool, [4.0, -1.0, 9.0]))
    assert results[4.0] == 2
    assert results[9.0] == 3
    assert isinstance(results[-1.0], RuntimeError)


def test_a_task_that_kills_its_process_fails_alone_after_a_second_try() -> None:
    with WorkerPool[str, object](Plain("builtins:exec"), 2) as pool:
        fatal = "import os; os.abort()"
        results = dict(done(pool, ["1", "2", fatal, "3", "4", "5"]))
    assert isinstance(results.pop(fatal), WorkerDiedError)
    assert set(results.values()) == {None}


def test_a_task_that_hangs_is_ended_at_its_limit() -> None:
    with WorkerPool[float, None](Plain("time:sleep"), 2, seconds=1.0) as pool:
        results = dict(done(pool, [0.0, 600.0, 0.001, 0.002]))
    assert isinstance(results.pop(600.0), WorkerTimeoutError)
    assert set(results.values()) == {None}


def test_time_without_a_core_does_not_count_but_ten_times_the_limit_ends_a_task(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Worker, "waited", lambda _: time.monotonic())  # it never has one
    with WorkerPool[float, None](Plain("time:sleep"), 1) as pool:
        assert done(pool, [0.0]) == [(0.0, None)]  # it is ready
        pool._seconds = 0.4
        results = dict(done(pool, [1.5, 600.0]))
    assert results[1.5] is None
    assert isinstance(results[600.0], WorkerTimeoutError)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how long a process waits for a core")
def test_a_worker_says_how_long_it_has_waited_for_a_core() -> None:
    core = {min(os.sched_getaffinity(0))}
    with WorkerPool[str, object](Plain("builtins:exec"), 1, seconds=120.0) as pool:
        assert done(pool, ["1"]) == [("1", None)]
        (worker,) = pool._workers
        before, other = worker.waited(), subprocess.Popen([sys.executable, "-c", "while True: pass"])
        try:
            for process in (other, worker.process):
                os.sched_setaffinity(process.pid, core)
            spin = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
            assert done(pool, [spin]) == [(spin, None)]
        finally:
            other.kill()
            other.wait()
        assert worker.waited() - before > 0.05


@pytest.mark.skipif(sys.platform == "win32", reason="address space is limited on POSIX only")
def test_a_task_that_wants_too_much_memory_fails_alone() -> None:
    with WorkerPool[str, int](Plain("builtins:eval"), 1, megabytes=1024) as pool:
        results = dict(done(pool, ["len(bytes(1))", "len(bytes(2**31))", "len(bytes(2))"]))
    assert isinstance(results["len(bytes(2**31))"], MemoryError)
    assert results["len(bytes(2))"] == 2


def test_what_a_decoder_prints_does_not_garble_the_answers() -> None:
    with WorkerPool[str, None](Plain("builtins:print"), 1) as pool:
        assert done(pool, ["noise"] * 20) == [("noise", None)] * 20


def test_workers_end_with_the_pool() -> None:
    with WorkerPool[float, float](Plain("math:sqrt"), 2) as pool:
        done(pool, [1.0])
        processes = [worker.process for worker in pool._workers]
    assert all(process.poll() is not None for process in processes)


def test_a_pool_that_is_closed_does_the_task_that_comes_meanwhile_and_leaves_no_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start, stop, started, meanwhile = Worker.start, Worker.stop, list[Worker](), list[object]()

    def noted(*how: Any) -> Worker:
        started.append(start(*how))
        return started[-1]

    def stopped(self: Worker) -> None:
        stop(self)
        if not meanwhile:
            meanwhile.append(None)
            meanwhile[:] = done(pool, [4.0])

    monkeypatch.setattr(Worker, "start", noted)
    monkeypatch.setattr(Worker, "stop", stopped)
    with WorkerPool[float, float](Plain("math:sqrt"), 2) as pool:
        pool.start()
        pool.close()
        assert meanwhile == [(4.0, 2.0)]
        pool.close()
        assert len(started) > 2
        assert all(worker.process.poll() is not None for worker in started)


def test_a_worker_ends_when_its_parent_is_gone() -> None:
    with WorkerPool[float, float](Plain("math:sqrt"), 1) as pool:
        done(pool, [1.0])
        process = pool._workers[0].process
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=30) == 0


def test_a_pause_is_handed_on_once_everything_before_it_is_done() -> None:
    with WorkerPool[float, float](Plain("math:sqrt"), 2) as pool:
        tasks: list[float | Passed[str] | Pause] = [4.0, 9.0, Pause.PAUSE, 16.0, Pause.PAUSE]
        items = list(pool.results(tasks))
    assert items[2] is Pause.PAUSE
    assert sorted(item for item in items[:2] if isinstance(item, tuple)) == [(4.0, 2.0), (9.0, 3.0)]
    assert items[3:] == [(16.0, 4.0), Pause.PAUSE]


def test_what_needs_no_work_passes_the_workers_and_starts_none() -> None:
    with WorkerPool[float, float](Plain("math:sqrt"), 2) as pool:
        passed = [Passed(number) for number in range(3 * MOST_PASSED)]
        assert list(pool.results(passed)) == passed
        assert not pool._workers


def test_what_needs_no_work_does_not_wait_for_an_endless_source() -> None:
    def source() -> Iterator[float | Passed[str]]:
        yield 4.0
        while True:
            yield Passed("known")

    with WorkerPool[float, float](Plain("math:sqrt"), 1) as pool:
        results = pool.results(source())
        while next(results) != (4.0, 2.0):
            pass


@pytest.mark.parametrize("function", ["no_such_library:name", "cxr_runtime.names:no_such_function"])
def test_workers_that_cannot_start_are_a_fault_of_the_installation(function: str) -> None:
    with WorkerPool[float, float](Plain(function), 1) as pool, pytest.raises(InstallationError):
        done(pool, [1.0])


def test_a_library_that_is_missing_is_no_fault_of_the_film() -> None:
    with (
        WorkerPool[str, object](Plain("builtins:exec", ("no_such_library",)), 1) as pool,
        pytest.raises(InstallationError, match=r"No module named .no_such_library.*install"),
    ):
        done(pool, ["import no_such_library"])


def test_no_code_is_taken_from_the_folder_that_the_program_was_started_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("types", "numpy", "threading"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('taken over')")
    monkeypatch.chdir(tmp_path)
    with WorkerPool[float, float](Plain("math:sqrt"), 1) as pool:
        assert done(pool, [4.0]) == [(4.0, 2.0)]


def started_with(program: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every Python that starts from now on begin with a program of ours."""
    (folder / "sitecustomize.py").write_text(program)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (
            "import os; os.write(2, b'no room\\nfor a\\x07film\\n'); os._exit(7)",
            r"status 7 .*, saying: for a\\x07film;",
        ),
        ("import os; os._exit(7)", r"status 7 before its first film;"),
        ("import os; os.write(2, b'noise ' * 100_000); os._exit(7)", r", saying: [noise ]{200};"),
    ],
)
def test_a_worker_that_dies_before_its_first_task_ends_the_scan_with_its_last_line(
    program: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started_with(program, tmp_path, monkeypatch)
    with (
        WorkerPool[float, float](Plain("math:sqrt"), 2) as pool,
        pytest.raises(InstallationError, match=said),
    ):
        done(pool, [4.0])


@pytest.mark.skipif(sys.platform == "win32", reason="address space is limited on POSIX only")
def test_where_the_limit_of_memory_cannot_be_set_no_film_suffers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = (
        "import resource\ndef refuse(*_):\n    raise ValueError('as macOS')\nresource.setrlimit = refuse\n"
    )
    started_with(program, tmp_path, monkeypatch)
    with WorkerPool[float, float](Plain("math:sqrt"), 1, megabytes=64) as pool:
        assert done(pool, [4.0]) == [(4.0, 2.0)]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_a_worker_that_the_system_kills_is_told_from_one_that_crashed() -> None:
    killed = "import os; os.kill(os.getpid(), 9)"
    with WorkerPool[str, object](Plain("builtins:exec"), 1) as pool:
        results = dict(done(pool, [killed]))
    assert isinstance(results[killed], WorkerKilledError)


def test_what_a_decoder_prints_is_kept_from_the_parent() -> None:
    with WorkerPool[str, object](Plain("builtins:exec"), 1) as pool:
        done(pool, ["import os; os.write(2, b'noise ' * 100_000)"])
        assert pool._workers[0].heard == b""


SEND = """
import contextlib, os, time
for number in range(3, 20):
    with contextlib.suppress(OSError):
        os.write(number, {lie!r})
time.sleep(60)
"""


@pytest.mark.parametrize(
    "lie",
    [
        b"\x02\x00\x05\x00\x00\x00{oops",  # a result that is no JSON
        b"\x09\x00\x00\x00\x00\x00",  # an answer of no kind
        b"\x00\x00\x02\x00\x00\x00{}",  # that it is ready, again
        b"\x03\x00\x02\x00\x00\x00[]",  # a failure that says nothing
        b"\x02\x00\xff\xff\xff\xff",  # a text of 4 GiB
        b"\x02\x01\x00\x00\x00\x00" + b"\xff" * 8,  # an array of 2**64 bytes
        pickle.dumps((True, 1)),
    ],
)
def test_a_worker_that_answers_anything_else_is_ended(lie: bytes) -> None:
    attack = SEND.format(lie=lie)
    with WorkerPool[str, object](Plain("builtins:exec"), 1, seconds=30.0) as pool:
        results = dict(done(pool, ["1", attack, "2"]))
    assert isinstance(results.pop(attack), WorkerDiedError)
    assert set(results.values()) == {None}


def test_a_worker_cannot_end_the_scan_by_saying_that_a_library_is_missing() -> None:
    with WorkerPool[str, object](Plain("builtins:exec"), 1) as pool:
        ((_, end),) = done(pool, ["raise ImportError(name='torch_of_another_program')"])
    assert isinstance(end, RuntimeError)


def test_a_worker_is_replaced_after_so_many_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "MOST_TASKS", 3)
    with WorkerPool[str, int](Plain("builtins:eval"), 1) as pool:
        results = dict(done(pool, [f"{number} * 0 + __import__('os').getpid()" for number in range(7)]))
    assert sorted(Counter(results.values()).values()) == [1, 3, 3]


def test_a_worker_whose_task_raised_is_replaced_before_the_next_one() -> None:
    with WorkerPool[str, int](Plain("builtins:eval"), 1) as pool:
        results = dict(done(pool, ["__import__('os').getpid()", "1 / 0", "0 + __import__('os').getpid()"]))
    assert isinstance(results.pop("1 / 0"), RuntimeError)
    assert len(set(results.values())) == 2
