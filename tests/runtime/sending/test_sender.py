import shutil
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import pytest

from cxr_runtime.errors import StoreError
from cxr_runtime.files import DICOM_FOLDER, WORKLIST_FILE, ReportFormat
from cxr_runtime.journal import Journal, LogFormat
from cxr_runtime.reports.again import ReportOptions, report_again
from cxr_runtime.sending.destination import KINDS, Answer, Outgoing, PeerError
from cxr_runtime.sending.outbox import Outbox, SendingStore
from cxr_runtime.sending.route import SendingThread
from cxr_runtime.sending.sender import FILE_GONE, Sender
from cxr_runtime.sending.status import status_of
from cxr_runtime.store.deliveries import State
from cxr_runtime.store.pruning import prune
from dicom_results import MADE
from drawn_stores import ask, change
from sent_results import NAME, Archive, Clock, Looks, folder_with_results
from study_films import SECRETS

LATER = MADE + timedelta(days=400)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return folder_with_results(tmp_path / "out", 2)


def sender(out: Path, archive: Archive, clock: Clock | None = None) -> Sender:
    return Sender(lambda: [out], archive, frozenset(KINDS), Journal(), clock=clock or Clock())


def uids(out: Path) -> set[str]:
    return {str(uid) for (uid,) in ask(out, "SELECT uid FROM objects")}


def test_every_result_is_sent_once_and_never_again(out: Path) -> None:
    archive = Archive()
    for _ in range(3):
        with sender(out, archive) as sending:
            done = sending.round(at_once=True)
    assert sorted(archive.got) == sorted(uids(out))
    assert (done.sent, done.left) == (0, 0)


def test_what_is_scored_later_is_sent_later(out: Path) -> None:
    archive = Archive()
    with sender(out, archive) as sending:
        assert sending.round().sent == 6
        folder_with_results(out, first=2)
        assert sending.round().sent == 3


def test_each_archive_gets_all_results(out: Path) -> None:
    one, two = Archive(), Archive()
    two.name = "OTHER@archive:104"
    with sender(out, one) as to_one, sender(out, two) as to_two:
        assert (to_one.round().sent, to_two.round().sent) == (6, 6)


def test_only_the_kinds_that_were_asked_for_are_sent(out: Path) -> None:
    archive = Archive()
    with Sender(lambda: [out], archive, frozenset({"sr"}), Journal()) as sending:
        assert (sending.round().sent, sending.round().left) == (2, 0)


def test_an_archive_that_is_away_is_asked_again_after_growing_waits_over_restarts(out: Path) -> None:
    archive, clock, waits = Archive(), Clock(), list[float]()
    archive.is_away = True
    for _ in range(8):
        with sender(out, archive, clock) as sending:
            assert sending.round().trouble == "is away"
        due = wait_of(out)
        clock.now = due - timedelta(seconds=1)
        with sender(out, archive, clock) as sending:
            assert sending.round().trouble == ""  # it was not asked
        waits.append((due - clock.began).total_seconds() / 60)
        clock.began = clock.now = due
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    archive.is_away = False
    with sender(out, archive, clock) as sending:
        assert sending.round().sent == 6
        archive.is_away = True
        folder_with_results(out, first=2)
        sending.round()
    assert wait_of(out) == clock.now + timedelta(minutes=1)


def wait_of(out: Path) -> datetime:
    with SendingStore.open(out) as store:
        return datetime.fromisoformat(store.deliveries.of_archive(NAME).due)


def test_an_archive_that_takes_the_way_and_no_result_is_asked_again_after_growing_waits(out: Path) -> None:
    archive, clock, asked = Archive(), Clock(), list[float]()

    def break_off(_: Outgoing) -> Answer:
        asked.append((clock.now - clock.began).total_seconds() / 60)
        raise PeerError("does not store (HTTP 503)")

    archive.answers = break_off
    for _ in range(60):
        with sender(out, archive, clock) as sending:
            sending.round()
        clock.pass_minutes(1)
    assert asked == [0, 1, 3, 7, 15, 31]


