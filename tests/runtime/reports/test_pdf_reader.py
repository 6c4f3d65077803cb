"""The PDF in other languages, for screen readers, with at most so many pages, and for a reader's pen."""

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from cxr_runtime.language import language, speaking
from cxr_runtime.presentation import Colours, Presentation
from cxr_runtime.reports.exhibit import tally
from cxr_runtime.reports.pdf import other_fonts, write_report
from drawn_exhibits import RUN, failed, scored
from pdf_pages import needs_poppler, no_installed_fonts, pages, ranked, written

__all__ = ["no_installed_fonts"]  # its fixture holds here, too
FILMS = [scored("a.png", 0.9), scored("b.png", 0.8), scored("c.png", 0.7), failed("d.png")]


def in_language(name: str, folder: Path) -> Path:
    path = folder / f"{name}.pdf"
    with speaking(language(name)):
        write_report(path, RUN, tally(film.outcome for film in FILMS), ranked(FILMS))
    return path


def structure(path: Path) -> str:
    """The elements that a screen reader walks through."""
    made = subprocess.run(
        ["pdfinfo", "-struct-text", path], check=True, capture_output=True, encoding="utf-8"
    )
    return made.stdout


@needs_poppler
@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("fr", "Radiographies thoraciques, classées par suspicion"),
        ("es", "Radiografías de tórax, ordenadas por sospecha"),
        ("pt", "Radiografias de tórax, ordenadas por suspeita"),
    ],
)
def test_the_report_speaks_the_language_that_is_asked_for(name: str, title: str, tmp_path: Path) -> None:
    path = in_language(name, tmp_path)
    assert title in pages(path)[0]
    assert f"/Lang ({name})".encode() in path.read_bytes()


@needs_poppler
def test_an_arabic_report_is_shaped_and_begins_on_the_right(tmp_path: Path) -> None:
    path = in_language("ar", tmp_path)
    text = pages(path)
    assert "صور الصدر مرتبة" in text[0] or "ﺻﻮﺭ" in text[0]
    made = subprocess.run(
        ["pdftotext", "-bbox", "-f", "2", "-l", "2", path, "-"], check=True, capture_output=True
    )
    (left,) = re.findall(r'xMin="([\d.]+)"[^>]*>a\.png<', made.stdout.decode())
    assert float(left) > 700  # points, of 842


@needs_poppler
def test_a_screen_reader_finds_headings_paragraphs_and_the_pictures_in_words(tmp_path: Path) -> None:
    told = structure(written(tmp_path, FILMS))
    assert "H1" in told
    assert "Chest films, ranked by suspicion" in told
    assert told.count("Figure") >= 7  # the histogram, and two pictures a film
    assert "Research use only" not in told  # it is on every page, and no part of what is read


def test_a_film_has_a_bookmark_with_its_score(tmp_path: Path) -> None:
    content = written(tmp_path, FILMS).read_bytes()
    titles = [
        title.decode("utf-16-be" if title.startswith(b"\xfe\xff") else "latin-1").lstrip("\ufeff")
        for title in re.findall(rb"/Title \((.*?)\)\n", content, re.DOTALL)
    ]
    for name in ("Summary", "Films", "90.00  a.png", "Technical"):
        assert name in titles


@needs_poppler
def test_at_most_so_many_films_have_a_page_and_the_summary_says_so(tmp_path: Path) -> None:
    run = replace(RUN, presentation=Presentation(pdf_pages=2))
    summary, *film_pages, _ = pages(written(tmp_path, FILMS, run))
    assert len(film_pages) == 2
    assert "The 2 most suspicious of 3 flagged films" in " ".join(summary.split())


@needs_poppler
def test_a_films_page_has_lines_for_verdict_and_signature(tmp_path: Path) -> None:
    page = pages(written(tmp_path, FILMS))[1]
    for word in ("Verdict:", "normal", "abnormal", "cannot tell", "Findings:", "Name, date:", "Signature:"):
        assert word in page


@needs_poppler
def test_hashes_and_providers_are_on_the_last_page_and_not_in_the_head(tmp_path: Path) -> None:
    summary, *_, technical = pages(written(tmp_path, FILMS))
    for word in ("onnxruntime-cpu", "cd" * 16, "landlock"):
        assert word in technical
        assert word not in summary


@needs_poppler
def test_a_score_and_the_heats_place_are_said_in_words(tmp_path: Path) -> None:
    run = replace(RUN, calibration_films=100, calibration_abnormal=10)
    page = " ".join(pages(written(tmp_path, FILMS, run))[1].split())
    assert "Of 100 films with a score like this, about" in page


@needs_poppler
@pytest.mark.parametrize("name", ["रमेश कुमार.png", "สมชาย.png"])
def test_names_in_devanagari_and_thai_need_no_font_of_the_machine(name: str, tmp_path: Path) -> None:
    page = pages(written(tmp_path, [scored(name, 0.9)]))[1]
    assert "\\u" not in page
    assert other_fonts.font_for(name[0]) is not None


@needs_poppler
def test_a_missing_font_is_said_with_what_to_install(tmp_path: Path) -> None:
    *_, technical = pages(written(tmp_path, [scored("胸.png", 0.9)]))
    assert "no font on this machine has" in " ".join(technical.split())


def test_the_colours_of_the_legend_are_those_that_are_asked_for(tmp_path: Path) -> None:
    run = replace(RUN, presentation=Presentation(colours=Colours.INFERNO))
    (tmp_path / "inferno").mkdir()
    assert written(tmp_path, FILMS).read_bytes() != written(tmp_path / "inferno", FILMS, run).read_bytes()
