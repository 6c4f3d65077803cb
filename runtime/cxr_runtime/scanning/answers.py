"""Examined films on their way from a worker: encoded there, and decoded here without trust.

The text holds what is small; the film at reading size, the lungs and the network's input are arrays. What
follows from these is worked out here again: the placement, the box and the outlines of the lungs.
"""

import json
import re
from dataclasses import dataclass, replace
from math import prod
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cxr_runtime.errors import RejectedFilmError, UnreadableFilmError
from cxr_runtime.film import LEAST_SPACING, MOST_SPACING, FilmFacts, shrunk_hw
from cxr_runtime.gate.network import TURNS, GateNetwork
from cxr_runtime.identity import StudyHeader
from cxr_runtime.lungs import lung_field, measured
from cxr_runtime.model.preprocessing import place
from cxr_runtime.names import printable
from cxr_runtime.scanning.examination import (
    Admitted,
    Examination,
    Examined,
    Order,
    Rejected,
    Unread,
    examine,
)
from cxr_runtime.sources.film_source import MAX_FILE_BYTES
from cxr_runtime.typed_json import from_json
from cxr_runtime.workers.answers import Content

MAX_TAG = 200  # characters of a tag's text, wherever it goes
MAX_SENTENCE = 1000  # characters
MAX_PIXELS = 1 << 27  # rows x columns of a film; those that are read have at most 100 million
MAX_MASK_SIDE = 1024  # of the lungs' mask at working resolution
MAX_SECONDS = 1e6

CODECS = (
    "deflate",
    "imcd",
    "jpeg2k",
    "jpeg8",
    "jpegls",
    "png",
    "zlib",
    "zstd",
)  # imcd: LZW, PackBits
NEEDS = (
    *(f"cxr_runtime.reading.{name}" for name in ("bmp", "dicom.file", "dicom.study", "jpeg", "png", "tiff")),
    *(f"imagecodecs._{name}" for name in CODECS),
)

_encoded = json.JSONEncoder(allow_nan=False, default=vars).encode  # dataclasses as their fields
_SHA256 = re.compile("[0-9a-f]{64}")
_CODE = re.compile("[a-z0-9-]{1,40}")


@dataclass(frozen=True)
class _Text:
    """The text of an answer; what a variant does not have is empty."""

    became: Literal["unread", "rejected", "admitted"]
    sha256: str
    seconds: float = 0.0
    code: str = ""  # of the error, or of the remark on an admitted film
    sentence: str = ""
    confidence: float = 0.0  # of a rejection
    facts: FilmFacts | None = None
    film_hw: tuple[int, int] = (1, 1)
    size: int = 0
    header: StudyHeader | None = None


