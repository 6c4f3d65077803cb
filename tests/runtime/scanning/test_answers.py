import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cxr_runtime.errors import RejectedFilmError, UnreadableFilmError
from cxr_runtime.film import FilmFacts, View
from cxr_runtime.identity import Identity, StudyHeader
from cxr_runtime.lungs.mask import lung_mask
from cxr_runtime.model.preprocessing import Preprocessing, place
from cxr_runtime.scanning.answers import NEEDS, Examining
from cxr_runtime.scanning.examination import Admitted, Examination, Examined, Rejected, Unread
from cxr_runtime.sources.film_source import FileOnDisk
from cxr_runtime.store.rows import Place
from cxr_runtime.workers.answers import Content
from cxr_runtime.workers.tasks import load

HOW = Preprocessing(input_hw=(32, 48), crop="lung-field")
TASK = Examination(Place(1, "film.png", ""), FileOnDisk("film.png", Path("film.png")), HOW)
WORK = Examining()
DIGEST = "0123456789abcdef" * 4
FACTS = FilmFacts(
    "dicom", 12, view=View.PA, body_part="CHEST", age_years=40.5, stored_hw=(90, 70), turned_back=180
)


def drawn(rows: int, columns: int) -> NDArray[np.uint8]:
    return np.random.default_rng(rows).integers(0, 256, (rows, columns), np.uint8)


def unread() -> Unread:
    return Unread(DIGEST, UnreadableFilmError("damaged", "It is damaged."), 0.25)


def rejected() -> Rejected:
    error = RejectedFilmError("lateral", "It is lateral.", 0.75)
    return Rejected(DIGEST, error, FACTS, drawn(90, 70), (90, 70), 1234, 0.5)


def admitted() -> Admitted:
    soft = np.zeros((40, 40), np.uint8)
    soft[8:30, 5:16] = soft[8:30, 24:35] = 200
    lungs = lung_mask(soft, (2048, 1024))
    placement = place((2048, 1024), lungs.box_film_xyxy, HOW)
    remark = ("polarity-inverted", "It was inverted.")
    preview = drawn(1024, 512)
    return Admitted(DIGEST, remark, FACTS, preview, placement, lungs, drawn(32, 48), 99, 0.125)


def through(film: Examined) -> Examined:
    return WORK.decode(WORK.encode(film), TASK)


@pytest.mark.parametrize("film", [unread(), rejected(), admitted()], ids=["unread", "rejected", "admitted"])
def test_an_examined_film_comes_through_whole(film: Examined) -> None:
    came = through(film)
    assert type(came) is type(film)
    for name, value in vars(film).items():
        other = getattr(came, name)
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(other, value)
        elif isinstance(value, Exception):
            assert (type(other), other.args, vars(other)) == (type(value), value.args, vars(value))
        elif name == "lungs":
            np.testing.assert_array_equal(other.soft, value.soft)
            assert {**vars(other), "soft": None} == {**vars(value), "soft": None}
        else:
            assert other == value


def test_texts_of_tags_are_cut_and_made_printable() -> None:
    facts = replace(FACTS, body_part="\x1b" * 5000, photometric="m" * 5000)
    film = through(replace(rejected(), facts=facts))
    assert isinstance(film, Rejected)
    assert film.facts.photometric == "m" * 200
    assert film.facts.body_part.isprintable()
    assert len(film.facts.body_part) <= 200


def test_a_sentence_that_quotes_a_rare_space_comes_through() -> None:
    failure = UnreadableFilmError("unsupported", "the photometric interpretation MONO\xa0\u3000 is not read")
    came = through(Unread(DIGEST, failure, 0.25))
    assert isinstance(came, Unread)
    assert came.error.sentence == failure.sentence


def forged(film: Examined, **changes: Any) -> Content:
    content = WORK.encode(film)
    return Content(json.dumps(json.loads(content.text) | changes).encode(), content.arrays)


