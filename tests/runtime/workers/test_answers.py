import io

import numpy as np
import pytest

from cxr_runtime.workers.answers import AnswerError, Content, Said, frame, read_answer, tell, told


def read(sent: bytes) -> tuple[Said, Content]:
    return read_answer(io.BytesIO(sent))


def test_an_answer_comes_through_whole() -> None:
    arrays = (np.arange(6, dtype=np.uint8).reshape(2, 3), np.full((1, 4), 7, np.uint8))
    said, content = read(b"".join(frame(Said.DONE, Content(b'{"a": 1}', arrays))))
    assert (said, content.text) == (Said.DONE, b'{"a": 1}')
    for sent, came in zip(arrays, content.arrays, strict=True):
        assert came.dtype == np.uint8
        np.testing.assert_array_equal(sent, came)


@pytest.mark.parametrize(
    "lie",
    [
        b"\x04\x00\x00\x00\x00\x00",  # of no kind
        b"\x02\x05\x00\x00\x00\x00" + b"\x01\0\0\0" * 10,  # five arrays
        b"\x02\x00\x01\x00\x10\x00",  # a text of more than 1 MiB
        b"\x02\x01\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00",  # an array without rows
        b"\x02\x01\x00\x00\x00\x00\x01\x10\x00\x00\x01\x00\x00\x00",  # one of 4097 rows
        b"\x02\x03\x00\x00\x00\x00" + b"\x00\x10\0\0" * 6,  # three of 16 MiB each
    ],
)
def test_what_is_beyond_the_limits_is_refused_before_it_is_read(lie: bytes) -> None:
    pipe = io.BytesIO(lie + bytes(1000))
    with pytest.raises(AnswerError):
        read_answer(pipe)
    assert pipe.tell() <= len(lie)


def test_an_answer_that_ends_early_is_an_end() -> None:
    whole = b"".join(frame(Said.DONE, Content(b"{}", (np.zeros((3, 3), np.uint8),))))
    for length in range(len(whole)):
        with pytest.raises(EOFError):
            read(whole[:length])


def test_random_bytes_are_an_answer_within_the_limits_or_refused() -> None:
    source = np.random.default_rng(0)
    for _ in range(2000):
        noise = bytearray(source.bytes(200))
        noise[0] %= 5
        noise[1] %= 6
        try:
            _, content = read(bytes(noise))
        except (AnswerError, EOFError):
            continue
        assert len(content.text) <= 200


def test_what_a_worker_says_is_printable_and_short() -> None:
    text = told(tell(failure="unknown", told="\x1b[2J" + "x" * 10_000))["told"]
    assert text.isprintable()
    assert len(text) <= 1000


@pytest.mark.parametrize("lie", [b"", b"[1]", b'{"a": 1}', b'{"a": "\\u001b"}', b'{ "a": "b"}', b"[" * 9999])
def test_what_a_worker_would_not_say_is_refused(lie: bytes) -> None:
    with pytest.raises(AnswerError):
        told(Content(lie))
