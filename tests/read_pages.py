"""A reader before the worklist in a real browser: what he does, and waits for."""

from typing import TYPE_CHECKING

from served_rooms import PASSWORD

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PATIENCE_MS = 120_000  # for what takes a moment where nobody else works


def opened(browser: "Browser", address: str) -> "Page":
    page = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(address)
    return page


def logged_in(browser: "Browser", address: str, name: str) -> "Page":
    page = opened(browser, address)
    page.fill("[name=name]", name)
    page.fill("[name=password]", PASSWORD)
    page.click("text=Log in")
    page.wait_for_selector("body[data-shown]")
    return page


def shown(page: "Page") -> str:
    return str(page.evaluate("document.body.dataset.shown"))


def wait_for_film(page: "Page", key: str) -> None:
    page.wait_for_selector(f"body[data-shown='{key}']")


def is_pressed(page: "Page", word: str) -> bool:
    return page.get_attribute(f".vb-word.vb-{word}", "aria-pressed") == "true"


def read(page: "Page", key: str) -> None:
    """Zoom, another window, a verdict, and wait until it is kept."""
    page.keyboard.press("+")
    page.keyboard.press("b")
    page.keyboard.press(key)
    page.wait_for_selector(".vb-state:text-is('Kept')")


def next_film(page: "Page") -> None:
    before = shown(page)
    page.keyboard.press("j")
    page.wait_for_selector(f"body:not([data-shown='{before}'])")
