"""The report has a summary and a page for every film that a reader is asked to look at."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder  # type: ignore[import-untyped]  # it ships no types
from fontTools.pens.ttGlyphPen import TTGlyphPen  # type: ignore[import-untyped]  # it ships no types

from cxr_runtime.model.likeness import FOREIGN
from cxr_runtime.reports.exhibit import Exhibit, tally
from cxr_runtime.reports.pdf import write_report
from drawn_exhibits import RUN, failed, rejected, scored
from pdf_pages import needs_poppler, no_installed_fonts, pages, ranked, written

__all__ = ["no_installed_fonts"]  # its fixture holds here

CLEARED_NEVER = "it never clears one"


def drawn(path: Path, page: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A page as (H, W, 3) uint8 in the order blue, green, red."""
    stem, number = path.with_name(f"page{page}"), str(page)
    range_of_pages = ("-f", number, "-l", number)
    subprocess.run(["pdftoppm", "-r", "72", "-png", "-singlefile", *range_of_pages, path, stem], check=True)
    return np.asarray(cv2.imread(f"{stem}.png"), np.uint8)


@needs_poppler
def test_films_flagged_and_to_review_have_a_page_and_others_have_none(tmp_path: Path) -> None:
    films = [
        scored("night/a.png", 0.9),
        scored("night/b.png", 0.45),
        scored("night/c.png", 0.1),
        rejected("night/d.png"),
    ]
    summary, *film_pages, technical = pages(written(tmp_path, films))
    assert len(film_pages) == 2
    assert "a.png" in film_pages[0]
    assert "90.00" in film_pages[0]
    assert "Flagged" in film_pages[0]
    assert "b.png" in film_pages[1]
    assert "Review" in film_pages[1]
    assert "c.png" not in summary
    assert "onnxruntime-cpu" in technical


@needs_poppler
def test_the_summary_counts_the_films_and_says_why_some_have_no_score(tmp_path: Path) -> None:
    films = [scored("c.png", 0.1), rejected("d.png"), *(failed(f"e{n}.dcm") for n in range(11))]
    summary = "".join(pages(written(tmp_path, films)))
    assert {"13", "11"} <= set(summary.split())
    for text in (
        "flagged at a score of 47.00 or more",
        "sensitivity 87%",
        "cd" * 16,
        "lateral: this is a side view: read it",
        "truncated: it ends too soon: copy it again",
        "threshold 47.00",
    ):
        assert text in summary


@needs_poppler
def test_many_films_without_a_score_run_on_over_further_pages_and_none_is_lost(tmp_path: Path) -> None:
    films = [failed(f"broken{n:03d}.png", message="it ends too soon, " * (n % 7 * 3)) for n in range(120)]
    all_pages = pages(written(tmp_path, films))
    assert len(all_pages) > 2
    assert sorted(re.findall(r"broken\d{3}", "".join(all_pages))) == [f"broken{n:03d}" for n in range(120)]


@needs_poppler
def test_every_page_bears_the_notice_and_its_number(tmp_path: Path) -> None:
    for number, text in enumerate(pages(written(tmp_path, [scored("a.png", 0.9)])), start=1):
        assert CLEARED_NEVER in text
        assert f"page {number} of 3" in text
        assert "NOT CALIBRATED" not in text


@needs_poppler
@pytest.mark.parametrize("letter", ["a", "\u0644"])
def test_a_name_longer_than_its_line_goes_on_and_hides_nothing_else(tmp_path: Path, letter: str) -> None:
    others = ("ID 4711", "born 1950-02-03", "study of 2026-11-29", "accession 815")
    film = replace(scored("a.png", 0.9), owner=(letter * 300, *others))
    _, page, _ = pages(written(tmp_path, [film]))
    assert "\u2026" not in page
    for fact in others:
        assert fact in page


@needs_poppler
def test_no_date_or_number_of_a_patient_is_cut(tmp_path: Path) -> None:
    owner = (
        "RAKOTONDRAMANANA RAZAFINDRAKOTO, Andriamihaja Jean Baptiste",
        "ID CHU-ANTANANARIVO-2026-000123456 (CHU-JRA)",
        "born 1961-03-04",
        "study of 2025-11-04",
        "accession RAD2025-118-8812",
    )
    _, page, _ = pages(written(tmp_path, [replace(scored("a.png", 0.9), owner=owner)]))
    for fact in owner:
        assert fact in page


@needs_poppler
def test_a_name_that_looks_like_a_place_holder_stays_as_it_is(tmp_path: Path) -> None:
    _, page, _ = pages(written(tmp_path, [scored("{pages} {nb}.png", 0.9)]))
    assert "{pages} {nb}.png" in page
    assert "page 2 of 3" in page


@needs_poppler
def test_a_flagged_film_says_how_much_of_its_heat_lies_in_the_lungs(tmp_path: Path) -> None:
    _, page, _ = pages(written(tmp_path, [scored("a.png", 0.9, lung_heat_share=0.87)]))
    assert "87% of the heat in the lungs" in page


