"""The list, a film and its verdicts, as the page asks for them."""

import gzip
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pytest

from cxr_runtime.heat.overlay import thumbnail_jpeg
from cxr_runtime.outcome import Outcome, Status, Triage
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.pictures import encode_jpeg, encode_png
from cxr_runtime.placement import Placement
from cxr_runtime.store.audit import Act
from cxr_runtime.store.desk import Desk
from cxr_runtime.store.listing import listed
from cxr_runtime.store.pruning import prune
from cxr_runtime.store.rows import FinishedFilm, Place, StoredPicture, StoredScore
from cxr_runtime.store.verdicts import Said, Verdict
from cxr_runtime.store.writer import StoreWriter
from drawn_stores import Drawn, ask, change, write_store
from served_rooms import Browser, served

READING = {"verdict": "abnormal", "findings": ["tb", "effusion"], "note": "left apex", "source": "reading"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    films = [Drawn("high.png", 0.9), Drawn("low<b>.png", 0.1), Drawn("gone.png", None)]
    return write_store(tmp_path / "out", films)


@pytest.fixture
def browser(folder: Path) -> Iterator[Browser]:
    with served(folder) as found:
        yield found.load()


def keys(browser: Browser, query: str = "") -> list[str]:
    parts = browser.get(f"/rows{query}").text.split('data-key="')[1:]
    return [part.partition('"')[0] for part in parts]


def test_the_list_stands_most_suspicious_first_and_names_are_escaped(browser: Browser) -> None:
    page = browser.get("/").text
    assert page.index("high.png") < page.index("low&lt;b&gt;.png") < page.index("gone.png")
    assert "<b>.png" not in page


def test_the_list_is_narrowed_by_what_the_address_says(browser: Browser) -> None:
    every = keys(browser)
    assert keys(browser, "?show=flagged") == every[:1]
    assert keys(browser, "?text=LOW") == [every[1]]
    assert keys(browser, "?read=unread") == every
    for nonsense in (
        "?show=x",
        "?page=0",
        "?page=-1",
        "?page=999999999999",
        "?since=yesterday",
        "?order=;drop",
    ):
        assert browser.get(f"/rows?{nonsense}").status == 200


def test_a_film_says_how_it_ended_and_gives_its_pictures(browser: Browser) -> None:
    high, _, gone = keys(browser)
    facts = browser.get(f"/film/{high}").json
    assert (facts["name"], facts["result"], facts["score"], facts["hasHeat"]) == (
        "high.png",
        "flagged",
        "90.00",
        True,
    )
    for part in ("preview.jpg", "thumb.jpg", "heat.png"):
        assert browser.get(f"/film/{high}/{part}").status == 200
    assert '<span class="number">90.00' in browser.get("/rows").text
    lost = browser.get(f"/film/{gone}").json
    assert (lost["result"], lost["hasPicture"]) == ("failed", False)
    assert browser.get(f"/film/{gone}/preview.jpg").status == 404


def test_a_verdict_is_kept_shown_and_listed(browser: Browser, folder: Path) -> None:
    high, low, _ = keys(browser)
    answer = browser.post(f"/film/{high}/verdict", READING)
    assert answer.status == 200
    (said,) = answer.json["verdicts"]
    assert (said["verdict"], said["findings"], said["note"]) == ("abnormal", ["tb", "effusion"], "left apex")
    assert said["isMine"]
    assert browser.get(f"/film/{high}").json["verdicts"] == [said]
    assert keys(browser, "?read=abnormal") == [high]
    assert low in keys(browser, "?read=unread")
    with Desk.open(folder) as desk:
        assert [entry.act for entry in desk.audit.latest(1)] == ["said"]
        assert desk.audit.verify().wrong is None


def test_a_test_result_stands_beside_the_reading(browser: Browser) -> None:
    high = keys(browser)[0]
    browser.post(f"/film/{high}/verdict", READING)
    answer = browser.post(
        f"/film/{high}/verdict", {"verdict": "normal", "findings": [], "note": "", "source": "genexpert"}
    )
    assert [(said["source"], said["verdict"]) for said in answer.json["verdicts"]] == [
        ("reading", "abnormal"),
        ("genexpert", "normal"),
    ]
    assert keys(browser, "?read=tested") == [high]


def test_in_a_blinded_reading_a_file_that_could_not_be_read_says_why(tmp_path: Path) -> None:
    damaged = Outcome("damaged.png", "ab" * 32, Status.FAILED, "truncated", "the file ends too early")
    score = StoredScore(damaged, None, None, None, "2026-01-02T03:04:05+00:00")
    with StoreWriter.open(write_store(tmp_path / "out", [Drawn("a.png")])) as store:
        store.add(1, [FinishedFilm(Place(2, "damaged.png", "1"), score, size=9)], "print")
    with served(tmp_path / "out", is_blinded=True) as browser:
        facts = browser.load().get(f"/film/{damaged.sha256}").json
        assert (facts["result"], facts["resultWord"], facts["isHidden"]) == ("failed", "Failed", False)
        assert facts["remarks"] == ["truncated: the file ends too early"]
        assert browser.get("/rows").text.count('class="film-row hidden"') == 1


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"[]",
        b"{" * 20_000,
        {**READING, "verdict": "maybe"},
        {**READING, "findings": ["cat"]},
        {**READING, "findings": "tb"},
        {**READING, "findings": [["tb"]]},
        {**READING, "note": 7},
        {**READING, "note": "x" * 2001},
        {**READING, "note": "\ud800"},
        {**READING, "source": "rumour"},
    ],
)
def test_what_is_no_verdict_is_refused_and_leaves_nothing(
    browser: Browser, folder: Path, said: object
) -> None:
    assert browser.post(f"/film/{keys(browser)[0]}/verdict", said).status == 400
    assert ask(folder, "SELECT count(*) FROM verdicts") == [(0,)]


