"""Reasons are stored in English and read in the language of the page."""

from collections.abc import Iterator

import pytest

from cxr_runtime.errors import FilmError
from cxr_runtime.film import FilmFacts, View
from cxr_runtime.gate.network import CUT_OFF_LUNGS, KIND_REASONS, SIDES_CHANGED
from cxr_runtime.gate.reasons import CERTAIN, check_tags, sentence
from cxr_runtime.gate.visibility import check_size
from cxr_runtime.language import language, speaking
from cxr_runtime.model.likeness import FOREIGN
from cxr_runtime.reading.failure import damaged, truncated, unsupported
from cxr_runtime.reports.stored_sentences import translated

NAMES = ("ar", "es", "fr", "pt")


def of_tags() -> Iterator[str]:
    """What the gate says by tags alone."""
    facts = (
        FilmFacts("dicom", is_for_processing=True),
        FilmFacts("dicom", is_own_result=True),
        FilmFacts("dicom", modality="XC"),
        FilmFacts("dicom", modality="MR"),
        FilmFacts("dicom", body_part="HAND"),
        FilmFacts("dicom", view=View.LATERAL),
        FilmFacts("dicom", age_years=7.0),
        FilmFacts("dicom", age_years=0.5),
    )
    for one in facts:
        try:
            check_tags(one)
        except FilmError as error:
            yield error.sentence


def all_sentences() -> Iterator[str]:
    yield from of_tags()
    yield from (sentence(found, step, 0.982) for _, found, step in (*KIND_REASONS.values(), CUT_OFF_LUNGS))
    yield sentence(SIDES_CHANGED[1], SIDES_CHANGED[2], CERTAIN)
    try:
        check_size((50, 40))
    except FilmError as error:
        yield error.sentence
    yield from (error.sentence for error in (truncated("pixels are missing"), damaged("its picture is torn")))
    yield unsupported("a BMP picture of compression 7").sentence
    yield FOREIGN
    yield "like those of the calibration: 1,402 films compared"
    yield "this clinic's own, made on 2026-11-29 from 312 films"
    yield "the one that came with the program"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("english", list(all_sentences()))
def test_every_part_of_a_stored_sentence_is_translated(name: str, english: str) -> None:
    with speaking(language(name)):
        told = translated(english)
    for part in english.partition(" (confidence")[0].split("; "):
        assert part not in told


def test_what_was_filled_in_stays_and_so_does_the_confidence() -> None:
    with speaking(language("fr")):
        told = translated("this looks like a lateral chest film (confidence 98.2%); give the film itself")
    assert "98,2\u202f%" in told
    assert "radiographie thoracique de profil" in told


@pytest.mark.parametrize(
    ("english", "name", "told"),
    [
        ("like those of the calibration: 1,402 films compared", "es", "1.402 placas"),
        ("this clinic's own, made on 2026-11-29 from 1312.5 films", "fr", "29/11/2026"),
        ("this clinic's own, made on 2026-11-29 from 1312.5 films", "pt", "1312,5"),
        ("no lungs were found on the film (0.2% of it)", "fr", "0,2\u202f%"),
    ],
)
def test_numbers_and_dates_that_were_filled_in_are_written_as_in_the_language(
    english: str, name: str, told: str
) -> None:
    with speaking(language(name)):
        assert told in translated(english)


def test_two_remarks_in_one_are_both_translated() -> None:
    both = "check its side marker. Also: the file is empty"
    with speaking(language("es")):
        assert translated(both) == "revise su marca de lado. Además: el archivo está vacío"


def test_a_sentence_that_nobody_knows_stays_as_it_is() -> None:
    strange = "the moon is full; wait for two weeks"
    with speaking(language("pt")):
        assert translated(strange) == strange
    assert translated(strange) == strange


def test_english_pages_show_a_sentence_as_it_is_stored() -> None:
    assert [translated(one) for one in all_sentences()] == list(all_sentences())