@pytest.mark.parametrize(
    "changes",
    [
        {"sha256": "0" * 63},
        {"sha256": "G" * 64},
        {"sha256": ""},
        {"sha256": None},
        {"became": "scored"},
        {"became": "known"},
        {"became": "unread"},
        {"film_hw": [10**6, 10**6]},
        {"film_hw": [0, 0]},
        {"film_hw": [-2048, -1024]},
        {"film_hw": [2047, 1]},
        {"film_hw": [1.5, 2]},
        {"film_hw": [2048, 1024, 1]},
        {"size": -1},
        {"size": 1 << 62},
        {"size": 10**400},
        {"seconds": -1.0},
        {"seconds": 1e300},
        {"seconds": float("nan")},
        {"seconds": float("inf")},
        {"seconds": "1"},
        {"confidence": 2.0},
        {"code": "a b"},
        {"code": "a" * 41},
        {"sentence": "s" * 1001},
        {"sentence": "\x1b[2J"},
        {"sentence": "\ud800"},
        {"facts": None},
        {"facts": {}},
        {"more": 1},
        {"__class__": "os.system"},
    ],
    ids=str,
)
@pytest.mark.parametrize("film", [rejected(), admitted()], ids=["rejected", "admitted"])
def test_a_forged_text_is_refused(film: Examined, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any ValueError ends the worker
        WORK.decode(forged(film, **changes), TASK)


@pytest.mark.parametrize(
    "changes",
    [
        {"view": "UP"},
        {"frames": "1"},
        {"body_part": "b" * 201},
        {"modality": "\n"},
        {"age_years": float("nan")},
        {"is_own_result": 1},
        {"turned_back": 45},
        {"more": 1},
    ],
    ids=str,
)
def test_forged_facts_are_refused(changes: dict[str, Any]) -> None:
    facts = json.loads(WORK.encode(rejected()).text)["facts"] | changes
    with pytest.raises(ValueError):  # noqa: PT011
        WORK.decode(forged(rejected(), facts=facts), TASK)


@pytest.mark.parametrize("count", [0, 1, 2, 4])
def test_too_few_or_too_many_arrays_are_refused(count: int) -> None:
    content = WORK.encode(admitted())
    with pytest.raises(ValueError, match="arrays"):
        WORK.decode(replace(content, arrays=(*content.arrays, content.arrays[0])[:count]), TASK)


@pytest.mark.parametrize(("which", "shape"), [(0, (1024, 513)), (0, (1, 1)), (1, (1, 1025)), (2, (48, 32))])
def test_an_array_of_another_shape_is_refused(which: int, shape: tuple[int, int]) -> None:
    content = WORK.encode(admitted())
    arrays = [*content.arrays]
    arrays[which] = np.zeros(shape, np.uint8)
    with pytest.raises(ValueError, match=r"size|large"):
        WORK.decode(replace(content, arrays=tuple(arrays)), TASK)


def test_a_text_with_any_byte_changed_is_refused_or_is_a_film_all_the_same() -> None:
    content, source = WORK.encode(rejected()), np.random.default_rng(1)
    for _ in range(500):
        text = bytearray(content.text)
        text[source.integers(len(text))] = source.integers(256)
        try:
            film = WORK.decode(replace(content, text=bytes(text)), TASK)
        except ValueError:
            continue
        assert isinstance(film, Rejected)
        assert film.film_hw == (90, 70)


@pytest.mark.parametrize("need", NEEDS)
def test_what_a_worker_may_say_it_lacks_is_here(need: str) -> None:
    load(need)


HEADER = StudyHeader((("PatientID", "P\xe91"), ("StudyInstanceUID", "1.2.3")), Identity("Pé1", study="1.2.3"))
WANTED = replace(TASK, wants_header=True)


@pytest.mark.parametrize("film", [rejected(), admitted()], ids=["rejected", "admitted"])
def test_a_header_comes_through_whole_where_it_is_wanted(film: Rejected | Admitted) -> None:
    came = WORK.decode(WORK.encode(replace(film, header=HEADER)), WANTED)
    assert isinstance(came, Rejected | Admitted)
    assert came.header == HEADER


@pytest.mark.parametrize("film", [rejected(), admitted()], ids=["rejected", "admitted"])
def test_a_header_that_nobody_asked_for_is_refused(film: Rejected | Admitted) -> None:
    with pytest.raises(ValueError, match="not asked for"):
        through(replace(film, header=HEADER))


@pytest.mark.parametrize(
    "changes",
    [
        {"elements": [["PixelData", "00"]]},
        {"elements": [["PatientID", "\n"]]},
        {"elements": [["PatientID", "x" * 601]]},
        {"elements": [["PatientID", "a"], ["PatientID", "b"]]},
        {"elements": [["StudyInstanceUID", "1.2\\3"]]},
        {"elements": [["PatientID", "山"]]},
        {"elements": [["PatientID"]]},
        {"elements": {"PatientID": "a"}},
        {"shown": {**asdict(HEADER.shown), "name": "\x1b[2J"}},
        {"shown": {**asdict(HEADER.shown), "name": "n" * 401}},
        {"shown": None},
        {"more": 1},
    ],
    ids=str,
)
def test_a_forged_header_is_refused(changes: dict[str, Any]) -> None:
    header = asdict(HEADER) | changes
    with pytest.raises(ValueError):  # noqa: PT011
        WORK.decode(forged(admitted(), header=header), WANTED)