def test_nothing_can_be_said_of_a_film_that_could_not_be_read_or_is_not_there(browser: Browser) -> None:
    assert browser.post(f"/film/{keys(browser)[2]}/verdict", READING).status == 404
    assert browser.post(f"/film/{'ab' * 32}/verdict", READING).status == 404


def test_opening_a_film_is_noted_and_marks_it_as_seen(browser: Browser, folder: Path) -> None:
    high = keys(browser)[0]
    assert browser.get("/rows").text.count('class="new"') == 3
    assert browser.post(f"/film/{high}/open").json == {"others": []}
    assert browser.get("/rows").text.count('class="new"') == 2
    browser.post(f"/film/{high}/open?again=1")
    assert ask(folder, "SELECT count(*) FROM audit WHERE act = 'opened'") == [(1,)]


def test_a_film_that_could_not_be_read_has_an_empty_place_for_its_picture(browser: Browser) -> None:
    row = browser.get("/rows?show=unscored").text
    assert "gone.png" in row
    assert '<span class="no-picture"></span>' in row
    assert "<img" not in row


def test_the_way_out_of_an_empty_list_stays_blinded(browser: Browser) -> None:
    empty = browser.get("/rows?text=nobody&blinded=1").text
    assert '<a href="/?blinded=1">Show all films</a>' in empty
    assert '<a href="/">Show all films</a>' in browser.get("/rows?text=nobody").text


def test_in_a_blinded_reading_score_and_heat_are_hidden_until_the_verdict(browser: Browser) -> None:
    high = keys(browser)[0]
    hidden = browser.get(f"/film/{high}?blinded=1").json
    assert (hidden["isHidden"], hidden["score"], hidden["resultWord"], hidden["hasHeat"]) == (
        True,
        "",
        "",
        False,
    )
    assert browser.get(f"/film/{high}/heat.png?blinded=1").status == 403
    plain = browser.get(f"/film/{high}/preview.jpg").body
    assert (
        browser.get(f"/film/{high}/thumb.jpg?blinded=1").body
        == plain
        != browser.get(f"/film/{high}/thumb.jpg").body
    )
    assert "90" not in browser.get("/rows?blinded=1").text.partition(high)[2].partition("</li>")[0]
    browser.post(f"/film/{high}/open?blinded=1")
    assert browser.get(f"/film/{high}?blinded=1").json["isHidden"]
    said = browser.post(f"/film/{high}/verdict?blinded=1", READING).json["verdicts"][0]
    assert said["isBlinded"]
    shown = browser.get(f"/film/{high}?blinded=1").json
    assert (shown["isHidden"], shown["score"]) == (False, "90.00")
    again = browser.post(f"/film/{high}/verdict?blinded=1", READING).json["verdicts"][0]
    assert not again["isBlinded"]  # by then the score was known


def test_a_blinded_list_stands_as_films_arrived_over_all_pages_and_is_not_narrowed_by_what_was_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("store.listing", "server.worklist_page"):
        monkeypatch.setattr(f"cxr_runtime.{module}.MOST_ON_A_PAGE", 2)
    monkeypatch.setattr(listed, "__defaults__", (2,))
    films = [Drawn(f"{place}.png", score) for place, score in enumerate((0.2, 0.9, 0.1, 0.8, 0.7))]
    folder = write_store(tmp_path / "out", films)
    arrived = [str(sha256) for (sha256,) in ask(folder, "SELECT sha256 FROM results ORDER BY id")]
    with served(folder, is_blinded=True) as browser:
        for narrowed in ("", "&show=flagged", "&order=suspicion", "&read=abnormal", "&read=tested"):
            found = [keys(browser, f"?page={page}{narrowed}") for page in (1, 2, 3)]
            assert found == [arrived[:2], arrived[2:4], arrived[4:]]
        page = browser.get("/").text
    for word in ("Flagged", "Most suspicious first", "Called abnormal", "With a test result"):
        assert f">{word}</option>" not in page
    assert ">Not read by me</option>" in page


