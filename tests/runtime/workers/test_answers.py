import io
import os
import pickle

import numpy as np
import pytest

from cxr_runtime.errors import RejectedFilmError, UnreadableFilmError
from cxr_runtime.film import FilmFacts, View
from cxr_runtime.placement import Placement
from cxr_runtime.scanning.examination import Preview, Rejected
from cxr_runtime.workers.answers import read_answer


class Named:
    def __init__(self, function: object, *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[object, ...]:
        return self.call


def sent(answer: object) -> io.BytesIO:
    return io.BytesIO(pickle.dumps(answer, protocol=pickle.HIGHEST_PROTOCOL))


def test_an_examined_film_comes_through_whole() -> None:
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    placement = Placement((2, 3), (0, 0, 3, 2), (2, 2))
    facts, error = FilmFacts("png", view=View.PA), RejectedFilmError("lateral", "It is lateral.", 0.9)
    film = Rejected("a" * 64, error, facts, Preview(pixels, b"jpeg"), placement, 100, 0.5)
    succeeded, answer = read_answer(sent((True, film)))
    assert succeeded
    assert (answer.sha256, answer.facts, answer.whole) == (film.sha256, film.facts, placement)
    np.testing.assert_array_equal(answer.preview.pixels, pixels)


@pytest.mark.parametrize(
    "error", [UnreadableFilmError("truncated", "It ends."), MemoryError(), RuntimeError("no")]
)
def test_errors_come_through(error: Exception) -> None:
    _, answer = read_answer(sent((False, error)))
    assert type(answer) is type(error)
    assert str(answer) == str(error)


@pytest.mark.parametrize(
    "attack",
    [Named(os.system, "true"), Named(eval, "1"), Named(__import__, "os"), Named(getattr, "os", "name")],
)
def test_an_answer_that_names_a_function_is_refused(attack: Named) -> None:
    with pytest.raises(pickle.UnpicklingError, match="no part of an answer"):
        read_answer(sent((True, attack)))


@pytest.mark.parametrize("name", ["subprocess.Popen", "os", "WorkerPool"])
def test_nothing_is_reached_through_this_package(name: str) -> None:
    module = b"cxr_runtime.workers.pool"
    attack = (
        b"\x80\x04\x8c"
        + bytes([len(module)])
        + module
        + b"\x8c"
        + bytes([len(name)])
        + name.encode()
        + b"\x93."
    )
    with pytest.raises(pickle.UnpicklingError, match="no part of an answer"):
        read_answer(io.BytesIO(attack))


def test_an_answer_of_another_shape_is_refused() -> None:
    with pytest.raises(pickle.UnpicklingError, match="pair"):
        read_answer(sent([1, 2, 3]))
