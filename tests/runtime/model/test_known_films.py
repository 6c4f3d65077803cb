import json
from hashlib import sha256
from pathlib import Path

import pytest

from cxr_runtime.errors import ModelError
from cxr_runtime.model.known_films import KnownFilms, read_known_films, write_known_films

MODEL = "ab" * 32
FILMS = [sha256(str(number).encode()).hexdigest() for number in range(500)]
OTHERS = [sha256(f"other {number}".encode()).hexdigest() for number in range(5000)]


def test_films_that_were_learned_from_are_known_and_others_are_not(tmp_path: Path) -> None:
    write_known_films(tmp_path, MODEL, FILMS)
    known = read_known_films(tmp_path, MODEL)
    assert known is not None
    assert all(known.knows(film) for film in FILMS)
    assert not any(known.knows(film) for film in OTHERS)
    assert not known.knows("")


def test_the_rate_of_false_alarms_is_stated_and_true(tmp_path: Path) -> None:
    """The chance of one digest of 32 bits among N is N / 2**32."""
    known = write_known_films(tmp_path, MODEL, FILMS)
    assert known.false_alarms == pytest.approx(500 / 2**32)
    stated = json.loads((tmp_path / "known-films.json").read_text())
    assert stated["false_alarms"] == known.false_alarms


def test_no_film_can_be_named_from_the_file(tmp_path: Path) -> None:
    write_known_films(tmp_path, MODEL, FILMS)
    text = (tmp_path / "known-films.json").read_text()
    assert not any(film[:16] in text for film in FILMS)


def test_a_film_that_comes_twice_is_kept_once() -> None:
    assert KnownFilms.of([*FILMS, *FILMS]).digests.size == len(set(FILMS))


def test_a_model_without_the_file_knows_nothing_of_its_films(tmp_path: Path) -> None:
    assert read_known_films(tmp_path, MODEL) is None


@pytest.mark.parametrize("change", ["digests", "model_sha256", "films"])
def test_a_file_that_was_changed_is_refused(tmp_path: Path, change: str) -> None:
    write_known_films(tmp_path, MODEL, FILMS)
    path = tmp_path / "known-films.json"
    stated = json.loads(path.read_text())
    stated[change] = {"digests": stated["digests"][8:], "model_sha256": "cd" * 32, "films": 499}[change]
    path.write_text(json.dumps(stated))
    with pytest.raises(ModelError, match=r"known-films\.json cannot be used"):
        read_known_films(tmp_path, MODEL)


def test_another_models_file_is_refused(tmp_path: Path) -> None:
    write_known_films(tmp_path, MODEL, FILMS)
    with pytest.raises(ModelError, match="belongs to a model of sha256"):
        read_known_films(tmp_path, "cd" * 32)
