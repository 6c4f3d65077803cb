"""The film viewer in a real browser: 16-bit films, windows, zoom, the magnifier, distances and keys."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from browsers import launched, needs_chromium
from cxr_runtime.reports.viewer import LABELS, script, style

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = needs_chromium

ROWS, COLUMNS = (
    600,
    400,
)  # of the film: from black on the left to white on the right, darker in the upper half
FILM = f"""
const pixels = new Uint16Array({ROWS} * {COLUMNS});
for (let at = 0; at < pixels.length; at += 1)
  pixels[at] = (at % {COLUMNS}) * 100 + (at < pixels.length / 2 ? 0 : 10000);
const film = {{ pixels, rows: {ROWS}, columns: {COLUMNS}, window: [25000, 50000] }};
"""
SHOW = """
const viewer = new FilmViewer(document.getElementById("viewer"), { labels: LABELS, step() {} });
const shown = { name: "drawn", place: "1 of 2", film: Promise.resolve(film), spacing: [0.5, 0.25] };
"""


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with launched() as found:
        yield found


@pytest.fixture
def page(browser: "Browser", tmp_path: Path) -> Iterator["Page"]:
    file = tmp_path / "viewer.html"
    file.write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Viewer</title>'
        f"<style>html, body, #viewer {{ height: 100%; margin: 0 }}{style()}</style>"
        f'<div id="viewer"></div><script>{script()}; const LABELS = {json.dumps(dict(LABELS))};{FILM}{SHOW}'
        "window.ready = viewer.show(shown);</script>",
        encoding="utf-8",
    )
    opened = browser.new_page(viewport={"width": 1000, "height": 640})
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(file.as_uri())
    assert opened.evaluate("ready")
    yield opened
    opened.close()
    assert errors == []


def drawn(page: "Page") -> None:
    """Wait until what was asked for is on the screen."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def grey(page: "Page", x: float, y: float) -> int:
    """What stands at shares of the pane's sides, 0..255."""
    drawn(page)
    found: int = page.evaluate(
        """([x, y]) => {
            const { canvas } = viewer.main;
            const at = [x * canvas.width, y * canvas.height].map(Math.floor);
            return canvas.getContext("2d").getImageData(...at, 1, 1).data[0];
        }""",
        [x, y],
    )
    return found


def sight(page: "Page") -> Any:
    return page.evaluate("({ ...viewer.sight.view, ...viewer.sight.tone })")


def drag(page: "Page", start: tuple[int, int], end: tuple[int, int], button: Any = "left") -> None:
    page.mouse.move(*start)
    page.mouse.down(button=button)
    page.mouse.move(*end, steps=2)
    page.mouse.up(button=button)


def test_sixteen_bits_are_brought_to_the_screen_through_the_window(page: "Page") -> None:
    assert grey(page, 0.5, 0.25) == pytest.approx(255 * 20_000 / 50_000, abs=2)
    assert grey(page, 0.5, 0.75) == pytest.approx(255 * 30_000 / 50_000, abs=2)
    page.keyboard.press("i")
    assert grey(page, 0.5, 0.25) == pytest.approx(255 - 255 * 20_000 / 50_000, abs=2)


def test_presets_of_lung_and_bone_come_from_the_film_and_the_last_key_brings_all_back(page: "Page") -> None:
    usual = grey(page, 0.5, 0.25)
    page.keyboard.press("b")
    lung = grey(page, 0.5, 0.25)
    page.keyboard.press("b")
    assert grey(page, 0.5, 0.25) < usual < lung
    page.keyboard.press("r")
    page.keyboard.press("x")
    page.keyboard.press("+")
    page.keyboard.press("o")
    assert grey(page, 0.5, 0.25) == usual
    assert sight(page)["zoom"] == 1


def test_dragging_with_the_right_button_makes_the_film_brighter_and_steeper(page: "Page") -> None:
    before = grey(page, 0.5, 0.5)
    drag(page, (500, 400), (500, 300), "right")
    assert grey(page, 0.5, 0.5) > before + 20
    assert page.eval_on_selector(".film-viewer select", "choice => choice.value") == "own"
    drag(page, (300, 400), (500, 400), "right")
    assert sight(page)["stretch"] < 0.9


def test_the_wheel_zooms_where_the_pointer_is_and_a_double_click_shows_the_whole_film(page: "Page") -> None:
    page.mouse.move(500, 500)
    at = "viewer.main.toFilm(viewer.sight.view, 500, 460)"
    before = page.evaluate(at)
    page.mouse.wheel(0, -600)
    page.wait_for_function("viewer.sight.view.zoom > 2")
    assert page.evaluate(at) == pytest.approx(before, abs=0.01)
    drag(page, (500, 300), (400, 200))
    assert page.evaluate(at) != pytest.approx(before, abs=0.05)
    page.mouse.dblclick(500, 300)
    assert sight(page)["zoom"] == 1


