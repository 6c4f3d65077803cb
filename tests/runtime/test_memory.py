import sys

import pytest

from cxr_runtime import memory
from cxr_runtime.errors import InstallationError
from cxr_runtime.workers import memory_limits

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits of memory are POSIX's")

if sys.platform != "win32":
    import resource

    NONE = resource.RLIM_INFINITY


def limit(monkeypatch: pytest.MonkeyPatch, soft: int, hard: int) -> None:
    monkeypatch.setattr(
        resource, "getrlimit", lambda kind: (soft, hard) if kind == resource.RLIMIT_AS else (NONE, NONE)
    )


def test_without_a_limit_nothing_is_refused_or_said(monkeypatch: pytest.MonkeyPatch) -> None:
    limit(monkeypatch, NONE, NONE)
    memory.check_memory()
    assert memory.about_limit() == ""


@pytest.mark.parametrize(("soft", "hard"), [(700 << 20, 4 << 30), (700 << 20, NONE)])
def test_a_limit_below_what_a_scan_needs_is_named(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int
) -> None:
    limit(monkeypatch, soft, hard)
    with pytest.raises(
        InstallationError, match=r"too little memory; a process may use 700 MiB .* 1536 or more: "
    ):
        memory.check_memory()


def test_a_lower_limit_from_outside_stays_that_of_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    limit(monkeypatch, 2 << 30, NONE)
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda _kind, limits: asked.append(limits))
    memory_limits.limit_own_memory(4096)
    assert asked == [(2 << 30, 2 << 30)]


@pytest.mark.parametrize("error", [ValueError("current limit exceeds maximum limit"), OSError(22, "Invalid")])
def test_a_system_that_refuses_the_limit_keeps_the_worker(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(_kind: int, _limits: tuple[int, int]) -> None:
        raise error

    monkeypatch.setattr(resource, "setrlimit", refuse)
    memory_limits.limit_own_memory(4096)
