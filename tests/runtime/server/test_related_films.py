"""Beside a film: the patient's film before it, and the films that are most like it."""

from functools import partial
from pathlib import Path

from cxr_runtime.store.audit import Act
from cxr_runtime.store.desk import Desk
from cxr_runtime.store.verdicts import Said, Verdict
from drawn_stores import Drawn, write_store
from served_rooms import served

FILMS = (
    Drawn("now.png", 0.9, features=(100, 10, 0), patient="P1", studied="2026-05-02"),
    Drawn("before.png", 0.4, features=(100, 11, 0), patient="P1", studied="2026-01-01"),
    Drawn("like.png", 0.8, features=(100, 40, 0), patient="P2", studied="2026-05-02"),
    Drawn("unlike.png", 0.1, features=(0, 10, 100), patient="P3", studied="2026-05-02"),
    Drawn("less-like.png", 0.7, features=(100, 60, 0), patient="P2", studied="2026-06-02"),
)


def say(folder: Path, verdict: Verdict, key: str, reader: str = "ann") -> None:
    with Desk.open(folder) as desk, desk.acting(reader, Act.SAID) as now:
        desk.verdicts.add(Said(key, reader, now, verdict))


def keys(folder: Path) -> dict[str, str]:
    with Desk.open(folder) as desk:
        return {row.file: row.sha256 for row in desk.outcomes(None)}


def test_similar_films_come_with_what_was_said_and_without_the_patients_own(tmp_path: Path) -> None:
    folder = write_store(tmp_path, FILMS)
    known = keys(folder)
    with served(folder) as browser:
        found = browser.get(f"/film/{known['now.png']}/similar").json
        assert [(film["name"], film["score"]) for film in found["films"]] == [
            ("ID P2", "80"),
            ("ID P3", "10"),
        ]
        assert found["summary"] == "None was read yet."
        say(folder, Verdict.ABNORMAL, known["like.png"])
        again = browser.get(f"/film/{known['now.png']}/similar").json
        say(folder, Verdict.WITHDRAWN, known["like.png"])
        withdrawn = browser.get(f"/film/{known['now.png']}/similar").json
    assert again["films"][0]["said"] == [{"verdict": "abnormal", "words": "ann: Abnormal"}]
    assert again["summary"] == "1 read, 1 abnormal"
    assert (withdrawn["films"][0]["said"], withdrawn["summary"]) == ([], "None was read yet.")


def test_the_patients_film_before_is_shown_with_the_change_of_score(tmp_path: Path) -> None:
    folder = write_store(tmp_path, FILMS)
    known = keys(folder)
    with served(folder) as browser:
        earlier = browser.get(f"/film/{known['now.png']}").json["earlier"]
        assert browser.get(f"/film/{known['before.png']}").json["earlier"] is None
    assert earlier == {
        "key": known["before.png"],
        "date": "2026-01-01",
        "score": "40",
        "change": "50 more now",
    }


def test_a_film_of_another_person_with_the_same_id_is_no_earlier_film(tmp_path: Path) -> None:
    films = [
        Drawn("now.png", 0.9, patient="1001", born="1950-02-03", name="Doe, Jane", studied="2026-05-02"),
        Drawn("other.png", 0.3, patient="1001", born="1988-07-01", name="Roe, Max", studied="2026-04-01"),
        Drawn("hers.png", 0.8, patient="1001", born="1950-02-03", name="Miller, Jane", studied="2026-01-01"),
        Drawn("no date.png", 0.9, patient="1002", name="DOE, JANE", studied="2026-05-02"),
        Drawn("other name.png", 0.9, patient="1002", name="Roe, Max", studied="2026-04-01"),
        Drawn("same name.png", 0.9, patient="1002", name="Doe Jane", studied="2026-01-01"),
    ]
    folder = write_store(tmp_path, films)
    known = keys(folder)
    with served(folder) as browser:
        found = {name: browser.get(f"/film/{key}").json["earlier"] for name, key in known.items()}
    assert found["now.png"]["key"] == known["hers.png"]
    assert found["no date.png"]["key"] == known["same name.png"]
    assert [found[name] for name in ("other.png", "other name.png", "hers.png")] == [None] * 3