def test_a_test_result_of_a_hidden_film_brings_no_verdict_of_others(folder: Path) -> None:
    key = str(ask(folder, "SELECT sha256 FROM results ORDER BY id")[0][0])
    with Desk.open(folder) as desk:
        for reader, verdict in (("bob", Verdict.NORMAL), ("eve", Verdict.ABNORMAL)):
            with desk.acting(reader, Act.SAID) as now:
                desk.verdicts.add(Said(key, reader, now, verdict))
    tested = {"verdict": "normal", "findings": [], "note": "", "source": "genexpert"}
    with served(folder, is_blinded=True) as browser:
        answer = browser.load().post(f"/film/{key}/verdict", tested).json
        assert [each["source"] for each in answer["verdicts"]] == ["genexpert"]
        assert not answer["isDisputed"]
        assert browser.get(f"/film/{key}").json["isHidden"]
        answer = browser.post(f"/film/{key}/verdict", READING).json
    assert len(answer["verdicts"]) == 4
    assert answer["isDisputed"]


def deep_film(folder: Path, name: str) -> tuple[bytes, str]:
    """A store with one film of 16 bits, whose file lies beside the output folder."""
    grey = draw_phantom(3, hw=(300, 240))
    content = cv2.imencode(".png", grey.astype(np.uint16) * 200 + 7)[1].tobytes()
    (folder.parent / name).write_bytes(content)
    digest = sha256(content).hexdigest()
    outcome = Outcome(
        name, digest, Status.SCORED, "", "", 0.9, Triage.FLAGGED, 0.5, "balanced", "PA", 0.9, "m", "cd" * 32
    )
    heat = np.eye(3, dtype=np.float32)
    placement = Placement((300, 240), (0.0, 0.0, 240.0, 300.0), (64, 64))
    picture = StoredPicture(
        encode_jpeg(grey), placement, heat, (), thumbnail_jpeg(grey, heat, 0.2), encode_png(grey)
    )
    score = StoredScore(outcome, 0.5, 0.5, 0.2, "2026-01-02T03:04:05+00:00")
    folder.mkdir()
    with StoreWriter.open(folder) as store:
        store.add(
            store.begin_run(), [FinishedFilm(Place(1, name, "1"), score, picture, len(content))], "print"
        )
    return content, digest


def test_a_film_comes_at_its_full_depth_after_its_bytes_were_checked(tmp_path: Path) -> None:
    content, digest = deep_film(tmp_path / "out", "deep.png")
    with served(tmp_path / "out") as browser:
        answer = browser.get(f"/film/{digest}/pixels", **{"accept-encoding": "gzip"})
        values = np.frombuffer(gzip.decompress(answer.body), "<u2").reshape(300, 240)
        stored = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
        assert stored is not None
        assert np.array_equal(values, stored)
        stated = [answer.headers[f"x-{name}"] for name in ("rows", "columns", "bits", "spacing")]
        assert stated == ["300", "240", "16", ""]


def test_a_film_whose_pictures_were_dropped_comes_from_its_file(tmp_path: Path) -> None:
    content, digest = deep_film(tmp_path / "out", "deep.png")
    prune(tmp_path / "out", None, 1)
    with served(tmp_path / "out") as browser:
        assert browser.get(f"/film/{digest}").json["hasPicture"] is False
        stored = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
        assert stored is not None
        assert browser.get(f"/film/{digest}/pixels").body == stored.astype("<u2").tobytes()
    (tmp_path / "deep.png").unlink()
    with served(tmp_path / "out") as browser:
        assert browser.get(f"/film/{digest}/pixels").status == 404


def test_a_file_that_is_gone_or_has_changed_or_is_not_ours_gives_no_pixels(tmp_path: Path) -> None:
    content, digest = deep_film(tmp_path / "out", "deep.png")
    file = tmp_path / "deep.png"
    with served(tmp_path / "out") as browser:
        file.write_bytes(content[:-1] + b"x")
        assert browser.get(f"/film/{digest}/pixels").status == 404
        file.unlink()
        assert browser.get(f"/film/{digest}/pixels").status == 404
        file.write_bytes(content)
        change(tmp_path / "out", "UPDATE places SET seal = ''")
        assert browser.get(f"/film/{digest}/pixels").status == 404
        assert browser.get(f"/film/{digest}/preview.jpg").status == 200
