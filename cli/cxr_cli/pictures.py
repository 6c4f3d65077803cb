"""The pictures that the docs show: worklist, viewer, `serve`, the report and terminals; of drawn films."""

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from playwright.sync_api import FloatRect, ViewportSize, sync_playwright

from cxr_cli.terminal_pictures import terminal_pictures
from cxr_runtime import ScanOptions, scan
from cxr_runtime.atomic import write_bytes
from cxr_runtime.benchmark.serving import served
from cxr_runtime.errors import CxrTriageError
from cxr_runtime.files import REPORT_FILE, WORKLIST_FILE, ReportFormat
from cxr_runtime.presentation import Wishes
from cxr_runtime.reports.again import ReportOptions, report_again
from cxr_runtime.store.audit import Act
from cxr_runtime.store.desk import Desk
from cxr_runtime.store.listing import Query, listed
from cxr_runtime.store.verdicts import Said, Verdict

SHOWN_RANK = 2  # the film of all pictures; it must be flagged
WINDOW = ViewportSize(width=1366, height=768)  # pixels
LENS_AT = (0.33, 0.3)  # where the magnifier is held; shares of the stage
PAGE_DPI = 110  # of the report's page: 1287 pixels wide
JPEG_QUALITY = 80
CLEAR = "clear"  # how the names of drawn films begin that show no disease
PAINT_MS = 500  # until a film that was chosen is on the screen
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")


def draw_pictures(films: Path, out: Path) -> tuple[Path, ...]:
    """Scan films, and draw what the scan leaves.

    Args:
        films: a folder of films that may be shown to anybody; at least SHOWN_RANK are flagged.
        out: folder of the pictures, made if it is missing.

    Returns:
        worklist.jpg, viewer.jpg (side by side, with the magnifier), serve.jpg, similar.jpg (a film beside a
        similar one), tally.jpg, audit.jpg, health.jpg and doctor.jpg (a terminal), report.jpg and
        report-arabic.jpg, each below 200 kB for the films of examples/. They show the date of the scan;
        all else on the pages stays the same.

    Raises:
        CxrTriageError: Chromium or poppler is missing, or the films cannot be scanned.
    """
    chromium, pdftoppm = _program(*CHROMIUM_NAMES), _program("pdftoppm")
    with TemporaryDirectory() as folder:
        scanned = Path(folder, "night")
        formats = frozenset({ReportFormat.HTML, ReportFormat.PDF, ReportFormat.PNG})
        scan([films], ScanOptions(out=scanned, formats=formats))
        drawn = {
            **_worklist(scanned / WORKLIST_FILE, chromium),
            **_server(scanned, chromium),
            **_terminal(films, Path(folder, "clinic"), chromium),
            "report.jpg": _report_page(scanned / REPORT_FILE, pdftoppm),
        }
        in_arabic = ReportOptions(frozenset({ReportFormat.PDF}), wishes=Wishes(language="ar"))
        report_again(scanned, in_arabic)
        drawn["report-arabic.jpg"] = _report_page(scanned / REPORT_FILE, pdftoppm)
    out.mkdir(parents=True, exist_ok=True)
    for name, png in drawn.items():
        write_bytes(out / name, _as_jpeg(png))
    return tuple(out / name for name in drawn)


def _program(*names: str) -> str:
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        raise CxrTriageError(f"no program {' or '.join(names)} was found; install it, then try again")
    return found


def _worklist(page_file: Path, chromium: str) -> dict[str, bytes]:
    """The worklist with a film open, and with its viewer at work, as PNG."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_FLAGS))
        page = browser.new_page(viewport=WINDOW)
        page.goto(page_file.as_uri())
        for _ in range(SHOWN_RANK - 1):
            page.keyboard.press("j")
        page.wait_for_selector(".fv-films:not([hidden])")
        page.wait_for_function("[...document.images].every((image) => image.complete)")
        shots = {"worklist.jpg": page.screenshot()}
        for key in "slm":
            page.keyboard.press(key)
        if stage := page.locator(".fv-stage").bounding_box():
            across, down = LENS_AT
            page.mouse.move(stage["x"] + across * stage["width"], stage["y"] + down * stage["height"])
        shots["viewer.jpg"] = page.screenshot()
        browser.close()
    return shots


def _server(scanned: Path, chromium: str) -> dict[str, bytes]:
    """The list, a film and its similar ones, after two readers have read some; and the tally, as PNG."""
    _read_some(scanned)
    with served(scanned) as serving, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_FLAGS))
        page = browser.new_page(viewport=WINDOW)
        page.goto(serving.address)
        page.wait_for_selector("body[data-shown]")
        shown = page.evaluate("document.body.dataset.shown")
        page.keyboard.press("j")
        page.wait_for_selector(f"body:not([data-shown='{shown}'])")
        page.wait_for_selector("#beside li")
        page.wait_for_function("[...document.images].every((image) => image.complete)")
        shots = {"serve.jpg": page.screenshot()}
        page.locator("#beside button").first.click()
        page.wait_for_selector(".fv-pane:visible >> nth=2")
        page.mouse.move(0, 0)
        page.wait_for_timeout(PAINT_MS)
        shots["similar.jpg"] = page.screenshot()
        page.goto(f"{serving.address}tally")
        part = FloatRect(x=0, y=0, width=WINDOW["width"], height=400)
        shots["tally.jpg"] = page.screenshot(clip=part)
        page.goto(f"{serving.address}audit")
        shots["audit.jpg"] = page.screenshot(clip=part)
        browser.close()
    return shots


def _terminal(films: Path, folder: Path, chromium: str) -> dict[str, bytes]:
    """Commands in a terminal, as PNG."""
    folder.mkdir()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_FLAGS))
        shots = terminal_pictures(films, folder, browser.new_page(viewport=WINDOW))
        browser.close()
    return shots


def _read_some(scanned: Path) -> None:
    """Two readers say what they see on every other film; one of them cannot tell what one is."""
    with Desk.open(scanned) as desk:
        films = listed(desk, Query(), "", "")[::2]
        for number, film in enumerate(films):
            is_clear = Path(film.outcome.file).name.startswith(CLEAR)
            said = Verdict.NORMAL if is_clear else Verdict.ABNORMAL
            readers = {"ann": said, "ben": Verdict.CANNOT_TELL if number == 1 else said}
            for reader, verdict in readers.items():
                with desk.acting(reader, Act.SAID, f"{film.key} reading {verdict}") as now:
                    desk.verdicts.add(Said(film.key, reader, now, verdict))


def _report_page(report: Path, pdftoppm: str) -> bytes:
    """The report's page of the same film, as PNG; the summary stands before the films."""
    number = str(SHOWN_RANK + 1)
    command = [pdftoppm, "-png", "-r", str(PAGE_DPI), "-f", number, "-l", number, str(report)]
    return subprocess.run(command, check=True, capture_output=True).stdout


def _as_jpeg(png: bytes) -> bytes:
    """Colour is kept at every pixel: small red letters stay sharp."""
    pixels = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    how = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    how += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    return cv2.imencode(".jpg", np.asarray(pixels), how)[1].tobytes()