def test_an_id_that_two_hospitals_gave_is_of_two_patients(tmp_path: Path) -> None:
    now, before, long_before = "2026-05-02", "2026-04-01", "2026-01-01"
    film = partial(Drawn, patient="1001", born="1950-02-03", name="Doe, Jane")
    films = [
        film("now.png", 0.9, studied=now, issuer="NORTH"),
        film("other.png", 0.3, studied=before, issuer="SOUTH"),
        film("nobody says.png", 0.3, studied=before),
        film("hers.png", 0.8, studied=long_before, issuer="NORTH"),
    ]
    folder = write_store(tmp_path, films)
    known = keys(folder)
    with served(folder) as browser:
        found = {name: browser.get(f"/film/{key}").json for name, key in known.items()}
    assert found["now.png"]["earlier"]["key"] == known["hers.png"]
    assert [found[name]["earlier"] for name in ("other.png", "nobody says.png")] == [None, None]
    assert "ID 1001 (NORTH)" in found["now.png"]["owner"]


def test_of_a_patient_with_many_films_the_nearest_earlier_one_is_found(tmp_path: Path) -> None:
    films = [Drawn(f"{day}.png", patient="P1", studied=f"2026-01-{day:02}") for day in range(1, 31)]
    folder = write_store(tmp_path, films)
    known = keys(folder)
    with served(folder) as browser:
        for day in (30, 25, 2):
            earlier = browser.get(f"/film/{known[f'{day}.png']}").json["earlier"]
            assert earlier["date"] == f"2026-01-{day - 1:02}"
        assert browser.get(f"/film/{known['1.png']}").json["earlier"] is None


def test_nothing_of_a_patient_is_used_where_none_is_kept(tmp_path: Path) -> None:
    folder = write_store(
        tmp_path, [Drawn(film.file, film.probability, features=film.features) for film in FILMS]
    )
    known = keys(folder)
    with served(folder) as browser:
        found = browser.get(f"/film/{known['now.png']}/similar").json["films"]
        assert [film["name"] for film in found] == ["before.png", "like.png", "less-like.png", "unlike.png"]
        assert browser.get(f"/film/{known['now.png']}").json["earlier"] is None


def test_a_blinded_reader_sees_similar_films_after_the_verdict_and_none_that_are_still_to_read(
    tmp_path: Path,
) -> None:
    folder = write_store(tmp_path, FILMS)
    known = keys(folder)
    with served(folder, is_blinded=True) as browser:
        browser.load()
        address = f"/film/{known['now.png']}"
        assert browser.get(f"{address}/similar").status == 403
        said = {"verdict": "normal", "findings": [], "note": "", "source": "reading"}
        browser.post(f"{address}/verdict", said)
        assert browser.get(f"{address}/similar").json["films"] == []
        browser.post(f"/film/{known['like.png']}/verdict", said)
        assert [film["name"] for film in browser.get(f"{address}/similar").json["films"]] == ["ID P2"]


def test_a_blinded_reader_sees_the_score_of_an_earlier_film_once_he_has_read_that_too(tmp_path: Path) -> None:
    folder = write_store(tmp_path, FILMS)
    known = keys(folder)
    now, before = (f"/film/{known[name]}" for name in ("now.png", "before.png"))
    said = {"verdict": "normal", "findings": [], "note": "", "source": "reading"}
    with served(folder, is_blinded=True) as browser:
        browser.load().post(f"{now}/verdict", said)
        earlier = browser.get(now).json["earlier"]
        assert (earlier["date"], earlier["score"], earlier["change"]) == ("2026-01-01", "", "")
        browser.post(f"{before}/verdict", said)
        earlier = browser.get(now).json["earlier"]
        assert (earlier["score"], earlier["change"]) == ("40", "50 more now")


def test_a_film_that_is_not_there_has_no_similar_ones(tmp_path: Path) -> None:
    with served(write_store(tmp_path, FILMS)) as browser:
        assert browser.get(f"/film/{'ab' * 32}/similar").status == 404