@dataclass(frozen=True)
class Examining:
    """Examining films, as the work of a pool (`workers.tasks.Work`)."""

    needs: tuple[str, ...] = NEEDS

    def prepare(self) -> None:
        """Open both small networks, which every readable film needs.

        Raises:
            ModelError: one of them is missing or damaged.
        """
        blank = np.zeros((1, 1), np.uint8)
        GateNetwork().read(blank)
        lung_field().find(blank)

    def pack(self, task: Examination) -> tuple[Order, int | None]:
        """What a worker is told of a film, and the descriptor of its bytes."""
        if task.file is None:
            return Order(task.preprocessing, task.source, "", task.wants_header), None
        order = Order(task.preprocessing, None, task.file.sha256, task.wants_header)
        return order, task.file.descriptor

    def do(self, packed: Order, descriptor: int | None) -> Examined:
        """Examine one film."""
        return examine(packed, descriptor)

    def encode(self, result: Examined) -> Content:
        """A film as it is sent; text of its file is made printable, and cut."""
        match result:
            case Unread(sha256, error, seconds):
                return _content(_Text("unread", sha256, seconds, error.code, _sentence(error.sentence)))
            case Rejected():
                error = result.error
                text = _Text(
                    "rejected", result.sha256, result.seconds, error.code, _sentence(error.sentence),
                    float(error.confidence), _cut(result.facts), result.film_hw, result.size, result.header,
                )  # fmt: skip
                return _content(text, result.preview)
            case Admitted():
                code, sentence = result.remark
                text = _Text(
                    "admitted", result.sha256, result.seconds, code, _sentence(sentence), 0.0,
                    _cut(result.facts), result.placement.film_hw, result.size, result.header,
                )  # fmt: skip
                return _content(text, result.preview, result.lungs.soft, result.inputs)

    def is_suspicious(self, result: Examined | Exception) -> bool:
        """Where a decoder complained: it may have written where it should not."""
        if isinstance(result, Unread):
            return result.error.code == "damaged"
        return isinstance(result, RuntimeError)

    def decode(self, content: Content, task: Examination) -> Examined:
        """A film as it came.

        Raises:
            ValueError: it is not a film as `encode` sends it.
        """
        text = from_json(content.text, _Text)
        _check(_content(text).text == content.text, "the text is written in another way")
        _check_text(text)
        _check(task.file is None or text.sha256 == task.file.sha256, "another film")
        _check(task.wants_header or text.header is None, "a header that was not asked for")
        match text.became, content.arrays:
            case "unread", ():
                return Unread(text.sha256, UnreadableFilmError(text.code, text.sentence), text.seconds)
            case "rejected", (preview,):
                _check_preview(preview, text.film_hw)
                error = RejectedFilmError(text.code, text.sentence, text.confidence)
                return Rejected(
                    text.sha256,
                    error,
                    _facts(text),
                    preview,
                    text.film_hw,
                    text.size,
                    text.seconds,
                    text.header,
                )
            case "admitted", (preview, soft, inputs):
                how = task.preprocessing
                _check_preview(preview, text.film_hw)
                _check(max(soft.shape) <= MAX_MASK_SIDE, "the lungs' mask is too large")
                _check(inputs.shape == how.input_hw, "the network's input has another size")
                lungs = measured(soft, text.film_hw)
                placement = place(text.film_hw, lungs.box_film_xyxy, how)
                return Admitted(
                    text.sha256, (text.code, text.sentence), _facts(text), preview, placement, lungs, inputs,
                    text.size, text.seconds, text.header,
                )  # fmt: skip
            case _:
                raise ValueError(f"{text.became} with {len(content.arrays)} arrays")


def _content(text: _Text, *arrays: NDArray[np.uint8]) -> Content:
    return Content(_encoded(vars(text)).encode(), arrays)


def _sentence(text: str) -> str:
    return printable(text)[:MAX_SENTENCE]


def _cut(facts: FilmFacts) -> FilmFacts:
    """Facts whose texts are printable, and no longer than a text of a tag may be."""
    return replace(
        facts,
        file_format=_tag(facts.file_format),
        modality=_tag(facts.modality),
        body_part=_tag(facts.body_part),
        transfer_syntax=_tag(facts.transfer_syntax),
        photometric=_tag(facts.photometric),
    )


def _tag(text: str) -> str:
    return printable(text)[:MAX_TAG]


def _check(is_sound: bool, found: str) -> None:
    if not is_sound:
        raise ValueError(f"not an examined film: {found}")


def _check_text(text: _Text) -> None:
    is_unread = text.became == "unread"
    _check(bool(_SHA256.fullmatch(text.sha256)) or (is_unread and not text.sha256), "no sha256")
    may_lack_code = text.became == "admitted" and not text.code
    _check(may_lack_code or bool(_CODE.fullmatch(text.code)), "no code")
    _check(text.sentence == _sentence(text.sentence), "no sentence")
    _check(0 <= text.seconds <= MAX_SECONDS and 0 <= text.confidence <= 1, "a number is out of range")
    _check(0 <= text.size <= MAX_FILE_BYTES, "no size of a file")
    _check(min(text.film_hw) >= 1 and prod(text.film_hw) <= MAX_PIXELS, "no size of a film")


def _facts(text: _Text) -> FilmFacts:
    """The facts of a readable film, whose texts are as `_cut` leaves them."""
    _check(text.facts is not None and text.facts == _cut(text.facts), "no facts")
    assert text.facts is not None
    _check(LEAST_SPACING <= (text.facts.spacing_mm or 1) <= MOST_SPACING, "a spacing that no film has")
    _check(text.facts.turned_back in TURNS, "a turn that no film is turned back by")
    return text.facts


def _check_preview(preview: NDArray[np.uint8], film_hw: tuple[int, int]) -> None:
    _check(preview.shape == shrunk_hw(film_hw), "the film at reading size has another size")