def test_what_waits_from_a_time_when_the_clock_was_years_ahead_is_sent_once_it_is_right(
    out: Path, at_once: None
) -> None:
    archive, clock = Archive(), Clock()
    right = clock.now
    clock.now = right + timedelta(days=3650)

    def no_room_until_the_clock_is_right(_: Outgoing) -> Answer:
        if len(archive.got) == 5:
            clock.now = right
        return Answer(State.WAITING if len(archive.got) < 6 else State.SENT)

    archive.answers = no_room_until_the_clock_is_right
    run(Looks(20, clock, out), archive, clock)
    assert status_of(out)[0].sent == 6


def run(looks: Looks, archive: Archive, clock: Clock) -> None:
    with Sender(looks, archive, frozenset(KINDS), Journal(), clock=clock) as sending:
        looks.end = sending.end
        sending.run()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits between two looks."""
    monkeypatch.setattr("cxr_runtime.sending.sender.LOOK_SECONDS", 0.0)
    monkeypatch.setattr("cxr_runtime.sending.sender.RESTS_FOR_ONE", 0)


def test_a_result_that_is_not_taken_now_waits_alone_and_is_tried_last(out: Path) -> None:
    archive, clock, first = Archive(), Clock(), list[str]()

    def no_room(outgoing: Outgoing) -> Answer:
        first[:] = first or [outgoing.uid]
        return Answer(State.WAITING, "it has no room") if outgoing.uid == first[0] else Answer(State.SENT)

    archive.answers = no_room
    with sender(out, archive, clock) as sending:
        assert (sending.round().sent, sending.round().left) == (5, 1)
        clock.pass_minutes(1)
        folder_with_results(out, first=2)
        sending.round()
    assert archive.got[-1] == first[0]
    assert archive.got.count(first[0]) == 2


def test_a_result_on_which_an_archive_breaks_off_does_not_keep_the_others_back(out: Path) -> None:
    archive, clock = Archive(), Clock()
    poison = min(uids(out))

    def break_off(outgoing: Outgoing) -> Answer:
        if outgoing.uid == poison:
            raise PeerError("ended the association without an answer")
        return Answer(State.SENT)

    archive.answers = break_off
    with sender(out, archive, clock) as sending:
        for _ in range(3):
            left = sending.round().left
            clock.pass_minutes(60)
    assert left == 1
    assert set(archive.got) == uids(out) - {poison}


def test_what_is_refused_for_good_is_shown_and_sent_again_only_when_asked(out: Path) -> None:
    archive, clock = Archive(), Clock()
    archive.answers = lambda _: Answer(State.REFUSED, "it takes no objects of this kind")
    with sender(out, archive, clock) as sending:
        assert (sending.round().refused, sending.round(at_once=True).refused) == (6, 0)
    (status,) = status_of(out)
    assert (status.sent, status.waiting, status.refused) == (0, 0, 6)
    assert {said for _, _, said in status.reasons} == {"it takes no objects of this kind"}
    archive.answers = lambda _: Answer(State.SENT)
    with Sender(lambda: [out], archive, frozenset(KINDS), Journal(), retries_refused=True) as sending:
        assert sending.round().sent == 6


def test_the_worklist_says_how_many_results_were_refused_for_good(out: Path) -> None:
    archive, said = Archive(), "6 results were refused by an archive for good"
    only_html = ReportOptions(frozenset({ReportFormat.HTML}))
    report_again(out, only_html)
    assert said not in (out / WORKLIST_FILE).read_text()
    archive.answers = lambda _: Answer(State.REFUSED, "no")
    with sender(out, archive) as sending:
        sending.round()
    report_again(out, only_html)
    assert said in (out / WORKLIST_FILE).read_text()


def test_a_warning_counts_as_sent_and_is_said(out: Path) -> None:
    archive = Archive()
    archive.answers = lambda _: Answer(State.SENT, "with a warning: it changed elements")
    with sender(out, archive) as sending:
        done = sending.round()
    assert (done.sent, done.warned, done.left) == (6, 6, 0)
    assert sum(status_of(out)[0].reasons.values()) == 6


def test_a_file_that_was_changed_or_lost_is_not_sent_and_said(out: Path) -> None:
    archive = Archive()
    changed, lost, *_ = sorted((out / DICOM_FOLDER).iterdir())
    changed.write_bytes(changed.read_bytes()[:-2] + b"zz")
    lost.unlink()
    with sender(out, archive) as sending:
        assert (sending.round().sent, sending.round().left) == (4, 2)
    assert {said for _, _, said in status_of(out)[0].reasons} == {FILE_GONE}


def test_files_with_other_permissions_or_in_a_copied_folder_are_as_they_were_made(out: Path) -> None:
    copied = Path(shutil.copytree(out, out.with_name("copied")))
    for path in (out / DICOM_FOLDER).iterdir():
        path.chmod(0o640)
    for folder in (out, copied):
        with sender(folder, Archive()) as sending:
            assert sending.round().sent == 6
    assert [prune(folder, timedelta(0), now=LATER).results for folder in (out, copied)] == [6, 6]


def test_rows_that_somebody_has_written_into_the_store_hide_no_result(out: Path) -> None:
    change(
        out,
        "INSERT INTO deliveries (uid, target, state, tries, tried, due, said, seal)"
        f" SELECT uid, '{NAME}', 'sent', 1, '', '', '', '' FROM objects",
    )
    assert status_of(out)[0].sent == 0
    archive = Archive()
    with sender(out, archive) as sending:
        assert sending.round().sent == 6


def test_objects_that_this_machine_has_not_made_are_not_sent(out: Path) -> None:
    change(out, "UPDATE objects SET kind = 'sr' WHERE kind = 'pdf'")
    archive = Archive()
    with sender(out, archive) as sending:
        assert sending.round().sent == 4


def test_what_the_store_could_not_note_is_noted_later_and_not_sent_again(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, clock = Archive(), Clock()
    with sender(out, archive, clock) as sending:
        with monkeypatch.context() as full:
            full.setattr(SendingStore, "note_deliveries", full_disk)
            with pytest.raises(StoreError):
                sending.round()
        assert len(archive.got) == 1
        clock.pass_minutes(1)
        sending.round()
    assert sorted(archive.got) == sorted(uids(out))


def full_disk(_: SendingStore, __: object) -> None:
    raise StoreError("the disk is full")


def test_two_senders_do_not_send_from_one_folder_to_one_archive(out: Path) -> None:
    with Outbox(out, NAME, frozenset(KINDS)):
        with pytest.raises(StoreError, match="another program sends"):
            Outbox(out, NAME, frozenset(KINDS))
        Outbox(out, "OTHER@archive:104", frozenset(KINDS)).close()


def test_folders_of_days_are_sent_from_until_they_owe_nothing(tmp_path: Path) -> None:
    days = [tmp_path / "2026-11-28", tmp_path / "2026-11-29"]
    archive, clock = Archive(), Clock()
    archive.is_away = True
    folder_with_results(days[0])
    with Sender(
        lambda: [day for day in days if day.exists()], archive, frozenset(KINDS), Journal()
    ) as sending:
        sending.clock = clock
        assert sending.round().left == 3
        folder_with_results(days[1], first=1)
        archive.is_away = False
        clock.pass_minutes(1)
        assert sending.round().sent == 6
        sending.round()
        Outbox(days[0], NAME, frozenset(KINDS)).close()  # it was let go


def test_a_sender_beside_a_service_sends_what_comes_and_lets_it_end(out: Path) -> None:
    archive, had_all = Archive(), Event()
    wanted = 9

    def answer(_: Outgoing) -> Answer:
        if len(archive.got) == wanted - 1:
            had_all.set()
        return Answer(State.SENT)

    archive.answers = answer
    with SendingThread(sender(out, archive)):
        folder_with_results(out, first=2)
        assert had_all.wait(60)
    assert sorted(archive.got) == sorted(uids(out))


def test_a_peer_that_hangs_does_not_keep_a_service_from_ending(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, is_asked, goes_on = Archive(), Event(), Event()
    monkeypatch.setattr("cxr_runtime.sending.route.ENDING_SECONDS", 0.1)

    def hang(_: Outgoing) -> Answer:
        is_asked.set()
        goes_on.wait(60)
        return Answer(State.SENT)

    archive.answers = hang
    sending = SendingThread(sender(out, archive))
    with sending:
        assert is_asked.wait(60)
    assert not goes_on.is_set()
    goes_on.set()


def test_the_log_names_neither_patient_nor_film_nor_archive(out: Path, tmp_path: Path) -> None:
    archive = Archive()
    answers = iter([Answer(State.REFUSED, "no"), Answer(State.WAITING, "no"), Answer(State.SENT, "hm")])
    archive.answers = lambda _: next(answers, Answer(State.SENT))
    with (
        Journal.open(tmp_path / "log", LogFormat.TEXT, None) as journal,
        Sender(lambda: [out], archive, frozenset(KINDS), journal) as sending,
    ):
        sending.round()
        archive.is_away = True
        sending.round(at_once=True)
    log = (tmp_path / "log").read_bytes()
    assert [secret for secret in (*SECRETS, b"dcm", b"PACS", b"archive:") if secret in log] == []
    words = {line.split()[1] for line in log.splitlines()}
    assert words == {b"result-refused", b"result-waits", b"result-sent", b"archive-away"}


def test_results_that_the_archive_has_may_go_and_those_that_wait_stay(out: Path) -> None:
    clock, archive = Clock(), Archive()
    archive.answers = lambda each: Answer(State.SENT if each.uid in archive.got else State.WAITING)
    with sender(out, archive, clock) as sending:
        sending.round()
        clock.pass_minutes(2)
        archive.got = archive.got[:2]
        sending.round()
    kept = prune(out, timedelta(days=1), now=MADE - timedelta(days=30))
    assert (kept.results, len(list((out / DICOM_FOLDER).iterdir()))) == (0, 6)
    assert prune(out, timedelta(0), now=LATER, archive="ANOTHER@archive:104").results == 0
    assert prune(out, timedelta(0), now=LATER).results == 2
    assert len(list((out / DICOM_FOLDER).iterdir())) == 4
    clock.pass_minutes(10)
    archive.answers = lambda _: Answer(State.SENT)
    with sender(out, archive, clock) as sending:
        assert sending.round().sent == 4  # none of those that went
    assert prune(out, timedelta(0), now=LATER).results == 4
    assert list((out / DICOM_FOLDER).iterdir()) == []


def test_on_windows_a_result_that_a_viewer_has_open_goes_another_time(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sender(out, Archive()) as sending:
        sending.round()
    unlink, (opened, *_) = Path.unlink, sorted((out / DICOM_FOLDER).iterdir())

    def refuses(path: Path, missing_ok: bool = False) -> None:
        if path == opened:
            raise PermissionError("another program has it open")
        unlink(path, missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr("cxr_runtime.store.dropping.sys", SimpleNamespace(platform="win32"))
        patch.setattr(Path, "unlink", refuses)
        assert prune(out, timedelta(0), now=LATER).results == 5
    assert [*(out / DICOM_FOLDER).iterdir()] == [opened]
    assert prune(out, timedelta(0), now=LATER).results == 1


def test_results_that_went_are_owed_to_no_other_archive(out: Path) -> None:
    with sender(out, Archive()) as sending:
        sending.round()
    prune(out, timedelta(0), now=LATER)
    other = Archive()
    other.name = "OTHER@archive:104"
    with sender(out, other) as sending:
        assert (sending.round().sent, other.got) == (0, [])


def test_while_one_archive_lacks_a_result_it_stays_for_it(out: Path) -> None:
    away = Archive()
    away.name, away.is_away = "OTHER@archive:104", True
    for archive in (Archive(), away):
        with sender(out, archive) as sending:
            sending.round()
    assert prune(out, timedelta(0), now=LATER).results == 0
    assert prune(out, timedelta(0), now=LATER, archive=NAME).results == 6


def test_a_result_that_was_made_anew_is_not_taken_for_the_one_that_went(out: Path) -> None:
    with sender(out, Archive()) as sending:
        sending.round()
    for path in (out / DICOM_FOLDER).iterdir():
        path.write_bytes(path.read_bytes() + b"\0\0")
    assert prune(out, timedelta(0), now=LATER).results == 0
    assert len(list((out / DICOM_FOLDER).iterdir())) == 6


def test_a_result_whose_file_had_gone_is_not_counted_as_dropped(out: Path) -> None:
    with sender(out, Archive()) as sending:
        sending.round()
    next((out / DICOM_FOLDER).iterdir()).unlink()
    assert prune(out, timedelta(0), now=LATER).results == 5
