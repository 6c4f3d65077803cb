import sys

import pytest

from cxr_runtime.workers.pool import WorkerDiedError, WorkerPool, WorkerTimeoutError


def test_every_task_comes_back_once_with_its_result() -> None:
    with WorkerPool[float, float]("math:sqrt", 2) as pool:
        assert sorted(pool.results(float(n * n) for n in range(50))) == [(n * n, n) for n in range(50)]


def test_a_task_that_raises_is_the_only_one_to_end_in_an_error() -> None:
    with WorkerPool[float, float]("math:sqrt", 2) as pool:
        results = dict(pool.results([4.0, -1.0, 9.0]))
    assert results[4.0] == 2
    assert results[9.0] == 3
    assert isinstance(results[-1.0], RuntimeError)


def test_a_task_that_kills_its_process_fails_alone_after_a_second_try() -> None:
    with WorkerPool[str, object]("builtins:exec", 2) as pool:
        fatal = "import os; os.abort()"
        results = dict(pool.results(["1", "2", fatal, "3", "4", "5"]))
    assert isinstance(results.pop(fatal), WorkerDiedError)
    assert set(results.values()) == {None}


def test_a_task_that_hangs_is_ended_at_its_limit() -> None:
    with WorkerPool[float, None]("time:sleep", 2, seconds=1.0) as pool:
        results = dict(pool.results([0.0, 600.0, 0.001, 0.002]))
    assert isinstance(results.pop(600.0), WorkerTimeoutError)
    assert set(results.values()) == {None}


@pytest.mark.skipif(sys.platform == "win32", reason="address space is limited on POSIX only")
def test_a_task_that_wants_too_much_memory_fails_alone() -> None:
    with WorkerPool[int, bytes]("builtins:bytes", 1, megabytes=1024) as pool:
        results = dict(pool.results([1, 2**31, 2]))
    assert isinstance(results[2**31], MemoryError)
    assert results[2] == b"\0\0"


def test_what_a_decoder_prints_does_not_garble_the_answers() -> None:
    with WorkerPool[str, None]("builtins:print", 1) as pool:
        assert list(pool.results(["noise"] * 20)) == [("noise", None)] * 20


def test_workers_end_with_the_pool() -> None:
    with WorkerPool[float, float]("math:sqrt", 2) as pool:
        list(pool.results([1.0]))
        processes = [worker.process for worker in pool._workers]
    assert all(process.poll() is not None for process in processes)


def test_a_worker_ends_when_its_parent_is_gone() -> None:
    with WorkerPool[float, float]("math:sqrt", 1) as pool:
        list(pool.results([1.0]))
        process = pool._workers[0].process
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=30) == 0
