"""A store that fails, for a moment or for good, keeps no result back but its own."""

from collections.abc import Collection
from io import StringIO
from itertools import count
from pathlib import Path

import pytest

from cxr_runtime.errors import StoreError
from cxr_runtime.files import STORE_FILE
from cxr_runtime.journal import Journal, LogFormat
from cxr_runtime.sending.destination import KINDS, Answer, Outgoing
from cxr_runtime.sending.outbox import SendingStore
from cxr_runtime.sending.sender import Sender
from cxr_runtime.sending.status import Queue
from cxr_runtime.store.deliveries import Delivery, State
from sent_results import Archive, Clock, Looks, folder_with_results


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits between two looks."""
    monkeypatch.setattr("cxr_runtime.sending.sender.LOOK_SECONDS", 0.0)
    monkeypatch.setattr("cxr_runtime.sending.sender.RESTS_FOR_ONE", 0)


@pytest.fixture
def days(tmp_path: Path) -> list[Path]:
    """Two days with three results each."""
    return [folder_with_results(tmp_path / f"2026-11-0{number}", first=number) for number in (1, 2)]


def damage(folder: Path) -> bytes:
    """Overwrite all but the first page of a store; what it was."""
    path = folder / STORE_FILE
    before = path.read_bytes()
    path.write_bytes(before[:4096] + b"\xff" * (len(before) - 4096))
    return before


def run(archive: Archive, folders: list[Path], times: int) -> tuple[Queue, list[str]]:
    """How the queue stands when a sender has looked so many times, a minute apart; and its log's lines."""
    clock, log = Clock(), StringIO()
    looks, journal = Looks(times, clock, *folders), Journal.open(None, LogFormat.TEXT, log)
    with Sender(looks, archive, frozenset(KINDS), journal, clock=clock) as sending:
        looks.end = sending.end
        sending.run()
    return sending.queue, [line.split(" ", 1)[1] for line in log.getvalue().splitlines()]


def test_a_store_that_is_locked_for_a_moment_is_sent_from_again_after_a_minute(
    days: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, note = Archive(), SendingStore.note_deliveries
    is_locked = iter([False, True])

    def locked_once(store: SendingStore, deliveries: Collection[Delivery]) -> None:
        if next(is_locked, False):
            raise StoreError("database is locked")
        note(store, deliveries)

    monkeypatch.setattr(SendingStore, "note_deliveries", locked_once)
    queue, lines = run(archive, days[:1], 9)
    assert (len(archive.got), len(set(archive.got)), queue.waiting, queue.failing) == (3, 3, 0, 0)
    assert lines.count(f"sending-failed error=storeerror day={days[0].name}") == 1


def test_a_damaged_day_keeps_no_other_day_back_and_is_said_once(days: list[Path]) -> None:
    before, archive = damage(days[0]), Archive()
    queue, lines = run(archive, days, 9)
    assert (len(archive.got), queue) == (3, Queue(failing=1))
    assert lines.count(f"sending-failed error=storeerror day={days[0].name}") == 1
    (days[0] / STORE_FILE).write_bytes(before)
    queue, _ = run(archive, days, 9)
    assert (len(archive.got), queue.failing) == (6, 0)


def test_a_command_sends_from_the_other_days_and_then_says_which_store_cannot_be_used(
    days: list[Path],
) -> None:
    damage(days[0])
    archive = Archive()
    with (
        Sender(lambda: days, archive, frozenset(KINDS), Journal()) as sending,
        pytest.raises(StoreError, match="2026-11-01"),
    ):
        sending.round(at_once=True)
    assert len(archive.got) == 3


def test_an_error_that_nobody_foresaw_ends_no_service(
    days: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cxr_runtime.sending.sender.AFTER_FAILURE_SECONDS", 0.0)
    archive, calls = Archive(), count()

    def fails_once(_: Outgoing) -> Answer:
        if next(calls) == 1:
            raise RuntimeError("a library")
        return Answer(State.SENT)

    archive.answers = fails_once
    queue, lines = run(archive, days[:1], 9)
    assert (sorted(set(archive.got)), queue.waiting) == (sorted(archive.got), 0)
    assert len(archive.got) == 3
    assert lines.count("sending-failed error=runtimeerror") == 1