@needs_poppler
def test_every_page_of_an_uncalibrated_run_is_marked(tmp_path: Path) -> None:
    films = [scored("a.png", 0.9), *(failed(f"{n}.png") for n in range(60))]
    texts = pages(written(tmp_path, films, replace(RUN, is_calibrated=False)))
    assert len(texts) > 2
    assert all("NOT CALIBRATED" in text for text in texts)


@needs_poppler
def test_foreign_films_are_said_first_on_page_one_and_no_promise_is_made(tmp_path: Path) -> None:
    run = replace(RUN, foreign=FOREIGN, likeness="unlike those of the calibration: 7 films compared")
    texts = pages(written(tmp_path, [scored("a.png", 0.9)], run))
    assert all(FOREIGN in text for text in texts)
    assert texts[0].index(FOREIGN) < texts[0].index("Chest films, ranked")
    assert "does not hold for these films" in " ".join(texts[0].split())
    assert "sensitivity 87%" not in texts[0]


@needs_poppler
def test_a_film_whose_heat_lies_outside_the_lungs_is_marked(tmp_path: Path) -> None:
    _, film, _ = pages(written(tmp_path, [scored("a.png", 0.9, lung_heat_share=0.2)]))
    assert "Heat lies outside the lungs (20% within)" in film


@needs_poppler
def test_names_in_other_scripts_are_printed(tmp_path: Path) -> None:
    names = ["плёнка.png", "θώρακας.png", "Łódź.png", "կրծքավանդակ.png"]
    text = "".join(pages(written(tmp_path, [scored(name, 0.9) for name in names])))
    assert all(name in text for name in names)


@needs_poppler
def test_a_right_to_left_name_is_shaped_and_set_from_right_to_left(tmp_path: Path) -> None:
    path = written(tmp_path, [scored("סרט.png", 0.9), scored("صورة.png", 0.8)])
    joined = [unicode for unicode in "ﺻﻮﺭﺓ" if unicode in pages(path)[2]]
    assert "סרט" in pages(path)[1] or "טרס" in pages(path)[1]
    assert "صورة" in pages(path)[2] or joined


@needs_poppler
def test_a_character_that_no_font_has_is_spelt_out(tmp_path: Path) -> None:
    _, film, _ = pages(written(tmp_path, [scored("胸\u202e😀.png", 0.9)]))
    assert r"\u80f8\u202e" in film


@needs_poppler
def test_an_installed_font_lends_the_characters_that_ours_lacks(
    tmp_path: Path, no_installed_fonts: Path
) -> None:
    write_font(no_installed_fonts / "cjk.ttf", "胸")
    (no_installed_fonts / "damaged noto.ttf").write_bytes(b"not a font")
    _, film, _ = pages(written(tmp_path, [scored("胸部.png", 0.9)]))
    assert r"胸\u90e8.png" in film


@needs_poppler
def test_a_name_too_long_for_the_page_keeps_its_ends(tmp_path: Path) -> None:
    _, film, _ = pages(written(tmp_path, [scored(f"first{'x' * 300}last.png", 0.9)]))
    assert re.search(r"firstx+…x+last\.png", film)


@needs_poppler
def test_the_film_stands_beside_itself_with_heat(tmp_path: Path) -> None:
    page = drawn(written(tmp_path, [scored("a.png", 0.9)]), 2).astype(int)
    warm = (page[..., 2] - page[..., 0] > 90) & (page[..., 2] > 150)
    middle = page.shape[1] // 2
    below_head = slice(page.shape[0] // 4, page.shape[0] * 4 // 5)
    assert warm[below_head, middle:].sum() > 500
    assert not warm[below_head, :middle].any()
    assert np.ptp(page[below_head, :middle]) > 150


def test_the_title_and_the_date_are_those_of_the_run_and_the_same_run_gives_the_same_file(
    tmp_path: Path,
) -> None:
    films = [scored("a.png", 0.9)]
    first = written(tmp_path, films).read_bytes()
    assert b"/CreationDate (D:20260304214000Z" in first
    assert b"/Title" in first
    assert written(tmp_path, films).read_bytes() == first


def test_a_film_is_kept_once_and_as_it_came(tmp_path: Path) -> None:
    film = scored("a.png", 0.9)
    assert film.picture is not None
    content = written(tmp_path, [film]).read_bytes()
    assert content.count(film.picture.preview_jpeg) == 1


def test_a_report_that_cannot_be_finished_leaves_the_old_one(tmp_path: Path) -> None:
    film = scored("a.png", 0.9)

    def broken() -> Iterator[Exhibit]:
        yield film
        raise OSError("disk full")

    path = tmp_path / "report.pdf"
    path.write_text("old")
    with pytest.raises(OSError, match="disk full"):
        write_report(path, RUN, tally([film.outcome, film.outcome]), ranked(broken()))
    assert path.read_text() == "old"


def write_font(path: Path, character: str) -> None:
    """A font that has one character, a square."""
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for corner in ((100, 700), (800, 700), (800, 0)):
        pen.lineTo(corner)
    pen.closePath()
    square = pen.glyph()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "square"])
    builder.setupCharacterMap({ord(character): "square"})
    builder.setupGlyf({".notdef": square, "square": square})
    builder.setupHorizontalMetrics({".notdef": (900, 100), "square": (900, 100)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Square", "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800)
    builder.setupPost()
    builder.save(path)
