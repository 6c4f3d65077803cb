"""Reports of a whole store, and stores that become one: each film one row, nothing lost, nothing believed."""

import csv
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cxr_runtime.errors import CxrTriageError, StoreError, UsageError
from cxr_runtime.files import STORE_FILE, ReportFormat
from cxr_runtime.names import safe_name
from cxr_runtime.presentation import Colours, Wishes
from cxr_runtime.reports.again import ReportOptions, merge, report_again, restore
from cxr_runtime.store.backup import back_up
from cxr_runtime.store.folder import held
from cxr_runtime.store.joining import JoiningStore
from cxr_runtime.store.rows import Place
from cxr_runtime.store.schema import SCHEMA_VERSION
from cxr_runtime.store.store import Store, read_scores
from cxr_runtime.store.writer import StoreWriter
from drawn_stores import PRINT, Drawn, ask, change, write_store

QUICK = ReportOptions(frozenset({ReportFormat.CSV, ReportFormat.PNG}))
TRUSTING = ReportOptions(frozenset({ReportFormat.CSV, ReportFormat.PNG}), trust=True)


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Become another machine, with a key of its own."""

    def become(name: str) -> None:
        monkeypatch.setenv("CXR_TRIAGE_DATA", str(tmp_path / name))

    become("this machine")
    return become


def table(folder: Path) -> list[tuple[str, str, str]]:
    with (folder / "results.csv").open(encoding="utf-8", newline="") as file:
        return [(row["file"], row["score"], row["code"]) for row in csv.DictReader(file)]


def test_all_films_of_a_store_have_one_row_each_in_the_order_of_arrival(tmp_path: Path) -> None:
    out = write_store(
        tmp_path / "out",
        [Drawn("b.png", 0.2), Drawn("stalled.png", None), Drawn("copy of b.png", 0.2, "b.png")],
        [Drawn("a.png", 0.9), Drawn("moved.png", 0.2, "b.png"), Drawn("stalled.png", None)],
        [Drawn("c.png"), Drawn("stalled.png", 0.5)],
        [Drawn("never.png", None)],
        [Drawn("never.png", None)],
    )
    report_again(out, QUICK)
    assert table(out) == [
        ("moved.png", "20.00", ""),
        ("a.png", "90.00", ""),
        ("c.png", "70.00", ""),
        ("stalled.png", "50.00", ""),
        ("never.png", "", "read-stalled"),
    ]
    assert len(list((out / "heatmaps").iterdir())) == 4


def test_reports_of_a_store_are_those_of_its_one_scan(tmp_path: Path) -> None:
    out = write_store(tmp_path / "out", [Drawn("a.png"), Drawn("b.png", 0.1)])
    done = report_again(out)
    assert done.publication is not None
    assert (done.publication.tally.films, done.publication.tally.flagged, done.on_trust) == (2, 1, 0)
    for name in ("worklist.html", "report.pdf", "results.csv"):
        assert (out / name).stat().st_size > 0
    written = {path: path.stat().st_mtime_ns for path in out.rglob("*.*") if path.name != STORE_FILE}
    report_again(out)
    assert written == {path: path.stat().st_mtime_ns for path in written}


def test_several_models_and_thresholds_are_said(tmp_path: Path) -> None:
    out = write_store(tmp_path / "out", [Drawn("a.png"), Drawn("b.png", threshold=0.3)])
    change(out, f"UPDATE results SET model = 'other', model_sha256 = '{'ef' * 32}' WHERE id = 2")
    report_again(out, ReportOptions(frozenset({ReportFormat.HTML}), trust=True))
    page = (out / "worklist.html").read_text(encoding="utf-8")
    assert "scored by 2 models (default, other)" in page
    assert "judged by 2 thresholds" in page


def test_a_store_whose_scan_was_killed_says_that_it_must_be_scanned_again(tmp_path: Path) -> None:
    out = write_store(tmp_path / "out", [Drawn("a.png")], has_ended=False)
    with pytest.raises(StoreError, match=r"has ended.*scan"):
        report_again(out, QUICK)
    with pytest.raises(StoreError, match="holds no"):
        report_again(tmp_path, QUICK)


def test_the_picture_of_a_copy_is_that_of_the_film_bit_for_bit(tmp_path: Path) -> None:
    out = write_store(tmp_path / "out", [Drawn("a.png"), Drawn("b.png", film="a.png")])
    with StoreWriter.open(out) as store:
        sha256 = next(outcome.sha256 for outcome in store.outcomes(1))
    report_again(out, QUICK)  # of one name, the latest
    first = out / "heatmaps" / f"{safe_name('b.png', sha256)}.png"
    content = first.read_bytes()
    with StoreWriter.open(out) as store:
        from cxr_runtime.reports.heatmap_files import HeatmapFiles
        from cxr_runtime.reports.publishing import publish

        facts = store.facts(1)
        assert facts is not None
        publish(store, 1, facts, HeatmapFiles(out, facts.heat, QUICK.formats, lung_outline=False))
    assert first.read_bytes() == content
    assert (out / "heatmaps" / f"{safe_name('a.png', sha256)}.png").read_bytes() == content


def test_a_restored_backup_is_the_same_night_on_the_same_machine(tmp_path: Path) -> None:
    out = write_store(tmp_path / "out", [Drawn("a.png")], [Drawn("a.png"), Drawn("b.png", 0.1)])
    report_again(out, QUICK)
    back_up(out, tmp_path / "backup")
    with held(out), held(tmp_path / "busy"):  # scans go on meanwhile
        with pytest.raises(StoreError, match=r"busy is in use by another scan; wait until it ends"):
            restore(tmp_path / "backup", tmp_path / "busy", QUICK)
        done = restore(tmp_path / "backup", tmp_path / "new", QUICK)
    assert done.on_trust == 0
    assert table(tmp_path / "new") == table(out)
    assert ask(tmp_path / "new", "SELECT run, position, file FROM places") == ask(
        out, "SELECT run, position, file FROM places"
    )
    with StoreWriter.open(tmp_path / "new") as store:
        assert store.known(Place(1, "a.png", "stamp of a.png"), PRINT) is not None
    (tmp_path / "new" / "results.csv").unlink()  # as if the disk had been full then
    restore(tmp_path / "backup", tmp_path / "new", QUICK)
    assert table(tmp_path / "new") == table(out)
    write_store(tmp_path / "new", [Drawn("c.png")])
    with pytest.raises(StoreError, match="holds a scan already"):
        restore(tmp_path / "backup", tmp_path / "new", QUICK)
    with pytest.raises(UsageError, match="there is no backup"):
        restore(tmp_path / "none", tmp_path / "newer", QUICK)


def test_a_backup_is_not_restored_into_a_folder_of_films_which_no_scan_would_touch_then(
    tmp_path: Path,
) -> None:
    back_up(write_store(tmp_path / "out", [Drawn("a.png")]), tmp_path / "backup")
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / ".hidden").touch()  # as some systems leave them
    (tmp_path / "films" / "a.png").touch()
    with pytest.raises(StoreError, match="films is not empty, and a backup is restored into a new"):
        restore(tmp_path / "backup", tmp_path / "films", QUICK)
    assert not (tmp_path / "films" / STORE_FILE).exists()
    (tmp_path / "films" / "a.png").unlink()
    restore(tmp_path / "backup", tmp_path / "films", QUICK)
    assert table(tmp_path / "films") == [("a.png", "70.00", "")]


def test_a_film_is_not_restored_as_a_backup(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(1000))
    with pytest.raises(UsageError, match=r"a\.png is not a backup; expected .*cxr-triage backup"):
        restore(tmp_path / "a.png", tmp_path / "new", QUICK)
    assert not (tmp_path / "new").exists()


def test_rows_of_another_machine_are_taken_only_on_trust_and_counted(
    tmp_path: Path, machine: Callable[[str], None]
) -> None:
    machine("machine X")
    theirs = write_store(tmp_path / "x", [Drawn("x1.png"), Drawn("x2.png", 0.1)])
    machine("this machine")
    mine = write_store(tmp_path / "mine", [Drawn("m.png")])
    before = (theirs / STORE_FILE).read_bytes()
    with pytest.raises(StoreError, match=r"another machine.*: 2 of 2 rows of .*x/triage.*--trust"):
        merge([mine, theirs], tmp_path / "all", QUICK)
    assert ask(tmp_path / "all", "SELECT count(*) FROM results") == [(0,)]
    done = merge([mine, theirs], tmp_path / "all", TRUSTING)
    assert (done.on_trust, [taken.on_trust for taken in done.taken]) == (2, [0, 2])
    assert sorted(row[0] for row in table(tmp_path / "all")) == ["m.png", "x1.png", "x2.png"]
    assert all(score.is_ours for score in read_scores(tmp_path / "all"))
    assert (theirs / STORE_FILE).read_bytes() == before
    with StoreWriter.open(tmp_path / "all") as store:  # a stamp of another machine says nothing here
        assert store.known(Place(1, "x1.png", "stamp of x1.png"), PRINT) is None
        assert store.known(Place(1, "m.png", "stamp of m.png"), PRINT) is not None
        sha256 = next(o.sha256 for run in (1, 2) for o in store.outcomes(run) if o.file == "x1.png")
        assert store.known_by_bytes(Place(1, "x1.png", ""), sha256, PRINT) is not None


@pytest.mark.parametrize("act", ["report", "restore", "merge"])
def test_a_changed_row_is_not_believed_without_trust(act: str, tmp_path: Path) -> None:
    out = write_store(tmp_path / "out", [Drawn("a.png", 0.9), Drawn("b.png")])
    change(out, "UPDATE results SET probability = 0.01, triage = 'not_flagged' WHERE id = 1")
    acts: dict[str, Callable[[ReportOptions], object]] = {
        "report": lambda options: report_again(out, options),
        "restore": lambda options: restore(out / STORE_FILE, tmp_path / "new", options),
        "merge": lambda options: merge([out], tmp_path / "new", options),
    }
    with pytest.raises(StoreError, match="1 of 2 rows"):
        acts[act](QUICK)
    assert not (tmp_path / "new" / "results.csv").exists()
    acts[act](TRUSTING)
    acts[act](QUICK) if act != "restore" else report_again(tmp_path / "new", QUICK)


def test_facts_of_a_run_that_were_changed_are_not_believed_without_trust(tmp_path: Path) -> None:
    out = write_store(tmp_path / "out", [Drawn("a.png")])
    change(out, "UPDATE runs SET facts = replace(facts, 'drawn for tests', 'free for patients')")
    with pytest.raises(StoreError, match="the facts of 1 scan of"):
        report_again(out, QUICK)
    with pytest.raises(StoreError, match="the facts of 1 scan of"):
        merge([out], tmp_path / "all", QUICK)
    report_again(out, TRUSTING)
    report_again(out, QUICK)


def test_stores_of_parts_become_one_with_every_run_and_place_and_one_row_a_film(tmp_path: Path) -> None:
    parts = [
        write_store(tmp_path / "1", [Drawn("a.png"), Drawn("s.png", None)], [Drawn("b.png")]),
        write_store(
            tmp_path / "2", [Drawn("c.png"), Drawn("a again.png", film="a.png"), Drawn("s.png", None)]
        ),
    ]
    done = merge(parts, tmp_path / "all", QUICK)
    files = [row[0] for row in table(tmp_path / "all")]
    assert len(files) == 5  # a, b, c, and two films called s.png that nobody could read
    assert sorted(files) in (
        ["a again.png", "b.png", "c.png", "s.png", "s.png"],
        ["a.png", "b.png", "c.png", "s.png", "s.png"],
    )
    assert (done.taken[1].known, done.taken[1].differing) == (1, 0)
    assert ask(tmp_path / "all", "SELECT count(*) FROM runs") == [(3,)]
    assert ask(tmp_path / "all", "SELECT count(*) FROM places") == [(6,)]


def test_merging_again_adds_only_what_is_new(tmp_path: Path) -> None:
    one, two = write_store(tmp_path / "1", [Drawn("a.png")]), write_store(tmp_path / "2", [Drawn("b.png")])
    out = tmp_path / "all"
    merge([one, two], out, QUICK)
    write_store(two, [Drawn("c.png"), Drawn("stalled.png", None)])
    done = merge([one, two, one], out, QUICK)
    assert [(taken.films, taken.rows) for taken in done.taken] == [(0, 0), (2, 2)]
    before = ask(out, "SELECT * FROM places"), ask(out, "SELECT * FROM results")
    merge([out, two], out, QUICK)  # a folder may be among its own parts
    merge([out], one, QUICK)  # and back: a knows its own run again
    merge([one], out, QUICK)
    assert (ask(out, "SELECT * FROM places"), ask(out, "SELECT * FROM results")) == before
    assert ask(one, "SELECT count(*) FROM runs") == [(3,)]


def test_a_film_at_several_places_is_one_film_that_is_new(tmp_path: Path) -> None:
    one = write_store(tmp_path / "1", [Drawn("a.png"), Drawn("copy/a.png", film="a.png"), Drawn("b.png")])
    two = write_store(tmp_path / "2", [Drawn("b.png"), Drawn("broken.png", None)])
    done = merge([one, two], tmp_path / "all", QUICK)
    assert [(taken.films, taken.rows, taken.known) for taken in done.taken] == [(2, 3, 0), (1, 2, 1)]


def test_a_run_that_went_on_since_it_was_taken_is_completed(tmp_path: Path) -> None:
    one, out = tmp_path / "1", tmp_path / "all"
    write_store(one, [Drawn("old.png")])
    with StoreWriter.open(one) as running:
        run = running.begin_run()
        merge([one], out, QUICK)
        sha256 = str(ask(one, "SELECT sha256 FROM results")[0][0])
        known = running.known_by_bytes(Place(1, "old.png", "s"), sha256, PRINT)
        assert known is not None
        running.add(run, [known], PRINT)
        facts = running.facts(1)
        assert facts is not None
        running.end_run(run, facts)
    done = merge([one], out, QUICK)
    assert done.taken[0].rows == 1
    assert ask(out, "SELECT count(*) FROM runs WHERE facts IS NOT NULL") == [(2,)]


def test_a_film_that_ended_otherwise_elsewhere_is_counted_and_its_first_row_stays(tmp_path: Path) -> None:
    one, two = (
        write_store(tmp_path / "1", [Drawn("a.png", 0.9)]),
        write_store(tmp_path / "2", [Drawn("a.png")]),
    )
    change(two, "UPDATE results SET margin = -3")
    done = merge([one, two], tmp_path / "all", TRUSTING)
    assert [(taken.known, taken.differing) for taken in done.taken] == [(0, 0), (1, 1)]
    assert [row[1] for row in table(tmp_path / "all")] == ["90.00"]


def rejudged(folder: Path, point: str, threshold: float, hour: int) -> None:
    """Scan a folder again with another operating point, at an hour of the next day."""
    with StoreWriter.open(folder) as store:
        run, facts = store.begin_run(), store.facts(1)
        assert facts is not None
        judged = [
            film._replace(operating_point=point, threshold=threshold, triage=triage)
            for film in store.overview.judged(None)
            for triage in ("flagged" if (film.probability or 0) >= threshold else "not_flagged",)
        ]
        for position, film in enumerate(judged, start=1):
            known = store.known_by_bytes(Place(position, film.file, "s"), film.sha256, PRINT)
            assert known is not None
            store.add(run, [known], PRINT)
        store.rejudge(PRINT, judged)
        at = datetime(2026, 11, 29, hour, tzinfo=UTC)
        store.end_run(run, replace(facts, operating_point=point, threshold=threshold, finished=at))


def judgements(folder: Path) -> set[tuple[str, str]]:
    with (folder / "results.csv").open(encoding="utf-8", newline="") as file:
        return {(row["operating_point"], row["triage"]) for row in csv.DictReader(file)}


def test_a_film_is_judged_as_the_latest_scan_of_all_stores_judged_it_whatever_their_order(
    tmp_path: Path,
) -> None:
    one, two = (write_store(tmp_path / name, [Drawn("a.png", 0.4)]) for name in ("1", "2"))
    merge([one, two], tmp_path / "before", QUICK)
    rejudged(one, "who-triage", 0.3, hour=2)
    rejudged(two, "rule-out", 0.6, hour=1)
    for number, folders in enumerate(([one, two], [two, one])):
        for out in (tmp_path / f"all-{number}", tmp_path / "before"):
            merge(folders, out, QUICK)
            assert judgements(out) == {("who-triage", "flagged")}
            with Store.open(out) as store:
                assert [facts.operating_point for facts, _ in store.ended()][-1] == "who-triage"
                assert all(score.is_ours for score in store.scores(None))
    rejudged(two, "rule-out", 0.6, hour=3)
    done = merge([one, two], tmp_path / "before", QUICK)
    assert [(taken.judged, taken.differing) for taken in done.taken] == [(0, 0), (1, 0)]
    assert judgements(tmp_path / "before") == {("rule-out", "not_flagged")}


TEN, BEFORE_TEN = "2026-11-30T10:00:00+00:00", "2026-11-30T09:30:00+00:00"


@pytest.mark.parametrize(
    "words",
    [
        [(TEN, "normal"), (BEFORE_TEN, "abnormal")],  # the clock was set back
        [(TEN, "normal"), (TEN, "abnormal"), (TEN, "normal")],
    ],
)
def test_a_reader_s_last_word_is_the_last_one_after_restore_and_merge_too(
    tmp_path: Path, words: list[tuple[str, str]]
) -> None:
    out = write_store(tmp_path / "1", [Drawn("a.png")])
    change(out, *(said(time, verdict) for time, verdict in words))
    back_up(out, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "restored", QUICK)
    for _ in range(2):
        merge([out, tmp_path / "restored"], tmp_path / "all", QUICK)
    for folder in (tmp_path / "restored", tmp_path / "all"):
        assert ask(folder, "SELECT time, verdict FROM verdicts ORDER BY id") == words


def test_words_of_several_stores_are_put_in_their_order_though_a_clock_was_set_back(tmp_path: Path) -> None:
    one, two = write_store(tmp_path / "1", [Drawn("a.png")]), write_store(tmp_path / "2", [Drawn("a.png")])
    change(one, said(TEN, "normal"), said(BEFORE_TEN, "abnormal"))
    change(two, said("2026-11-30T09:45:00+00:00", "cannot-tell"), said("2026-11-30T10:15:00+00:00", "normal"))
    merge([one, two], tmp_path / "all", QUICK)
    verdicts = ["cannot-tell", "normal", "abnormal", "normal"]
    assert ask(tmp_path / "all", "SELECT verdict FROM verdicts ORDER BY id") == [(one,) for one in verdicts]


def said(time: str, verdict: str) -> str:
    """The command that has a reader say something of a film."""
    columns = "sha256, reader, time, verdict, findings, note"
    return f"INSERT INTO verdicts ({columns}) VALUES ('s', 'ann', '{time}', '{verdict}', '', '')"


def test_verdicts_and_identities_come_with_their_films_once(tmp_path: Path) -> None:
    one, two = write_store(tmp_path / "1", [Drawn("a.png")]), write_store(tmp_path / "2", [Drawn("b.png")])
    verdict = "INSERT INTO verdicts (sha256, reader, time, verdict, findings, note) VALUES"
    change(
        one,
        f"{verdict} ('s', 'r', 't', 'normal', '', '')",
        "INSERT INTO audit VALUES (1, 't', 'a', 'b', 'c', 'd', '')",
    )
    change(
        two,
        f"{verdict} ('s', 'r', 't', 'abnormal', '', '')",
        "INSERT INTO audit VALUES (1, 't', 'x', 'y', 'z', 'd', '')",
    )
    change(two, "INSERT INTO identities (sha256, kind, name) VALUES ('s', 'full', 'Doe')")
    change(
        two,
        "INSERT INTO deliveries (uid, target, state, tries, tried, due, said, seal)"
        " VALUES ('1.2', 'p', 'sent', 1, '', '', '', '')",
    )
    for _ in range(2):
        done = merge([one, two], tmp_path / "all", QUICK)
    assert ask(tmp_path / "all", "SELECT verdict FROM verdicts") == [("normal",), ("abnormal",)]
    assert ask(tmp_path / "all", "SELECT name FROM identities") == [("Doe",)]
    assert ask(tmp_path / "all", "SELECT uid, state FROM deliveries") == [("1.2", "sent")]
    assert ask(tmp_path / "all", "SELECT actor FROM audit") == [("a",)]
    assert [taken.audit for taken in done.taken] == [0, 1]


def test_no_table_of_a_store_is_forgotten_when_stores_become_one() -> None:
    known = {"results", "places", "runs", "pictures", "features", "identities", "objects"}
    known |= {"verdicts", "deliveries", "audit", "users", "seen"}
    with StoreWriter.in_memory() as store:
        tables = {name for (name,) in store._rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert tables - {"written", "blocks"} == known  # these are made again


WRONG = {
    "probability": "UPDATE results SET probability = 7",
    "fingerprint": "UPDATE results SET fingerprint = x'00'",
    "size": "UPDATE results SET bytes = 'many'",
    "digest": "UPDATE results SET pictures = 'x'",
    "lasting": "UPDATE results SET is_lasting = 7",
    "file": "UPDATE places SET file = x'00'",
    "stamp": "UPDATE places SET stamp = hex(zeroblob(5000))",
    "position": "UPDATE places SET position = -4",
    "facts": "UPDATE runs SET facts = '{}'",
    "begun": "UPDATE runs SET begun = x'00'",
    "origin": "UPDATE runs SET origin = x'00'",
    "number": "UPDATE runs SET number = -3",
    "placement": "UPDATE pictures SET placement = '{}'; ",
    "verdict": "INSERT INTO verdicts (sha256, reader, time, verdict, findings, note)"
    " VALUES ('', '', '', '', '', x'00')",
    "identity": "INSERT INTO identities (sha256, kind, name) VALUES ('s', 'full', hex(zeroblob(99999)))",
    "result gone": "DELETE FROM results",
}


@pytest.mark.parametrize("command", WRONG.values(), ids=WRONG)
def test_a_store_with_what_no_scan_stores_is_refused_in_one_line_and_nothing_is_taken(
    command: str, tmp_path: Path
) -> None:
    bad, out = write_store(tmp_path / "bad", [Drawn("a.png")]), tmp_path / "out"
    good = write_store(tmp_path / "good", [Drawn("g.png")])
    change(bad, "PRAGMA foreign_keys = OFF", command)
    with pytest.raises(StoreError) as refused:
        merge([good, bad], out, TRUSTING)
    assert "\n" not in str(refused.value)
    with Store.open(out) as store:
        assert store.last_run() == 0


@pytest.mark.parametrize("act", ["restore", "merge"])
def test_a_store_with_a_trigger_a_link_or_no_store_at_all_is_refused(act: str, tmp_path: Path) -> None:
    trigger = write_store(tmp_path / "trigger", [Drawn("a.png")])
    change(trigger, "CREATE TRIGGER t AFTER INSERT ON runs BEGIN DELETE FROM verdicts; END")
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / STORE_FILE).symlink_to(trigger / STORE_FILE)
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / STORE_FILE).write_text("dear", encoding="utf-8")

    def take(folder: Path) -> None:
        if act == "merge":
            merge([folder], tmp_path / "out", TRUSTING)
        else:
            restore(folder / STORE_FILE, tmp_path / "out", TRUSTING)

    for name in ("trigger", "link", "text"):
        with pytest.raises(CxrTriageError) as refused:
            take(tmp_path / name)
        assert "\n" not in str(refused.value)


PICTURES = {
    "not that of its row": ("UPDATE pictures SET preview_jpeg = thumbnail_jpeg", False),
    "no picture": ("UPDATE pictures SET preview_jpeg = x'ffd8ff'", True),
    "a text": ("UPDATE pictures SET thumbnail_jpeg = CAST('<script>' AS BLOB)", True),
    "heat of no size": ("UPDATE pictures SET heat_png = x'89504e470d0a1a0a'", True),
}


@pytest.mark.parametrize(("command", "unsealed"), PICTURES.values(), ids=PICTURES)
def test_pictures_that_are_none_or_not_those_of_their_row_are_left_out_and_counted(
    command: str, unsealed: bool, tmp_path: Path
) -> None:
    out = write_store(tmp_path / "out", [Drawn("a.png"), Drawn("b.png")])
    change(out, f"{command} WHERE result = 1")
    if unsealed:
        change(out, "UPDATE results SET pictures = '', seal = '' WHERE id = 1")
    done = merge([out], tmp_path / "all", TRUSTING)
    assert done.taken[0].without_pictures == 1
    assert [bool(pictured) for pictured in _pictured(tmp_path / "all")] == [False, True]
    assert done.publication is not None
    assert done.publication.tally.scored == 2


def _pictured(folder: Path) -> list[object]:
    with Store.open(folder) as store:
        return [picture for _, picture in sorted(store.pictured(1), key=lambda pair: pair[0].file)]


def test_a_store_of_an_earlier_program_is_merged_on_trust(tmp_path: Path) -> None:
    from cxr_runtime.store.schema import _STEPS

    old, mine = tmp_path / "old", write_store(tmp_path / "mine", [Drawn("m.png")])
    old.mkdir()
    with closing(sqlite3.connect(old / STORE_FILE, isolation_level=None)) as db:
        _STEPS[0](db)
        row = (
            "a.png",
            "a" * 64,
            "scored",
            "",
            "",
            0.7,
            "flagged",
            0.5,
            "balanced",
            "PA",
            0.9,
            "m",
            "cd" * 32,
            "cpu",
            0.1,
        )
        rest = ("5" * 64, "2025-01-02T03:04:05+00:00", 1.5, 0.5, 0.2)
        db.execute(f"INSERT INTO films VALUES ({', '.join('?' * 20)})", (*row, *rest))
        db.execute("INSERT INTO run (file) VALUES ('a.png')")
        db.execute("PRAGMA user_version = 1")
    db.close()
    with pytest.raises(StoreError, match="1 of 1 row of"):
        merge([mine, old], tmp_path / "all", QUICK)
    for _ in range(2):
        merge([mine, old], tmp_path / "all", TRUSTING)
    assert sorted(row[0] for row in table(tmp_path / "all")) == ["a.png", "m.png"]
    assert ask(old, "PRAGMA user_version") == [(1,)]
    assert ask(tmp_path / "all", "PRAGMA user_version") == [(SCHEMA_VERSION,)]
    assert ask(tmp_path / "all", "SELECT count(*) FROM places") == [(2,)]


def test_a_merge_that_fails_in_the_middle_leaves_the_folder_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = write_store(tmp_path / "1", [Drawn("a.png")]), write_store(tmp_path / "2", [Drawn("b.png")])
    out = tmp_path / "all"
    merge([one], out, QUICK)
    shutil.copytree(out, tmp_path / "before")

    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(JoiningStore, "_join_rest", fail)
    with pytest.raises(StoreError, match="disk is full"):
        merge([one, two], out, QUICK)
    monkeypatch.undo()
    assert ask(out, "SELECT * FROM places") == ask(tmp_path / "before", "SELECT * FROM places")
    assert table(out) == table(tmp_path / "before")


def test_a_store_is_shown_in_another_language_and_the_table_stays_english(tmp_path: Path) -> None:
    out = write_store(tmp_path / "out", [Drawn("a.png"), Drawn("b.png", None)])
    report_again(out)
    rows, english = (out / "results.csv").read_bytes(), (out / "worklist.html").read_text(encoding="utf-8")
    report_again(out, ReportOptions(wishes=Wishes(language="ar", prevalence=0.05)))
    arabic = (out / "worklist.html").read_text(encoding="utf-8")
    assert '<html lang="en" dir="ltr">' in english
    assert '<html lang="ar" dir="rtl">' in arabic
    assert "قائمة العمل" in arabic
    assert (out / "results.csv").read_bytes() == rows


def test_other_colours_are_drawn_anew_and_the_usual_ones_come_back(tmp_path: Path) -> None:
    out = write_store(tmp_path / "out", [Drawn("a.png")])
    report_again(out, QUICK)
    (picture,) = (out / "heatmaps").glob("*.png")
    jet = picture.read_bytes()
    report_again(out, replace(QUICK, wishes=Wishes(colours=Colours.INFERNO)))
    inferno, stamp = picture.read_bytes(), picture.stat().st_mtime_ns
    assert inferno != jet
    report_again(out, replace(QUICK, wishes=Wishes(colours=Colours.INFERNO)))
    assert picture.stat().st_mtime_ns == stamp
    report_again(out, QUICK)
    assert picture.read_bytes() == jet


def test_a_language_that_this_machine_does_not_have_gives_english_reports(tmp_path: Path) -> None:
    out = write_store(tmp_path / "out", [Drawn("a.png")])
    report_again(out, ReportOptions(wishes=Wishes(language="xx")))
    assert '<html lang="en"' in (out / "worklist.html").read_text(encoding="utf-8")