def test_two_fingers_zoom(browser: "Browser", page: "Page") -> None:
    touch = page.context.new_cdp_session(page)
    for kind, apart in [("touchStart", 50), ("touchMove", 100), ("touchMove", 150)]:
        points = [{"x": 500 - apart, "y": 300, "id": 0}, {"x": 500 + apart, "y": 300, "id": 1}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert sight(page)["zoom"] == pytest.approx(3, rel=0.2)


def test_one_to_one_shows_a_pixel_of_the_film_on_one_of_the_screen(page: "Page") -> None:
    page.keyboard.press("z")
    drawn(page)
    assert page.evaluate("Math.hypot(viewer.main.matrix(viewer.sight.view).a)") == pytest.approx(1)
    assert "Zoom 100 %" in page.inner_text(".fv-reading")
    page.keyboard.press("Shift+ArrowDown")
    assert sight(page)["center"][1] > 0.5


def test_a_distance_is_in_millimetres_by_the_spacing_of_rows_and_columns(page: "Page") -> None:
    page.keyboard.press("z")
    page.keyboard.press("d")
    drag(page, (400, 300), (500, 300))
    drag(page, (400, 300), (400, 400))
    lengths = page.evaluate("viewer.lines.map((line) => line.map(([x, y]) => [x * 400, y * 600]))")
    (start, end), (top, bottom) = lengths
    assert (end[0] - start[0]) * 0.25 == pytest.approx(25)
    assert (bottom[1] - top[1]) * 0.5 == pytest.approx(50)
    page.evaluate(
        """() => {
            window.written = [];
            const kind = CanvasRenderingContext2D.prototype;
            const { fillText } = kind;
            kind.fillText = function (words, ...rest) {
                written.push(words);
                fillText.call(this, words, ...rest);
            };
        }"""
    )
    page.keyboard.press("i")
    drawn(page)
    assert page.evaluate("written.slice(0, 2)") == ["25 mm", "50 mm"]


def test_a_distance_is_measured_by_keys_alone(page: "Page") -> None:
    page.keyboard.press("z")
    for key in ("d", "Enter", "Enter", *["ArrowRight"] * 5, *["ArrowDown"] * 3, "Enter"):
        page.keyboard.press(key)
    drawn(page)
    (line,) = page.evaluate("viewer.lines.map((line) => line.map(([x, y]) => [x * 400, y * 600]))")
    assert [round(end - start) for start, end in zip(*line, strict=True)] == [20, 12]
    assert page.inner_text(".fv-said") == "7.8 mm"  # 20 columns of 0.25 mm, 12 rows of 0.5 mm
    page.keyboard.press("Escape")
    assert page.evaluate("viewer.ruler.at") is None
    page.evaluate("viewer.keys.add([{ keys: ['ArrowDown'], words: '', act() { window.went = true; } }])")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("went")


def test_without_a_spacing_nothing_can_be_measured(page: "Page") -> None:
    page.evaluate("viewer.show({ ...shown, spacing: null })")
    assert page.is_disabled(".fv-do-length")
    page.keyboard.press("d")
    drag(page, (400, 300), (500, 300))
    assert page.evaluate("viewer.lines.length") == 0


def test_the_magnifier_enlarges_what_is_under_the_pointer(page: "Page") -> None:
    page.mouse.move(500, 340)
    beside = grey(page, 0.56, 0.25)
    page.keyboard.press("m")
    page.mouse.move(500, 190)
    assert grey(page, 0.56, 0.25) < beside - 5  # 60 pixels from the pointer it now shows what is 24 from it
    page.keyboard.press("m")
    assert grey(page, 0.56, 0.25) == beside


def test_films_stand_side_by_side_in_one_window_and_at_one_zoom(page: "Page") -> None:
    assert page.is_disabled(".fv-do-sideBySide")
    page.evaluate("viewer.show({ ...shown, earlier: { name: 'Earlier film, 2026-01-02', film } })")
    page.keyboard.press("s")
    assert page.locator(".fv-pane:visible figcaption").all_inner_texts() == [
        "Film",
        "Earlier film, 2026-01-02",
    ]
    page.keyboard.press("b")
    drawn(page)
    tables = page.evaluate("viewer.panes.filter((pane) => pane.table).map((pane) => pane.tabulated)")
    assert len(tables) >= 2
    assert len(set(tables[-2:])) == 1


def test_full_window_is_one_key_and_what_lies_beside_is_out_of_reach(page: "Page") -> None:
    page.evaluate("document.body.append(document.createElement('aside'))")
    page.keyboard.press("f")
    assert page.evaluate("document.querySelector('aside').inert")
    assert page.locator(".film-viewer").bounding_box() == {"x": 0, "y": 0, "width": 1000, "height": 640}
    page.keyboard.press("f")
    assert not page.evaluate("document.querySelector('aside').inert")


def test_single_letters_can_be_switched_off_and_stay_off(page: "Page") -> None:
    page.keyboard.press("?")
    assert "Magnifier" in page.inner_text("dialog")
    page.get_by_label("Single letters are keys").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("i")
    assert not sight(page)["isInverted"]
    for _ in range(20):  # what a page keeps reaches the next one when the browser's own process has seen it
        page.reload()
        page.evaluate("ready")
        if not page.evaluate("viewer.keys.areSingleKeysOn"):
            break
    page.keyboard.press("i")
    page.keyboard.press("Shift+ArrowDown")
    assert not sight(page)["isInverted"]
    page.click(".fv-do-help")
    page.get_by_label("Single letters are keys").check()
    page.keyboard.press("Escape")
    page.keyboard.press("i")
    assert sight(page)["isInverted"]


def test_a_film_that_cannot_be_shown_is_said_and_the_next_one_is_shown(page: "Page") -> None:
    assert not page.evaluate("viewer.show({ ...shown, film: { url: 'data:image/jpeg;base64,AAAA' } })")
    assert page.inner_text(".fv-message") == LABELS["unreadable"]
    assert page.evaluate("viewer.show(shown)")
    assert not page.is_visible(".fv-message")
