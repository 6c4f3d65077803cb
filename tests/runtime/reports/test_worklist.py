"""The worklist is one safe, self-contained page with every film on it."""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from cxr_runtime.language import language, speaking
from cxr_runtime.presentation import Presentation
from cxr_runtime.reports.exhibit import Exhibit, tally
from cxr_runtime.reports.wording import OUTSIDE_LUNGS, RESEARCH_NOTICE, UNCALIBRATED_NOTICE
from cxr_runtime.reports.worklist import write_worklist
from cxr_runtime.store.rows import RunFacts
from drawn_exhibits import LUNGS, RUN, failed, picture, rejected, scored

HOSTILE = '<img src=x onerror=alert(1)>".png'


class Page(HTMLParser):
    """The elements of a page, and the text of each of its table's rows."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append("")

    def handle_data(self, data: str) -> None:
        if self.rows:
            self.rows[-1] += f" {data}"

    def tags(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for found, attributes in self.elements if found == tag]


def written(folder: Path, exhibits: list[Exhibit], run: RunFacts = RUN) -> str:
    path = folder / "worklist.html"
    write_worklist(path, run, tally(exhibit.outcome for exhibit in exhibits), iter(exhibits))
    return path.read_text(encoding="utf-8")


def test_every_film_has_a_row_in_the_order_given(tmp_path: Path) -> None:
    films = [scored("a.png", 0.9), scored("b.png", 0.2), rejected("c.png"), failed("d.png")]
    page = Page(written(tmp_path, films))
    stated = [row for row in page.tags("tr") if "data-file" in row]
    assert [row["data-file"] for row in stated] == ["a.png", "b.png", "c.png", "d.png"]
    assert [row["data-score"] for row in stated] == ["90.00", "20.00", "", ""]
    assert [row["data-result"] for row in stated] == ["flagged", "not_flagged", "rejected", "failed"]


def test_films_without_a_score_show_their_code_and_sentence(tmp_path: Path) -> None:
    page = Page(written(tmp_path, [scored("a.png", 0.9), rejected("c.png"), failed("d.png")]))
    assert "lateral: this is a side view: read it" in page.rows[2]
    assert "truncated: it ends too soon: copy it again" in page.rows[3]


def test_a_flagged_film_whose_heat_lies_outside_the_lungs_is_marked(tmp_path: Path) -> None:
    shares = {"a.png": 0.2, "b.png": 0.5, "c.png": 0.5}
    films = [scored(name, 0.9, lung_heat_share=share) for name, share in shares.items()]
    page = Page(written(tmp_path, films))
    assert OUTSIDE_LUNGS in page.rows[1]
    assert OUTSIDE_LUNGS not in page.rows[2]
    assert any(button.get("data-filter") == "outside-lungs" for button in page.tags("button"))


def test_names_and_messages_stay_text(tmp_path: Path) -> None:
    films = [scored(f"x/{HOSTILE}", 0.9, code="c", message=HOSTILE), failed(HOSTILE, code=HOSTILE)]
    html = written(tmp_path, films, replace(RUN, inputs=(HOSTILE,), model=HOSTILE))
    page = Page(html)
    assert not any("onerror" in attributes for _, attributes in page.elements)
    assert {(image["src"] or "")[:5] for image in page.tags("img")} == {"data:"}
    assert HOSTILE in page.rows[1]


def test_names_of_any_script_are_kept_and_what_cannot_be_seen_is_spelt_out(tmp_path: Path) -> None:
    films = [scored("صورة/胸部.png", 0.9), scored("a\u202egnp.exe", 0.8), scored("\udcff.png", 0.7)]
    page = Page(written(tmp_path, films))
    files = [row["data-file"] for row in page.tags("tr") if "data-file" in row]
    assert files == ["صورة/胸部.png", r"a\u202egnp.exe", r"\xff.png"]


def test_a_spelt_out_character_is_part_of_the_name_and_no_folder(tmp_path: Path) -> None:
    page = Page(written(tmp_path, [scored("night/\u202egnp.exe", 0.9)]))
    assert r" \u202egnp.exe night/ " in page.rows[1]


def test_each_fact_of_a_patient_stands_apart_so_that_none_turns_another(tmp_path: Path) -> None:
    film = replace(scored("a.png", 0.9), owner=("\u0644\u064a\u0644\u0649", "ID 7-1"))
    path = tmp_path / "worklist.html"
    write_worklist(path, RUN, tally([film.outcome]), [film])
    assert "<bdi>\u0644\u064a\u0644\u0649</bdi> \u00b7 <bdi>ID 7-1</bdi>" in path.read_text(encoding="utf-8")


def test_the_policy_allows_only_the_pages_own_style_and_script(tmp_path: Path) -> None:
    html = written(tmp_path, [scored("a.png", 0.9)])
    policy = next(str(meta["content"]) for meta in Page(html).tags("meta") if "http-equiv" in meta)
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (part,) = re.findall(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = b64encode(sha256(part.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_nothing_is_linked_that_is_not_in_the_page(tmp_path: Path) -> None:
    page = Page(written(tmp_path, [scored("a.png", 0.9), rejected("c.png")]))
    links = [
        value or ""
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name in ("src", "href", "srcset", "action", "data")
    ]
    assert links
    assert all(link.startswith(("data:image/", "#")) for link in links)
    assert not any("style" in attributes for _, attributes in page.elements)


def test_the_overlay_file_is_offered_where_there_is_one(tmp_path: Path) -> None:
    film = scored("a.png", 0.9)
    (tmp_path / "heatmaps").mkdir()
    (tmp_path / "heatmaps" / f"{film.name}.png").touch()
    rows = [
        row for row in Page(written(tmp_path, [film, scored("b.png", 0.8)])).tags("tr") if "data-file" in row
    ]
    assert [row["data-overlay"] for row in rows] == [f"heatmaps/{film.name}.png", ""]


def held(html: str) -> list[dict[str, Any]]:
    """What the page holds of films for the viewer."""
    found = re.findall(r'<script type="application/json" class="pictures">(.*?)</script>', html, re.DOTALL)
    return [json.loads(text) for text in found]


def test_the_viewers_layers_are_the_film_its_heat_and_its_outlines(tmp_path: Path) -> None:
    film = scored("a.png", 0.9)
    assert film.picture is not None
    (pictures,) = held(written(tmp_path, [film]))
    assert b64decode(pictures["film"]) == film.picture.preview_jpeg
    layer = cv2.imdecode(np.frombuffer(b64decode(pictures["heat"]), np.uint8), cv2.IMREAD_UNCHANGED)
    assert layer is not None
    assert layer.shape == (512, 410, 4)
    assert layer[0, 0, 3] == 0
    assert layer[180, 115, 3] > 100
    assert pictures["spacing"] is None
    assert pictures["outlines"] == [[[round(x, 4), y] for x, y in outline] for outline in LUNGS]


def test_a_page_keeps_within_its_size_and_says_which_films_have_smaller_pictures(tmp_path: Path) -> None:
    films = [scored(f"{n}.png", 0.9 - n / 100) for n in range(30)]
    counts, path = tally(film.outcome for film in films), tmp_path / "worklist.html"
    write_worklist(path, RUN, counts, films)
    assert "It holds the pictures of all films." in path.read_text(encoding="utf-8")
    whole = path.stat().st_size
    smaller = replace(RUN, presentation=Presentation(worklist_bytes=whole - 60_000))
    write_worklist(path, smaller, counts, films)
    html = path.read_text(encoding="utf-8")
    assert path.stat().st_size <= whole - 60_000
    first, thumbnails = len(held(html)), len(Page(html).tags("img"))
    assert 0 < first < thumbnails == 30
    assert f"Films {first + 1:,} to 30: pictures of up to 112 pixels." in html


@pytest.mark.parametrize(("rows", "spacing"), [(1024, 0.2), (512, 0.4)])
def test_the_spacing_of_a_picture_is_that_of_its_own_rows(tmp_path: Path, rows: int, spacing: float) -> None:
    kept = picture(hw=(rows, rows // 2)).preview_jpeg
    shown = replace(picture(hw=(2048, 1024)), spacing_mm=0.1, preview_jpeg=kept)
    html = written(tmp_path, [replace(scored("a.png", 0.9), picture=shown)])
    (pictures,) = held(html)
    assert pictures["spacing"] == [spacing, spacing]
    assert f"1,024 x 2,048 pixels, shown from {rows // 2} x {rows:,}" in html


def test_a_film_of_the_same_patient_is_known_by_what_the_store_keeps(tmp_path: Path) -> None:
    film = replace(scored("a.png", 0.9), patient="P-1", studied="2026-03-04")
    rows = [row for row in Page(written(tmp_path, [film])).tags("tr") if "data-file" in row]
    assert [(row["data-patient"], row["data-studied"]) for row in rows] == [("P-1", "2026-03-04")]


def test_a_film_whose_picture_was_not_kept_still_has_its_row(tmp_path: Path) -> None:
    page = Page(written(tmp_path, [scored("a.png", 0.9, has_picture=False)]))
    assert "90.00" in page.rows[1]


def test_the_head_states_the_run_and_never_clears_a_film(tmp_path: Path) -> None:
    html = written(tmp_path, [scored("a.png", 0.9)])
    assert "balanced: flagged at a score of 47.00 or more; sensitivity 87%, specificity 81%" in html
    assert "2026-03-04 21:40 (UTC)" in html
    assert RESEARCH_NOTICE in html
    assert UNCALIBRATED_NOTICE not in html


def test_an_uncalibrated_run_is_marked(tmp_path: Path) -> None:
    html = written(tmp_path, [scored("a.png", 0.9)], replace(RUN, is_calibrated=False))
    assert re.search(r'role="alert">NOT CALIBRATED', html)


def test_exhibits_are_read_one_at_a_time_and_a_broken_run_leaves_the_old_page(tmp_path: Path) -> None:
    film = scored("a.png", 0.9)

    def broken() -> Iterator[Exhibit]:
        yield film
        raise OSError("disk full")

    path = tmp_path / "worklist.html"
    path.write_text("old")
    with pytest.raises(OSError, match="disk full"):
        write_worklist(path, RUN, tally([film.outcome, film.outcome]), broken())
    assert path.read_text() == "old"


def test_outlines_are_json_of_ten_thousandths(tmp_path: Path) -> None:
    corners = ((0.5, 1e-05), (0.00625, 0.03125), (1 / 3, 2 / 3), (1.0, 0.0), (0.12345, 0.99995))
    shown = replace(picture(), lung_outlines=(corners, corners[::-1]), spacing_mm=0.143)
    html = written(tmp_path, [replace(scored("a.png", 0.9), picture=shown)])
    plain = [[[round(x, 4), round(y, 4)] for x, y in outline] for outline in shown.lung_outlines]
    said = json.dumps({"outlines": plain, "spacing": [0.143, 0.143]}, separators=(",", ":"))
    assert f",{said[1:]}</script>" in html


def test_the_size_of_a_film_keeps_its_order_beside_arabic_words(tmp_path: Path) -> None:
    with speaking(language("ar")):
        page = Page(written(tmp_path, [scored("a.png", 0.9)]))
    (size,) = [str(row["data-size"]) for row in page.tags("tr") if "data-size" in row]
    assert size.startswith("\u200e128 x 160\u200e ")
    assert "\\u" not in size
